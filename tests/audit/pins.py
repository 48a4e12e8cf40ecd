"""requirements.lock and constraints.txt: what they pin, and whether they agree."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "requirements.lock"
CONSTRAINTS = ROOT / "constraints.txt"
BUILD_ONLY = {"editables", "hatchling", "tomlkit", "trove-classifiers"}
"""Needed to build the project's own wheel, not to run it."""

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")


def normal(name: str) -> str:
    """The name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, set[str]]:
    """Versions by name; more than one where markers decide."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        if match := _PIN.match(line):
            found.setdefault(normal(match[1]), set()).add(match[2])
    return found


def without_hash(text: str) -> list[str]:
    """Names of the lock's entries that have no SHA-256."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [entry.split("==")[0] for entry in entries if entry.strip() and "--hash=sha256:" not in entry]


def problems(lock: str, constraints: str) -> list[str]:
    """What is wrong, in sentences."""
    locked, constrained = pins(lock), pins(constraints)
    found = [f"{name} has no hash in requirements.lock" for name in without_hash(lock)]
    for name, versions in sorted(constrained.items()):
        if name not in locked and name not in BUILD_ONLY:
            found.append(f"{name} is in constraints.txt and not in requirements.lock; run `make lock`")
        elif name in locked and locked[name] != versions:
            found.append(f"{name} is {versions} in constraints.txt and {locked[name]} in requirements.lock")
    return found
