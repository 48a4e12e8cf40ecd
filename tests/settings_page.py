"""Write docs/settings.md from the settings classes, or with --check say whether the page has drifted."""

import ast
import importlib
import inspect
import itertools
import json
import sys
import textwrap
from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from moviellm.settings import ServiceSettings, Settings, StoreSettings, variable_name

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
ROOMS = ("controller", "scripting", "inversion", "rendering", "qa", "export")

HEAD = """# Settings

Every service reads its settings from environment variables when it starts; a bad value stops it with one sentence and
exit code 2. Lists are JSON (`["a", "b"]`). This page is written from the code by `make docs`.
"""


def own_settings(room: str) -> type[ServiceSettings]:
    """The settings class of a room."""
    module = importlib.import_module(f"moviellm.{room}.settings")
    return next(
        value
        for value in vars(module).values()
        if inspect.isclass(value) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    )


def sentences(cls: type) -> dict[str, str]:
    """The sentence under each field, base classes first."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not (isinstance(base, type) and issubclass(base, Settings)):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0].body
        for field, below in itertools.pairwise(body):
            is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            if isinstance(field, ast.AnnAssign) and is_text:
                found[field.target.id] = " ".join(str(below.value.value).split())
    return found


def shown(default: object) -> str:
    """A default as it would be written in the environment."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is PydanticUndefined or default is None or default == "":
        return ""
    if isinstance(default, tuple):
        return f"`{json.dumps(default)}`"
    return f"`{default}`"


def table(cls: type[Settings]) -> str:
    """The class as a Markdown table; every field must have its sentence."""
    texts = sentences(cls)
    rows = [
        f"| `{variable_name(cls, (name,)) if info.validation_alias is None else info.validation_alias}` "
        f"| {shown(info.default)} | {texts[name]} |"
        for name, info in cls.model_fields.items()
    ]
    return "\n".join(["| variable | default | what it does |", "|---|---|---|", *rows])


def page() -> str:
    """The whole page."""
    parts = [HEAD, "## The artifact store (all services)\n", table(StoreSettings), ""]
    for room in ROOMS:
        parts += [f"## {room}\n", table(own_settings(room)), ""]
    return "\n".join(parts)


def main() -> None:
    """Write, or check."""
    text = page()
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif not PAGE.exists() or PAGE.read_text() != text:
        sys.exit("docs/settings.md has drifted from the settings classes; run `make docs`")


if __name__ == "__main__":
    main()
