"""JSON Web Tokens of an OpenID Connect provider, as bearer tokens.

The algorithm is the key's, never the token's choice: only signatures with a private key count, so neither "none" nor a
public key used as a secret gets through.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from moviellm.controller.tenancy.signing_keys import Key, SigningKeys
from moviellm.errors import Unauthenticated
from moviellm.security.identity import Principal, bearer_of, is_tenant, role_of

LEEWAY = 30.0
"""Seconds by which clocks may differ."""

LONGEST = 16 * 1024

_OF_KEYS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""Algorithms by a key's type and curve."""


@dataclass(frozen=True)
class Claims:
    """What a token must say, and the claims that name its tenant and roles ("realm_access.roles" goes deeper)."""

    issuer: str
    audience: str
    tenant: str
    roles: str


class SignedTokens:
    """Knows requesters by tokens that an identity provider signed."""

    def __init__(self, *, keys: SigningKeys, claims: Claims) -> None:
        self._keys = keys
        self._claims = claims

    async def identify(self, metadata: Mapping[str, str]) -> Principal:
        """Raises Unauthenticated, saying what is wrong with the token, and Unavailable while no key can be read."""
        token = bearer_of(metadata)
        if len(token) > LONGEST:
            raise Unauthenticated("the token is too long")
        try:
            header = jwt.get_unverified_header(token)
            key = await self._keys.find(str(header.get("kid", "")))
            said = self._verified(token, key, str(header.get("alg", "")))
        except jwt.ExpiredSignatureError as error:
            raise Unauthenticated("the token has expired; get a new one") from error
        except jwt.InvalidAudienceError as error:
            raise Unauthenticated("the token is for another audience than this server") from error
        except jwt.InvalidIssuerError as error:
            raise Unauthenticated("the token is of another issuer than this server trusts") from error
        except jwt.MissingRequiredClaimError as error:
            raise Unauthenticated(f"the token lacks the claim {error.claim}") from error
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise Unauthenticated("the token is not signed by the identity provider, or not valid yet") from error
        return self._principal(said)

    def _verified(self, token: str, key: Key, algorithm: str) -> dict[str, Any]:
        allowed = _algorithms(key)
        if algorithm not in allowed:
            raise Unauthenticated("the token is signed with an algorithm that does not fit the identity provider's key")
        said: dict[str, Any] = jwt.decode(
            token,
            key=jwt.PyJWK(key, algorithm=algorithm).key,
            algorithms=[algorithm],
            audience=self._claims.audience,
            issuer=self._claims.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iss", "aud"]},
        )
        return said

    def _principal(self, said: dict[str, Any]) -> Principal:
        tenant = _claim(said, self._claims.tenant)
        if not is_tenant(tenant):
            raise Unauthenticated(f"the token's claim {self._claims.tenant} names no tenant")
        roles = _claim(said, self._claims.roles)
        listed = roles if isinstance(roles, list) else []
        names = roles.split() if isinstance(roles, str) else [one for one in listed if isinstance(one, str)]
        role = role_of(names)
        if role is None:
            raise Unauthenticated(f"the token's claim {self._claims.roles} names no role: reader, writer or operator")
        return Principal(str(tenant), role, str(said.get("sub", ""))[:128])


def _algorithms(key: Key) -> tuple[str, ...]:
    kind = str(key.get("kty", ""))
    fitting = _OF_KEYS.get((kind, "" if kind == "RSA" else str(key.get("crv", ""))), ())
    return tuple(one for one in fitting if key.get("alg", one) == one)


def _claim(said: Any, path: str) -> Any:
    """The claim of that very name, or what a path with dots leads to."""
    if isinstance(said, dict) and path in said:
        return said[path]
    for part in path.split("."):
        said = said.get(part) if isinstance(said, dict) else None
    return said
