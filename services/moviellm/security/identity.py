"""Who is calling: a tenant, its rights, and the one that this call acts for. Knows no wire."""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from moviellm.errors import Denied, Unauthenticated

DEFAULT_TENANT = "default"
"""Who owns what was asked for without a name."""

TENANT_PATTERN = r"^(?!.*--)[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
"""1 to 40 lower-case letters, digits and single "-", beginning with a letter and not ending with "-"."""

_TENANT = re.compile(TENANT_PATTERN)


class Role(StrEnum):
    """What somebody may do; each role may do what the ones before it may."""

    READER = "reader"
    WRITER = "writer"
    OPERATOR = "operator"


_RANKS = {role: rank for rank, role in enumerate(Role)}


@dataclass(frozen=True)
class Principal:
    """Somebody known. `name` is for logs, `role` the highest they have; an operator sees every tenant's datasets."""

    tenant: str
    role: Role
    name: str = ""

    def must_be(self, role: Role, what: str) -> None:
        """Raises Denied, naming `what` they wanted to do, for somebody of a lower role."""
        if _RANKS[self.role] < _RANKS[role]:
            raise Denied(f"{what} needs the role {role}; yours is {self.role}", reason="ROLE_MISSING")

    def sees(self, owner: str) -> bool:
        """Whether the datasets of that tenant are there for them."""
        return self.role is Role.OPERATOR or self.tenant == owner


ANYONE = Principal(DEFAULT_TENANT, Role.OPERATOR, "anyone")
"""Everybody, where nobody is asked who they are."""


class Guard(Protocol):
    """Tells who calls."""

    async def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated for somebody unknown, Unavailable where that cannot be found out now."""
        ...


_caller: ContextVar[Principal] = ContextVar("moviellm_caller")


def caller() -> Principal:
    """Whom the present call acts for. Raises Unauthenticated outside of calls that a doorkeeper let in."""
    principal = _caller.get(None)
    if principal is None:
        raise Unauthenticated("nobody was identified for this call")
    return principal


def act_for(principal: Principal) -> None:
    """The present call, and the tasks it starts, act for them from now on."""
    _caller.set(principal)


def role_of(names: "list[str]") -> Role | None:
    """The highest role among the names; None where there is none. Other names mean nothing here."""
    return max((role for role in Role if role in names), key=_RANKS.__getitem__, default=None)


def is_tenant(text: object) -> bool:
    """Whether it can name a tenant."""
    return isinstance(text, str) and _TENANT.fullmatch(text) is not None


def bearer_of(metadata: Mapping[str, str]) -> str:
    """The bearer token in a call's metadata. Raises Unauthenticated where there is none."""
    scheme, _, token = str(metadata.get("authorization", "")).partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated('this server wants to know who calls: send the metadata "authorization: Bearer TOKEN"')
    return token.strip()
