"""Making a token for somebody."""

import json
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from moviellm.security.identity import Role
from moviellm.security.tokens import checked_tenant, digest_of

BYTES = 32


def _tenant(text: str) -> str:
    try:
        return checked_tenant(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def token(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where the new token goes; must not exist.")],
    tenant: Annotated[str, typer.Option(callback=_tenant, help="Whose it is.")],
    role: Annotated[Role, typer.Option(help="What it may do.")] = Role.WRITER,
    name: Annotated[str, typer.Option(help="What it is called in logs.")] = "",
) -> None:
    """Make a token: the token goes into FILE, its entry for the server's tokens file to the screen.

    The server keeps the token's SHA-256 only. The file is for whoever is to have the token, and for nobody else.

    [bold]Example[/]

      moviellm token ci.token --tenant films --role writer --name ci
    """
    made = secrets.token_urlsafe(BYTES)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(made + "\n")
    print(json.dumps({"sha256": digest_of(made), "tenant": tenant, "role": role.value, "name": name}))
