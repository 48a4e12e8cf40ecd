"""What the command assumes when it is not told, and the local stack as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_SERVER = "127.0.0.1:8600"
DEFAULT_BASE_PORT = 8600
DEFAULT_DATA = Path(".moviellm")
DEFAULT_OUT = Path("out")
METRICS_OFFSET = 100
LOCAL_DRAIN_SECONDS = 5

#: The rooms in the order of their ports; the controller is asked first and started last.
ROOMS = ("controller", "scripting", "inversion", "rendering", "qa", "export")
_COLOURS = ("bright_white", "cyan", "magenta", "green", "yellow", "blue")


@dataclass(frozen=True)
class ServiceProcess:
    """One process of the stack: `module` is run with `python -m` and must serve grpc.health.v1 at `address`.

    `environment` is laid over the environment of the command; `ports` are those it binds, checked before the start.
    """

    name: str
    module: str
    address: str
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    colour: str = "cyan"


def address_of(room: str, base_port: int) -> str:
    """Where a room of the local stack listens."""
    return f"127.0.0.1:{base_port + ROOMS.index(room)}"


def local_services(
    base_port: int, data: Path, only: Iterable[str], environ: Mapping[str, str]
) -> tuple[ServiceProcess, ...]:
    """The processes of `moviellm up`, the controller last; `environ` holds what the user has set already."""
    chosen = set(only) or set(ROOMS)
    started = (*ROOMS[1:], ROOMS[0])
    return tuple(_service(room, base_port, data, chosen, environ) for room in started if room in chosen)


def _service(room: str, base_port: int, data: Path, chosen: set[str], environ: Mapping[str, str]) -> ServiceProcess:
    port = base_port + ROOMS.index(room)
    prefix = f"MOVIELLM_{room.upper()}_"
    environment = {
        f"{prefix}LISTEN": f"127.0.0.1:{port}",
        f"{prefix}METRICS_LISTEN": f"127.0.0.1:{port + METRICS_OFFSET}",
        "PYTHONUNBUFFERED": "1",
    }
    wishes = {
        "MOVIELLM_STORE_URL": f"file://{data.absolute()}/store",
        f"{prefix}LOG_FORMAT": "console",
        f"{prefix}DRAIN_SECONDS": str(LOCAL_DRAIN_SECONDS),
    }
    if room == "controller":
        targets = {f"{prefix}{other.upper()}": address_of(other, base_port) for other in ROOMS[1:]}
        environment |= {name: value for name, value in targets.items() if name.removeprefix(prefix).lower() in chosen}
        wishes |= targets
    environment |= {name: value for name, value in wishes.items() if name not in environment and not environ.get(name)}
    return ServiceProcess(
        room,
        f"moviellm.{room}",
        f"127.0.0.1:{port}",
        (port, port + METRICS_OFFSET),
        environment,
        _COLOURS[ROOMS.index(room)],
    )
