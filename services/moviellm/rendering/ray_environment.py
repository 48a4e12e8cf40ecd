"""What Ray, its workers and the libraries in them read from the environment. Nothing here imports Ray at the top,
because Ray reads much of it when it is imported."""

import os
from typing import Any

from moviellm.rendering.ports import free_port

HOST = "MOVIELLM_RENDERING_PROXY_HOST"
"""Tells the proxy's process on which interface to listen."""

HOOK = "moviellm.rendering.ray_environment.adapt_proxy"
"""Ray calls it in every worker of a Ray of our own."""

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
        HOST: host,
    }
    quieten()


def quieten() -> None:
    """For any Ray: no token from somebody's home folder, no advice from libraries in the log."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "1")


def adapt_proxy() -> None:
    """What Serve's proxy has no options for: to listen on the host of `listen` alone, and to bear our clients' pings.

    Without it the proxy listens on all interfaces, and ends calls that get no message for some minutes.
    """
    from ray.serve._private import constants, default_impl

    constants.DEFAULT_GRPC_SERVER_OPTIONS.append(PING_INTERVAL)
    add = default_impl.add_grpc_address
    host = os.environ.get(HOST, "[::]")

    def add_on_host(server: Any, address: str) -> None:
        add(server, address.replace("[::]", host, 1))

    default_impl.add_grpc_address = add_on_host
