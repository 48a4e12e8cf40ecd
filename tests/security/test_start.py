"""What a service says to its settings before it starts: nothing may be open by mistake."""

import json
import os
import subprocess
import sys

import pytest
from authority import Authority
from guarded import write_tokens

ROOMS = ("controller", "scripting", "inversion", "rendering", "qa", "export")

LOAD = """
import importlib, sys
module = importlib.import_module(f"moviellm.{sys.argv[1]}.settings")
name = {"qa": "QaSettings"}.get(sys.argv[1], f"{sys.argv[1].capitalize()}Settings")
getattr(module, name).load()
"""


def started(room, **settings):
    """What loading the room's settings says, and the exit code; as the first thing that `python -m` does."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MOVIELLM_")}
    environ |= {f"MOVIELLM_{room.upper()}_{name}": value for name, value in settings.items()}
    done = subprocess.run([sys.executable, "-c", LOAD, room], env=environ, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr.strip()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    authority = Authority(folder, "ours")
    pair = authority.issue("server")
    (folder / "shared").write_text("s" * 32)
    return {
        "TLS_CERT_FILE": pair.certificate,
        "TLS_KEY_FILE": pair.key,
        "TLS_CLIENT_CA_FILE": authority.file,
        "SERVICE_TOKEN_FILE": str(folder / "shared"),
        "TOKENS_FILE": write_tokens(folder / "tokens.json", ("t", "films", "writer")),
        "SERVICES_CA_FILE": authority.file,
    }


def chosen(files, *names):
    return {name: files[name] for name in names}


TLS = ("TLS_CERT_FILE", "TLS_KEY_FILE")


@pytest.mark.parametrize("room", ROOMS)
def test_a_service_does_not_listen_to_the_world_unguarded(room):
    code, said = started(room, LISTEN="0.0.0.0:8699")
    prefix = f"MOVIELLM_{room.upper()}"
    assert code == 2
    assert said.count("\n") == 0
    assert said.startswith(
        f"{prefix}_LISTEN=0.0.0.0:8699 can be reached from other machines: set {prefix}_TLS_CERT_FILE"
    )
    assert f"{prefix}_INSECURE=true" in said


def test_a_service_listens_to_the_world_with_tls_and_callers_it_knows(files):
    world = {"LISTEN": "[::]:8699"}
    assert started("qa", **world, **chosen(files, *TLS))[0] == 2
    assert started("qa", **world, **chosen(files, "SERVICE_TOKEN_FILE"))[0] == 2
    assert started("qa", **world, **chosen(files, *TLS, "SERVICE_TOKEN_FILE")) == (0, "")
    assert started("qa", **world, **chosen(files, *TLS, "TLS_CLIENT_CA_FILE")) == (0, "")
    assert started("qa", **world, INSECURE="true") == (0, "")
    assert started("controller", **world, **chosen(files, *TLS, "SERVICE_TOKEN_FILE"))[0] == 2
    assert started("controller", **world, **chosen(files, *TLS, "TOKENS_FILE")) == (0, "")


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:8699", "[::1]:8699", "127.8.8.8:1"])
def test_on_this_machine_nothing_is_needed(listen):
    assert started("qa", LISTEN=listen) == (0, "")


def test_what_cannot_be_used_is_said_with_its_variable(files, tmp_path):
    (tmp_path / "short").write_text("short")
    (tmp_path / "broken").write_text(json.dumps({"tokens": [{"sha256": "very secret"}]}))
    for settings, said in (
        ({"TLS_CERT_FILE": files["TLS_CERT_FILE"]}, "MOVIELLM_QA_TLS_CERT_FILE: a certificate and its key go together"),
        (
            {"TLS_CERT_FILE": "/no/such", "TLS_KEY_FILE": "/no/such"},
            "MOVIELLM_QA_TLS_CERT_FILE: /no/such: No such file",
        ),
        ({"TLS_CLIENT_CA_FILE": files["TLS_CLIENT_CA_FILE"]}, "MOVIELLM_QA_TLS_CLIENT_CA_FILE needs"),
        ({"SERVICE_TOKEN_FILE": str(tmp_path / "short")}, "MOVIELLM_QA_SERVICE_TOKEN_FILE: "),
    ):
        code, told = started("qa", **settings)
        assert (code, told.startswith(said)) == (2, True), told
    code, said = started("controller", TOKENS_FILE=str(tmp_path / "broken"))
    assert code == 2
    assert said.startswith("MOVIELLM_CONTROLLER_TOKENS_FILE: ")
    assert "very secret" not in said
    code, said = started("controller", OIDC_ISSUER="https://id.example")
    assert (code, "MOVIELLM_CONTROLLER_OIDC_AUDIENCE" in said) == (2, True)


def test_the_controller_does_not_send_its_token_in_the_clear(files):
    away = {"QA": "qa.films:8604", **chosen(files, "SERVICE_TOKEN_FILE")}
    code, said = started("controller", **away)
    assert code == 2
    assert "MOVIELLM_CONTROLLER_SERVICE_TOKEN_FILE would be sent to qa in the clear" in said
    assert started("controller", **away, **chosen(files, "SERVICES_CA_FILE")) == (0, "")
    assert started("controller", **away, INSECURE="true") == (0, "")
    assert started("controller", **away, **chosen(files, "SERVICES_CA_FILE"), SERVICES_IN_THE_CLEAR='["qa"]')[0] == 2
