"""Licences of what is installed, as the packages tell them."""

import re
from importlib.metadata import Distribution

FORBIDDEN = re.compile(
    r"\bAGPL|Affero|\bSSPL|Server Side Public|Commons Clause|Business Source|non-?commercial", re.IGNORECASE
)
"""What may not come in with a dependency: it would reach whoever runs the services."""


def licence_of(distribution: Distribution) -> str:
    """The licence by its expression, its classifiers or its field; empty where the package does not tell."""
    about = distribution.metadata
    expression = about.get("License-Expression", "")
    named = [line for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    field = (about.get("License") or "").strip().splitlines()
    return expression or "; ".join(line.rpartition(" :: ")[2] for line in named) or (field[0] if field else "")


def forbidden(licence: str) -> bool:
    """Whether it must not be used; a choice that leaves another way is none."""
    ways = re.split(r"\s+OR\s+", licence)
    return all(FORBIDDEN.search(way) for way in ways)
