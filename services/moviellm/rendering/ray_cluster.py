"""A small Ray of the service's own with Serve on it, or a cluster to join; and taking all of it down again."""

import math
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import ray
import structlog
from ray import serve
from ray.serve.config import HTTPOptions, ProxyLocation, gRPCOptions
from ray.serve.schema import LoggingConfig

from moviellm.errors import Unsatisfied
from moviellm.rendering.ports import free_port
from moviellm.rendering.ray_app import APPLICATION, SERVICER_FUNCTIONS, build
from moviellm.rendering.settings import RenderingSettings

log = structlog.get_logger()

FOLDER = "moviellm-ray-"
"""Ray's files lie in a temporary folder with this name, the process id and something random."""


def prepare_environment() -> None:
    """What Ray and its workers read from the environment; to be called before the first call to Ray."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "1"
    os.environ.setdefault("RAY_DEDUP_LOGS", "0")


def start_own(settings: RenderingSettings) -> None:
    """Start a Ray on this machine alone, which ends with this process."""
    _remove_left_folders()
    _, _, metrics_port = settings.metrics_listen.rpartition(":")
    ray.init(
        address="local",
        num_cpus=max(1, math.ceil(settings.replicas * settings.cpus_per_replica)),
        include_dashboard=False,
        object_store_memory=settings.object_store_mb << 20,
        configure_logging=False,
        log_to_driver=True,
        namespace="moviellm",
        _node_ip_address="127.0.0.1",
        _temp_dir=tempfile.mkdtemp(prefix=f"{FOLDER}{os.getpid()}-"),
        _metrics_export_port=int(metrics_port) or free_port(),
    )


def join(settings: RenderingSettings) -> None:
    """Join the cluster at `ray_address`; replicas there get this process's MOVIELLM_ variables."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("MOVIELLM_")}
    ray.init(
        address=settings.ray_address,
        namespace="moviellm",
        configure_logging=False,
        runtime_env={"env_vars": variables},
    )


def deploy(settings: RenderingSettings, port: int) -> None:
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
        serve.run(build(settings.model_dump(mode="json", exclude={"node_pool"})), name=APPLICATION)
    except RuntimeError as error:
        raise Unsatisfied(_why_not_deployed(error)) from error


def is_running() -> bool:
    """Whether Serve says that the application runs."""
    application: Any = serve.status().applications.get(APPLICATION)
    return application is not None and application.status == "RUNNING"


def stop_own() -> None:
    """Take down Serve, Ray and Ray's folder; returns when their processes are gone."""
    folder = Path(ray._private.worker._global_node.get_temp_dir_path())
    serve.shutdown()
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


def leave() -> None:
    """Take the application off the cluster that was joined, and leave."""
    serve.delete(APPLICATION)
    ray.shutdown()


def _why_not_deployed(error: RuntimeError) -> str:
    """Our own error's sentence from the replica's traceback in Serve's status."""
    application = serve.status().applications.get(APPLICATION)
    messages = [deployment.message for deployment in application.deployments.values()] if application else []
    for line in "\n".join([*messages, str(error)]).splitlines():
        kind, colon, sentence = line.partition(": ")
        if colon and kind.strip().startswith("moviellm.errors."):
            return sentence
    return f"the application cannot be deployed: {error}"


def _remove_left_folders() -> None:
    """Folders of services that were killed before they could tidy up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER}*-*"):
        owner = folder.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(folder, ignore_errors=True)
