"""In the build of an image: install dependencies, as pyproject.toml says, into /opt/moviellm.

Without SERVICE, those that all services have; with it, the service's own besides. Apart from the code, so that a change
of the code leaves these layers alone. EXTRAS, if set, are installed with the service's own extra: `pipelines` gives the
export service a feature encoder.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bytecode import compile_all

TRACING = "tracing"
"""What every image has, so that a collector of spans can be named at any time."""

TARGET = Path("/opt/moviellm")
HERE = Path(__file__).parent


def requirements(project: dict, extras: list[str]) -> Iterator[str]:
    """The distributions that the project needs with the extras; those of extras within extras too."""
    yield from project["dependencies"]
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            own = re.fullmatch(r"moviellm\[(.+)\]", requirement)
            if own:
                yield from requirements(project | {"dependencies": []}, own[1].split(","))
            else:
                yield requirement


def extras_of(service: str, more: str, known: set[str]) -> list[str]:
    """The extras of an image. Raises SystemExit for a service or an extra that does not exist."""
    extras = [service, *(name.strip() for name in more.split(",") if name.strip())]
    for name in extras:
        if name not in known:
            sys.exit(f"there is no {name!r}; SERVICE and EXTRAS take {', '.join(sorted(known))}")
    return extras


def main() -> None:
    """Make the environment without pip in it, and install."""
    project = tomllib.loads((HERE / "pyproject.toml").read_text())["project"]
    known = set(project["optional-dependencies"]) - {"all", "dev"}
    service = os.environ.get("SERVICE", "")
    extras = extras_of(service, os.environ.get("EXTRAS", ""), known) if service else [TRACING]
    if not service:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", TARGET], check=True)
    index = os.environ.get("TORCH_INDEX_URL")
    pip = [sys.executable, "-m", "pip", "--python", TARGET / "bin/python", "install", "--no-compile"]
    pip += ["--disable-pip-version-check", "--root-user-action=ignore", "--constraint", HERE / "constraints.txt"]
    pip += ["--extra-index-url", index] if index else []
    subprocess.run([*pip, *sorted(set(requirements(project, extras)))], check=True)
    if not service:
        compile_all(TARGET)


if __name__ == "__main__":
    main()
