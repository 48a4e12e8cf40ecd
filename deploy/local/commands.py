"""Running the programs that these scripts drive: shown when they act, silent when they are asked something."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Words = Sequence[str | Path]


class Failed(Exception):
    """A program ended with an exit code other than 0; the message has its command and its last words."""


def run(words: Words, *, cwd: Path | None = None, environ: Mapping[str, str] | None = None, text: str = "") -> None:
    """Run a program that acts; what it writes goes to the terminal. Raises Failed."""
    done = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=os.environ | (environ or {}),
        input=text or None,
        text=True,
        check=False,
    )
    if done.returncode:
        raise Failed(f"exit code {done.returncode} from: {shown(words)}")


def answer(words: Words, *, environ: Mapping[str, str] | None = None) -> str:
    """What a program writes that is asked something. Raises Failed with its complaint."""
    done = subprocess.run(
        [str(word) for word in words], env=os.environ | (environ or {}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failed(f"exit code {done.returncode} from: {shown(words)}\n{done.stderr.strip()}")
    return done.stdout


def shown(words: Words) -> str:
    """A command as one would type it."""
    return shlex.join(str(word) for word in words)
