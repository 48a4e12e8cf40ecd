"""Bearer tokens from files: of requesters, known by their digests, and the one that moviellm's own parts share."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from moviellm.errors import Unauthenticated
from moviellm.security.fresh_files import FreshFiles
from moviellm.security.identity import ANYONE, Principal, Role, bearer_of, is_tenant

UNKNOWN = "the token is not known to this server"
LEAST = 16
"""Characters of the shortest token that is taken."""


def checked_tenant(text: str) -> str:
    """The name of a tenant; ValueError for what cannot be one."""
    if not is_tenant(text):
        raise ValueError(
            'must have 1 to 40 lower-case letters, digits and single "-", begin with a letter and not end with "-"'
        )
    return text


class Entry(BaseModel):
    """One token of a tokens file: its SHA-256 in hexadecimal, whose it is, and what they may do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    tenant: Annotated[str, AfterValidator(checked_tenant)]
    role: Role
    name: str = ""


class TokensFile(BaseModel):
    """A tokens file: {"tokens": [{"sha256": "…", "tenant": "films", "role": "writer", "name": "ci"}]}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: tuple[Entry, ...]


def digest_of(token: str) -> str:
    """The SHA-256 of a token, as a tokens file holds it."""
    return hashlib.sha256(token.encode()).hexdigest()


def read_tokens(path: str) -> dict[str, Principal]:
    """Principals by the digest of their token. Raises OSError, or ValueError saying what is wrong without a value."""
    try:
        file = TokensFile.model_validate_json(Path(path).read_bytes())
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{path}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None
    return {entry.sha256: Principal(entry.tenant, entry.role, entry.name) for entry in file.tokens}


class StaticTokens:
    """Knows requesters by a tokens file, which may change while the server runs."""

    def __init__(self, path: str) -> None:
        self._principals = FreshFiles([path], lambda: read_tokens(path))

    async def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated for a token that is not in the file."""
        principal = self._principals.value().get(digest_of(bearer_of(metadata)))
        if principal is None:
            raise Unauthenticated(UNKNOWN)
        return principal


def read_service_tokens(path: str) -> tuple[str, ...]:
    """The tokens of a file, one a line. Raises OSError, or ValueError for a file without a usable one."""
    tokens = tuple(line.strip() for line in Path(path).read_text().splitlines() if line.strip())
    if not tokens or any(len(token) < LEAST or not token.isascii() or not token.isprintable() for token in tokens):
        raise ValueError(f"{path} must hold a token a line, each of {LEAST} or more printable characters")
    return tokens


class ServiceToken:
    """The token of moviellm's own parts: callers must send one of the file's, and are sent its first.

    Two lines let it be changed without a gap: first the new one below the old, then above, then alone.
    """

    def __init__(self, path: str) -> None:
        self._tokens = FreshFiles([path], lambda: read_service_tokens(path))

    def to_send(self) -> str:
        """The token to call others with."""
        return self._tokens.value()[0]

    async def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated for another token."""
        sent = bearer_of(metadata).encode()
        if not any([hmac.compare_digest(sent, token.encode()) for token in self._tokens.value()]):
            raise Unauthenticated(UNKNOWN)
        return ANYONE
