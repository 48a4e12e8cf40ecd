"""A small Ray of the service's own with Serve on it, or a cluster to join; and taking all of it down again."""

import contextlib
import functools
import math
import os

import ray
import structlog
from ray import serve
from ray._private import parameter
from ray.serve.config import HTTPOptions, ProxyLocation, gRPCOptions
from ray.serve.schema import LoggingConfig

from moviellm.errors import Unavailable, Unsatisfied
from moviellm.rendering import ray_logs
from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_app import APPLICATION, SERVICER_FUNCTIONS, Rendering, application
from moviellm.rendering.settings import RenderingSettings

log = structlog.get_logger()

_OF_THIS_NODE = ("MOVIELLM_RENDERING_NODE_POOL", "MOVIELLM_RENDERING_NODE_NAME")
"""What a replica on another node must find out for itself."""


def start_own(settings: RenderingSettings, folder: str, figures_port: int) -> None:
    """Start a Ray on this machine alone, with its files in `folder` and its metrics agent on `figures_port`.

    Raises Unavailable when it does not come up.
    """
    _spare_parts()
    try:
        _init(settings, folder, figures_port)
    except Exception as error:  # Ray raises bare Exceptions here
        raise Unavailable(f"Ray does not start: {error}") from error
    ray_logs.forward()


def _spare_parts() -> None:
    """What `ray.init` has no arguments for: no autoscaler's monitor, and a free port instead of one for all Rays."""
    parameter.RayParams = functools.partial(parameter.RayParams, no_monitor=True, dashboard_agent_listen_port=0)


def _init(settings: RenderingSettings, folder: str, figures_port: int) -> None:
    ray.init(
        address="local",
        num_cpus=max(1, math.ceil(settings.replicas * settings.cpus_per_replica)),
        include_dashboard=False,
        object_store_memory=settings.object_store_mb << 20,
        configure_logging=False,
        log_to_driver=True,
        namespace="moviellm",
        _node_ip_address="127.0.0.1",
        _temp_dir=folder,
        _metrics_export_port=figures_port,
    )


def join(settings: RenderingSettings) -> None:
    """Join the cluster at `ray_address`; replicas there get this process's MOVIELLM_ variables."""
    variables = {
        name: value for name, value in os.environ.items() if name.startswith("MOVIELLM_") and name not in _OF_THIS_NODE
    }
    ray.init(
        address=settings.ray_address,
        namespace="moviellm",
        configure_logging=False,
        runtime_env={"env_vars": variables},
    )


def deploy(settings: RenderingSettings, port: int, *, replica: type[Rendering] = Rendering) -> None:
    """Start Serve with its gRPC proxy on `port` and the application; returns when replicas are ready.

    Raises Unsatisfied with the replica's own sentence when the application cannot be deployed.
    """
    serve.start(
        proxy_location=ProxyLocation.HeadOnly,
        http_options=HTTPOptions(host="127.0.0.1", port=free_port()),
        grpc_options=gRPCOptions(port=port, grpc_servicer_functions=list(SERVICER_FUNCTIONS)),
        logging_config=LoggingConfig(log_level="WARNING", enable_access_log=False),
    )
    try:
        attempts = 20 if settings.ray_address else 1
        serve.run(application(settings, attempts=attempts, replica=replica), name=APPLICATION)
    except RuntimeError as error:
        raise Unsatisfied(_why_not_deployed(error)) from error


def stop_own() -> None:
    """Let calls under way finish within the drain time, then take down Serve and Ray."""
    _drain()
    ray_logs.silence()
    with contextlib.suppress(ray.exceptions.RayError):
        serve.shutdown()
    ray.shutdown()


def leave() -> None:
    """Take the application off the cluster that was joined, and leave."""
    _drain()
    ray.shutdown()


def _drain() -> None:
    """New calls are told that the application is not there; those under way have the replicas' shutdown time."""
    with contextlib.suppress(ray.exceptions.RayError, serve.exceptions.RayServeException):
        serve.delete(APPLICATION)


def _why_not_deployed(error: RuntimeError) -> str:
    """Our own error's sentence from the replica's traceback in Serve's status."""
    status = serve.status().applications.get(APPLICATION)
    messages = [deployment.message for deployment in status.deployments.values()] if status else []
    for line in "\n".join([*messages, str(error)]).splitlines():
        kind, colon, sentence = line.partition(": ")
        if colon and kind.strip().startswith("moviellm.errors."):
            return sentence
    return f"the application cannot be deployed: {error}"
