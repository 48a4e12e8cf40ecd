"""What Ray, its workers and the libraries in them read from the environment. Nothing here imports Ray at the top,
because Ray reads much of it when it is imported."""

import os
from collections.abc import Callable
from typing import Any

from moviellm.rendering.ports import free_port

HOST = "MOVIELLM_RENDERING_PROXY_HOST"
"""Tells the proxy's process on which interface to listen."""

HOOK_VARIABLE = "__RAY_WORKER_PROCESS_SETUP_HOOK_ENV_VAR"
"""Ray's own variable: the function that every worker calls when it starts. As a `runtime_env` of the driver it would
make Ray throw away the workers that it has started in advance."""

HOOK = "moviellm.rendering.ray_environment.adapt"
"""That function, see below."""

PING_INTERVAL = ("grpc.http2.min_ping_interval_without_data_ms", 10_000)
"""gRPC's own limit of 5 minutes would cut off our clients, which ask every 20 s whether the peer is alive."""


def prepare(host: str) -> None:
    """Before the first import of Ray: a Ray of our own keeps to this machine, tells nobody and disturbs no other."""
    os.environ |= {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # everything but Serve's proxy listens on 127.0.0.1
        "AUTOSCALER_METRIC_PORT": str(free_port()),
        "DASHBOARD_METRIC_PORT": str(free_port()),
        "RAY_DEDUP_LOGS": "0",
        HOOK_VARIABLE: HOOK,
        HOST: host,
    }
    quieten()


def quieten() -> None:
    """For any Ray: no token from somebody's home folder, no advice from libraries in the log."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")


def adapt() -> None:
    """What Serve's proxy and replicas have no options for.

    Without it they listen on all interfaces whatever `listen` says, replicas even for pickled calls; the proxy ends
    calls that get no message for some minutes, and lets a replica go on with a call whose client left while a message
    was on its way.
    """
    from ray._common import tls_utils

    tls_utils.add_port_to_grpc_server = _on_host(tls_utils.add_port_to_grpc_server)

    from ray.serve._private import constants, default_impl, proxy_response_generator

    default_impl.add_grpc_address = _on_host(default_impl.add_grpc_address)
    constants.DEFAULT_GRPC_SERVER_OPTIONS.append(PING_INTERVAL)
    proxy_response_generator.ProxyResponseGenerator.__del__ = _cancel_unless_done


def _on_host(add: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    host = os.environ.get(HOST, "[::]")

    def add_on_host(server: Any, address: str) -> Any:
        return add(server, address.replace("[::]", host, 1))

    return add_on_host


def _cancel_unless_done(responses: Any) -> None:
    if not responses._done:
        responses._response.cancel()
