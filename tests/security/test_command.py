"""The command against a server that wants TLS and a token."""

import json
import stat
from pathlib import Path

import pytest
from authority import Authority
from fake_stages import FakeStages
from guarded import write_tokens
from small_controller import Controller

from moviellm import rpc
from moviellm.artifacts import ArtifactStore
from moviellm.cli.commands import run_command, server_first
from moviellm.cli.connection import Server, connect
from moviellm.cli.credentials import peer_of
from moviellm.controller.tenancy.rights import ROLES
from moviellm.errors import Unsatisfied
from moviellm.security.pem import PairFiles
from moviellm.security.secured_channel import Peer
from moviellm.security.tokens import StaticTokens, digest_of
from moviellm.settings import StoreSettings

TOKEN = "t" * 40
AWAY = "moviellm.example:8600"


@pytest.fixture
def token_file(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    return str(tmp_path / "token")


def told(capfd):
    out, err = capfd.readouterr()
    return out + err


async def test_a_client_reaches_a_server_by_tls_with_its_token(tmp_path, token_file):
    authority = Authority(tmp_path, "ours")
    tokens = StaticTokens(write_tokens(tmp_path / "tokens.json", (TOKEN, "films", "reader")))
    security = rpc.Security(files=authority.issue("server"), guard=tokens, roles=ROLES)
    store = ArtifactStore.open(StoreSettings(url=f"file://{tmp_path / 'store'}"))
    controller = await Controller(store, FakeStages(store), security=security).start()
    options = {"tls_ca": authority.file, "token_file": Path(token_file)}
    peer = peer_of(options, f"127.0.0.1:{controller.server.port}")
    async with connect(Server.reached(f"127.0.0.1:{controller.server.port}", peer)) as client:
        assert [dataset async for dataset in client.datasets()] == []
    await controller.stop()


def test_a_token_is_not_sent_in_the_clear_beyond_this_machine(token_file, capfd, monkeypatch):
    assert run_command(["list", "--server", AWAY, "--token-file", token_file]) == 1
    assert "your token would be sent to moviellm.example:8600 in the clear" in told(capfd)
    monkeypatch.setenv("MOVIELLM_TOKEN", TOKEN)
    assert run_command(["list", "--server", AWAY]) == 1
    said = told(capfd)
    assert "in the clear" in said
    assert TOKEN not in said


def test_a_token_is_never_shown(tmp_path, capfd, monkeypatch):
    for text in ("", "two words", "ümlaut"):
        (tmp_path / "token").write_text(text)
        assert run_command(["list", "--server", "127.0.0.1:1", "--token-file", str(tmp_path / "token")]) == 1
        said = told(capfd)
        assert "holds no token" in said
        assert not text or text not in said


def test_options_of_security_may_stand_behind_the_command():
    given = ["get", "demo", "--tls-ca", "ca.pem", "--tls", "--token-file=t", "--json"]
    assert server_first(given) == ["--tls-ca", "ca.pem", "--tls", "--token-file=t", "get", "demo", "--json"]


def test_a_token_is_made_into_a_file_of_its_own(tmp_path, capfd):
    file = tmp_path / "new"
    assert run_command(["token", str(file), "--tenant", "films", "--role", "reader", "--name", "ci"]) == 0
    entry = json.loads(capfd.readouterr().out)
    made = file.read_text().strip()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert entry == {"sha256": digest_of(made), "tenant": "films", "role": "reader", "name": "ci"}
    assert made not in json.dumps(entry)
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [entry]}))
    StaticTokens(str(tmp_path / "tokens.json"))
    assert run_command(["token", str(file), "--tenant", "films"]) == 1
    assert file.read_text().strip() == made
    assert run_command(["token", str(tmp_path / "other"), "--tenant", "Films"]) == 2


def test_certificates_that_are_no_good_are_one_sentence(tmp_path):
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(Unsatisfied, match="no good"):
        rpc.channel(AWAY, Peer(tls=True, files=PairFiles(authority=str(tmp_path / "ca.pem"))))
