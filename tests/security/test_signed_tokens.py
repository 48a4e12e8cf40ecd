"""JSON Web Tokens: the right ones get in, and the known ways around them do not."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import jwt
import pytest
from authority import IdentityProvider
from cryptography.hazmat.primitives.asymmetric import ec

from moviellm import errors
from moviellm.controller.tenancy import signing_keys
from moviellm.controller.tenancy.pyjwt_tokens import Claims, SignedTokens
from moviellm.controller.tenancy.signing_keys import FetchedKeys, FiledKeys
from moviellm.security.identity import Principal, Role

CLAIMS = Claims(IdentityProvider.issuer, IdentityProvider.audience, "tenant", "roles")


@pytest.fixture(scope="module")
def provider():
    return IdentityProvider()


@pytest.fixture
def tokens(provider, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(provider.keys))
    return SignedTokens(keys=FiledKeys(str(tmp_path / "keys.json")), claims=CLAIMS)


async def identify(tokens, token):
    return await tokens.identify({"authorization": f"Bearer {token}"})


async def test_a_good_token_names_tenant_and_role(tokens, provider):
    assert await identify(tokens, provider.token()) == Principal("films", Role.WRITER, "someone")
    both = provider.token(roles="openid reader operator", tenant="toons")
    assert await identify(tokens, both) == Principal("toons", Role.OPERATOR, "someone")


async def test_claims_may_lie_deeper(provider, tmp_path):
    (tmp_path / "keys.json").write_text(json.dumps(provider.keys))
    claims = Claims(CLAIMS.issuer, CLAIMS.audience, "https://example.org/tenant", "realm_access.roles")
    tokens = SignedTokens(keys=FiledKeys(str(tmp_path / "keys.json")), claims=claims)
    told = {"https://example.org/tenant": "toons", "realm_access": {"roles": ["other", "reader"]}}
    assert await identify(tokens, provider.token(**told)) == Principal("toons", Role.READER, "someone")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"exp": time.time() - 3600}, "expired"),
        ({"exp": None}, "lacks the claim exp"),
        ({"nbf": time.time() + 3600}, "not valid yet"),
        ({"aud": "another"}, "another audience"),
        ({"aud": None}, "lacks the claim aud"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"iss": None}, "lacks the claim iss"),
        ({"tenant": None}, "claim tenant"),
        ({"tenant": "films--duchess"}, "claim tenant"),
        ({"tenant": "../toons"}, "claim tenant"),
        ({"tenant": ["films"]}, "claim tenant"),
        ({"roles": None}, "claim roles"),
        ({"roles": ["admin"]}, "claim roles"),
        ({"roles": 7}, "claim roles"),
        ({"roles": [{"writer": True}]}, "claim roles"),
    ],
    ids=str,
)
async def test_a_token_that_says_the_wrong_thing_is_refused(tokens, provider, changed, told):
    with pytest.raises(errors.Unauthenticated, match=told):
        await identify(tokens, provider.token(**changed))


def unsigned(provider):
    return jwt.encode(provider.claims(), None, algorithm="none", headers={"kid": provider.kid})


def public_key_as_secret(provider):
    """RS256 turned into HS256: signed with what everybody knows."""

    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    signed = part({"alg": "HS256", "typ": "JWT", "kid": provider.kid}) + b"." + part(provider.claims())
    mark = hmac.new(provider.public_pem, signed, hashlib.sha256).digest()
    return (signed + b"." + base64.urlsafe_b64encode(mark).rstrip(b"=")).decode()


def another_key(provider):
    return IdentityProvider(provider.kid).token()


def another_algorithm(provider):
    return provider.token(algorithm="RS512")


def elliptic_under_the_name_of_the_other(provider):
    return provider.token(algorithm="ES256", key=ec.generate_private_key(ec.SECP256R1()))


def a_key_of_its_own(provider):
    """The header brings the key along."""
    other = IdentityProvider(provider.kid)
    headers = {"kid": provider.kid, "jwk": other.jwk, "jku": "https://evil.example/keys", "x5c": ["x"]}
    return jwt.encode(provider.claims(), other.key, algorithm="RS256", headers=headers)


def an_unknown_key(provider):
    return provider.token(kid="another")


def changed_afterwards(provider):
    head, _, mark = provider.token().split(".")
    body = base64.urlsafe_b64encode(json.dumps(provider.claims(tenant="toons")).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{mark}"


def without_its_mark(provider):
    return provider.token().rpartition(".")[0] + "."


def no_token(provider):
    return "a.b.c"


def far_too_long(provider):
    return provider.token(name="x" * 20_000)


@pytest.mark.parametrize(
    "forged",
    [
        unsigned,
        public_key_as_secret,
        another_key,
        another_algorithm,
        elliptic_under_the_name_of_the_other,
        a_key_of_its_own,
        an_unknown_key,
        changed_afterwards,
        without_its_mark,
        no_token,
        far_too_long,
    ],
)
async def test_forged_tokens_are_refused(tokens, provider, forged):
    token = forged(provider)
    with pytest.raises(errors.Unauthenticated) as caught:
        await identify(tokens, token)
    assert token not in caught.value.message


async def test_a_secret_in_the_key_set_signs_nothing(provider, tmp_path):
    secret = base64.urlsafe_b64encode(b"s" * 32).decode()
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [{"kty": "oct", "k": secret, "kid": "one"}]}))
    tokens = SignedTokens(keys=FiledKeys(str(tmp_path / "keys.json")), claims=CLAIMS)
    with pytest.raises(errors.Unauthenticated, match="algorithm"):
        await identify(tokens, provider.token(algorithm="HS256", key=b"s" * 32))


async def test_keys_in_a_file_may_change(tokens, provider, tmp_path):
    other = IdentityProvider("two")
    (tmp_path / "keys.json").write_text(json.dumps(other.keys))
    assert (await identify(tokens, other.token())).tenant == "films"
    with pytest.raises(errors.Unauthenticated):
        await identify(tokens, provider.token())


class KeyServer:
    """Serves a key set over HTTP on this machine; counts the questions; answers 500 without one."""

    def __init__(self):
        self.keys = None
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                self.send_response(200 if outer.keys else 500)
                self.end_headers()
                self.wfile.write(json.dumps(outer.keys or {}).encode())

            def log_message(self, *arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/keys"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def key_server():
    server = KeyServer()
    yield server
    server.close()


async def test_keys_are_fetched_once_and_again_when_a_new_one_signs(key_server, provider):
    now = [0.0]
    tokens = SignedTokens(keys=FetchedKeys(key_server.url, clock=lambda: now[0]), claims=CLAIMS)
    key_server.keys = provider.keys
    await asyncio.gather(*(identify(tokens, provider.token()) for _ in range(5)))
    assert key_server.asked == 1
    other = IdentityProvider("two")
    for _ in range(5):  # tokens with made-up key ids must not become questions to the provider
        with pytest.raises(errors.Unauthenticated):
            await identify(tokens, other.token())
    assert key_server.asked == 1
    key_server.keys = {"keys": [*provider.keys["keys"], other.jwk]}
    now[0] += signing_keys.AGAIN_AFTER + 1
    assert (await identify(tokens, other.token())).tenant == "films"
    assert key_server.asked == 2


async def test_a_provider_that_is_down_is_temporary_at_first_and_unnoticed_later(key_server, provider):
    now = [0.0]
    tokens = SignedTokens(keys=FetchedKeys(key_server.url, clock=lambda: now[0]), claims=CLAIMS)
    with pytest.raises(errors.Unavailable) as caught:
        await identify(tokens, provider.token())
    assert caught.value.reason == "IDENTITY_PROVIDER_UNREACHABLE"
    key_server.keys = provider.keys
    now[0] += 5
    await identify(tokens, provider.token())
    key_server.keys = None
    now[0] += signing_keys.OLD_AFTER + 1
    await identify(tokens, provider.token())


async def test_keys_are_not_taken_from_an_address_in_the_clear():
    with pytest.raises(ValueError, match="https"):
        signing_keys.fetched("http://id.example/keys")
    with pytest.raises(ValueError, match="https"):
        signing_keys.fetched("file:///etc/passwd")
