"""How the command proves who it is to a server, and how the server to it: the options of all commands."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from moviellm import errors
from moviellm.security.addresses import is_loopback
from moviellm.security.pem import PairFiles
from moviellm.security.secured_channel import Peer

TOKEN_VARIABLE = "MOVIELLM_TOKEN"  # noqa: S105
"""The token itself, where there is no file; from the environment only, so that no list of processes shows it."""

WITH_VALUE = ("--server", "--tls-ca", "--tls-cert", "--tls-key", "--tls-server-name", "--token-file")
"""Options of the command itself, which people also write behind the name of a command."""

WITHOUT_VALUE = ("--tls", "--plaintext")

_PANEL = "Security"


def _file(name: str, help_text: str) -> Any:
    return typer.Option(
        envvar=f"MOVIELLM_{name}",
        exists=True,
        dir_okay=False,
        help=help_text,
        rich_help_panel=_PANEL,
        show_default=False,
    )


Tls = Annotated[
    bool,
    typer.Option(
        "--tls", envvar="MOVIELLM_TLS", help="Speak TLS, trusting this machine's authorities.", rich_help_panel=_PANEL
    ),
]
TlsCa = Annotated[Path | None, _file("TLS_CA", "Speak TLS, trusting the authorities in this file (PEM).")]
TlsCert = Annotated[Path | None, _file("TLS_CERT", "The certificate to show the server (PEM).")]
TlsKey = Annotated[Path | None, _file("TLS_KEY", "The key of that certificate (PEM).")]
TlsServerName = Annotated[
    str,
    typer.Option(
        envvar="MOVIELLM_TLS_SERVER_NAME",
        help="The name that the server's certificate is for. (default: the host of --server)",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
TokenFile = Annotated[
    Path | None, _file("TOKEN_FILE", "The file with your token; MOVIELLM_TOKEN in the environment holds one itself.")
]
Plaintext = Annotated[
    bool,
    typer.Option(
        "--plaintext",
        envvar="MOVIELLM_PLAINTEXT",
        help="Send the token without TLS, where something else guards the way.",
        rich_help_panel=_PANEL,
    ),
]


def peer_of(params: dict[str, Any], address: str) -> Peer:
    """What the options say. Raises Unsatisfied where a token would go over a network in the clear."""
    files = PairFiles(*(str(params.get(name) or "") for name in ("tls_cert", "tls_key", "tls_ca")))
    tls = bool(params.get("tls") or files.paths)
    token = _token_of(params.get("token_file"))
    if token and not tls and not params.get("plaintext") and not is_loopback(address):
        raise errors.Unsatisfied(
            f"your token would be sent to {address} in the clear: add --tls or --tls-ca FILE, or --plaintext where "
            "something else guards the way"
        )
    return Peer(tls=tls, files=files, server_name=str(params.get("tls_server_name") or ""), token=token)


def _token_of(path: Path | None) -> Callable[[], str] | None:
    """Reads the token anew for each call, since such files are renewed."""
    if path is not None:
        return lambda: checked_token(path.read_text(), str(path))
    if os.environ.get(TOKEN_VARIABLE):
        return lambda: checked_token(os.environ[TOKEN_VARIABLE], TOKEN_VARIABLE)
    return None


def checked_token(text: str, source: str) -> str:
    """The token in a text. Raises Unsatisfied, without showing it, for what can be none."""
    token = text.strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise errors.Unsatisfied(f"{source} holds no token: one word of printable characters")
    return token
