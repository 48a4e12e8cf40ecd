"""Write the table of rules into docs/plots.md."""

import re
from pathlib import Path

from moviellm.scripting.checker.rules import RULES

PAGE = Path(__file__).parent.parent / "docs" / "plots.md"
_TABLE = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- /rules -->)", re.DOTALL)


def table() -> str:
    """The rules as a Markdown table, in the order in which they are checked."""
    rows = [f"| `{rule.name}` | {rule.level} | {rule.sentence} | {rule.source} |" for rule in RULES]
    return "\n".join(["| rule | of | what it demands | whose |", "|---|---|---|---|", *rows, ""])


def page(text: str) -> str:
    """The page with the table as it is now."""
    return _TABLE.sub(lambda _: table(), text)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
