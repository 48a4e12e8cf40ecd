"""One log: what Ray's processes write reaches the service's standard error in the service's own form."""

import logging
import sys
from typing import Any

import structlog
from ray._private.ray_logging import global_worker_stdstream_dispatcher

log = structlog.get_logger()

RAYS_OWN = "ray_print_logs"
"""The name under which Ray prints workers' lines with a coloured prefix."""

OURS = "moviellm_logs"


def forward() -> None:
    """After Ray has started: replicas' lines go out as they are, other processes' lines as warnings."""
    global_worker_stdstream_dispatcher.remove_handler(RAYS_OWN)
    global_worker_stdstream_dispatcher.add_handler(OURS, _forward)
    logging.getLogger("ray").setLevel(logging.WARNING)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)


def silence() -> None:
    """Before Ray is taken down: its processes complain about each other's end."""
    global_worker_stdstream_dispatcher.remove_handler(OURS)


def _forward(batch: dict[str, Any]) -> None:
    source = str(batch.get("actor_name") or batch.get("pid"))
    if source == "autoscaler":  # says every few seconds that one node is one node
        return
    for line in batch["lines"]:
        if source.startswith("ServeReplica"):
            print(line, file=sys.stderr, flush=True)
        else:
            log.warning("ray", process=source, line=line)
