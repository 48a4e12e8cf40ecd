"""One log: what Ray's processes write reaches the service's standard error in the service's own form."""

import logging
import sys
from typing import Any

import structlog
from ray._private.ray_logging import global_worker_stdstream_dispatcher

log = structlog.get_logger()

RAYS_OWN = "ray_print_logs"
"""The name under which Ray prints workers' lines with a coloured prefix."""

LEVELS = ("WARNING", "ERROR", "CRITICAL")
"""How the lines of Serve's controller and proxies begin that are worth forwarding; many others come with every call
that a client cancels, or every few seconds."""

CLIENT_LEFT = "Request failed due to unexpected error."
"""What the proxy says when a client leaves while a message is on its way."""

OURS = "moviellm_logs"


def forward() -> None:
    """After Ray has started: replicas' lines go out as they are, other processes' warnings as warnings."""
    global_worker_stdstream_dispatcher.remove_handler(RAYS_OWN)
    global_worker_stdstream_dispatcher.add_handler(OURS, _forward)
    logging.getLogger("ray").setLevel(logging.WARNING)
    logging.getLogger("ray.serve").setLevel(logging.WARNING)


def silence() -> None:
    """Before Ray is taken down: its processes complain about each other's end."""
    global_worker_stdstream_dispatcher.remove_handler(OURS)


def _forward(batch: dict[str, Any]) -> None:
    source = str(batch.get("actor_name") or batch.get("pid"))
    for line in batch["lines"]:
        if source.startswith("ServeReplica"):
            print(line, file=sys.stderr, flush=True)
        elif line.startswith(LEVELS) and not line.endswith(CLIENT_LEFT):
            log.warning("ray", process=source, line=line)
