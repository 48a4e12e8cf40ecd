"""How much a tenant may have under way at once: datasets, their frames, their language model tokens.

Counted is what is not in a final state. Of tokens a dataset counts its own limit (`max_llm_tokens`), its estimate where
it has none, and what it has used once that is more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from moviellm.dataset import Estimate, MovieDatasetSpec
from moviellm.errors import Exhausted

EVERYBODY = "*"
"""The name under which the quota of tenants without one of their own is set."""

RETRY_AFTER = 30.0


class Quota(BaseModel):
    """The most that one tenant may have under way; 0 for no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    datasets: int = Field(default=0, ge=0)
    frames: int = Field(default=0, ge=0)
    llm_tokens: int = Field(default=0, ge=0)


NO_QUOTA = Quota()


@dataclass(frozen=True)
class Need:
    """What one dataset takes, or several together."""

    datasets: int = 0
    frames: int = 0
    llm_tokens: int = 0

    def __add__(self, other: "Need") -> "Need":
        return Need(self.datasets + other.datasets, self.frames + other.frames, self.llm_tokens + other.llm_tokens)


class UnderWay(Protocol):
    """A dataset as quotas see it."""

    @property
    def owner(self) -> str:
        """Its tenant."""
        ...

    @property
    def need(self) -> Need:
        """What it takes; nothing once it is in a final state."""
        ...


def need_of(spec: MovieDatasetSpec, estimate: Estimate | None, used: int = 0) -> Need:
    """What a dataset takes that has `used` so many tokens already."""
    tokens = spec.max_llm_tokens or (estimate.llm_tokens if estimate else 0)
    return Need(1, spec.movies * spec.shape.total_frames, max(tokens, used))


class Quotas:
    """The quotas of a deployment by tenant; "*" is for those that have none of their own."""

    def __init__(self, by_tenant: Mapping[str, Quota] | None = None) -> None:
        self._by_tenant = by_tenant or {}

    def of(self, tenant: str) -> Quota:
        """The quota of a tenant."""
        return self._by_tenant.get(tenant, self._by_tenant.get(EVERYBODY, NO_QUOTA))

    def check(self, tenant: str, asked: Need, datasets: Iterable[UnderWay]) -> None:
        """Raises Exhausted, naming quota, used and asked, where the tenant would have too much under way."""
        quota = self.of(tenant)
        if quota == NO_QUOTA:
            return
        used = sum((one.need for one in datasets if one.owner == tenant), Need())
        for name, what in (("datasets", "datasets"), ("frames", "frames"), ("llm_tokens", "language model tokens")):
            self._check_one(tenant, what, getattr(quota, name), getattr(used, name), getattr(asked, name))

    @staticmethod
    def _check_one(tenant: str, what: str, most: int, used: int, asked: int) -> None:
        if not most or used + asked <= most:
            return
        told = f"the tenant {tenant} may have {most:,} {what} under way; {used:,} are, and this asks for {asked:,}"
        if asked > most:
            raise Exhausted(f"{told}: ask for less, or for a higher quota", reason="QUOTA_TOO_SMALL")
        raise Exhausted(
            f"{told}: wait until a dataset ends, or cancel one", reason="QUOTA_EXCEEDED", retry_after=RETRY_AFTER
        )


NO_QUOTAS = Quotas()
"""Everybody may have as much as they like."""
