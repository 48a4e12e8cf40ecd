"""Whose a dataset is, and what it is called by whom.

Names belong to tenants: each may have its "duchess". In the store, and as a resource, a dataset of the tenant "films"
is "films--duchess"; the default tenant's is "duchess", as every dataset was before there were tenants. No name that is
asked for may hold "--", so nobody can take, or find out about, another tenant's.
"""

from moviellm.errors import InvalidInput
from moviellm.security.identity import DEFAULT_TENANT, Principal

MARK = "--"
LONGEST = 63


def longest_name(tenant: str) -> int:
    """Characters that a tenant's names may have."""
    return LONGEST if tenant == DEFAULT_TENANT else LONGEST - len(tenant) - len(MARK)


def identifier_of(tenant: str, name: str) -> str:
    """The id in the store of what the tenant calls `name`. Raises InvalidInput where both together are too long."""
    if len(name) > longest_name(tenant):
        raise InvalidInput("movie_dataset_id", f"must have at most {longest_name(tenant)} characters for {tenant}")
    if tenant == DEFAULT_TENANT:
        return name
    return f"{tenant}{MARK}{name}"


def owner_of(identifier: str) -> str:
    """The tenant that an id names."""
    tenant, mark, _ = identifier.partition(MARK)
    return tenant if mark else DEFAULT_TENANT


def candidates(principal: Principal, name: str) -> tuple[str, ...]:
    """The ids that somebody may mean by a name: their own tenant's first, then the whole id as it is."""
    own = () if principal.tenant == DEFAULT_TENANT else (f"{principal.tenant}{MARK}{name}",)
    return (*own, name)


def shown(principal: Principal, identifier: str, owner: str) -> str:
    """What somebody calls a dataset that they see."""
    own = f"{principal.tenant}{MARK}"
    return identifier.removeprefix(own) if owner == principal.tenant else identifier
