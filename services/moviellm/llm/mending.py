"""JSON objects out of what a language model wrote, which is seldom the object alone and, of a small one, half broken.

Everything here is a proposal: whoever asked reads it strictly and decides.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import json_repair

from moviellm.llm.fitting import fitted, without_braces
from moviellm.llm.reply import Unusable
from moviellm.llm.truncation import completions

_FENCE = "```"
_OPEN_FENCE = re.compile(r"```\w*\s*(?=[{\[])")
_BARE_PLACEHOLDER = re.compile(r'(?<=[:\[,])(\s*)(\{[^{}":,\n]{1,80}\})(?=\s*[,}\]])')
_LONGEST_MENDED = 40_000  # some ten times a scene; mending takes longer than linear time
_DEEPEST = 64
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(r"[\[\]{}]")
_NO_OBJECT = "it is not one JSON object"


@dataclass(frozen=True)
class Found:
    """An object that the text may mean; `flaw` says what had to be mended, empty for one that stands there."""

    value: dict[str, Any]
    flaw: str = ""


def objects_in(text: str, schema: Mapping[str, Any]) -> Iterator[Found]:
    """The objects that the text may mean, the likeliest first: as it stands, fitted to the schema, mended.

    Raises Unusable, saying what is wrong, where there is none at all or a text in it is a placeholder.
    """
    found, flaw = strict(text)
    if isinstance(found, dict):
        value = without_braces(found, schema)
        yield Found(value)
        if (adapted := fitted(value, schema)) not in (None, value):
            yield Found(adapted or {})
        return
    proposals = [found] if found is not None else _mended(text)
    nothing = True
    for proposal in proposals:
        adapted = fitted(without_braces(proposal, schema), schema)
        if adapted:
            nothing = False
            yield Found(adapted, flaw)
    if nothing:
        raise Unusable(flaw)


def strict(text: str) -> tuple[object, str]:
    """The value in the text with thoughts before it, a code fence or words around it; None and the reason without."""
    wrong = _NO_OBJECT
    for candidate in _candidates(text):
        if _too_deep(candidate):
            wrong = "it is nested too deeply"
            continue
        try:
            value: object = json.loads(candidate)
            json.dumps(value, ensure_ascii=False).encode()
        except json.JSONDecodeError as error:
            wrong = f"it is not valid JSON: {error.msg.removesuffix(' starting at')} at character {error.pos}"
        except UnicodeEncodeError:
            wrong = "it holds half of a surrogate pair, which is no character"
        except ValueError:
            wrong = "it holds a number of thousands of digits"
        except RecursionError:
            wrong = "it is nested too deeply"
        else:
            return (value, _NO_OBJECT) if isinstance(value, dict | list) else (None, _NO_OBJECT)
    return None, wrong if "{" in without_thoughts(text) else _NO_OBJECT


def _too_deep(text: str) -> bool:
    """Whether brackets lie in each other further than any schema of ours goes, whatever Python's own limit is."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_QUOTED.sub("", text)):
        depth += 1 if bracket in "{[" else -1
        deepest = max(deepest, depth)
    return deepest > _DEEPEST


def without_thoughts(text: str) -> str:
    """The text after the model's thinking aloud, for models that close it with </think>."""
    return text.rsplit("</think>", 1)[-1].strip()


def _candidates(text: str) -> Iterator[str]:
    """From the text as it is to the widest part of it that could be an object."""
    if text.lstrip().startswith("{"):
        yield text
    said = without_thoughts(text)
    yield said
    fence = _OPEN_FENCE.search(said)
    if fence and (end := said.rfind(_FENCE)) > fence.end():
        yield said[fence.end() : end]
    start, end = said.find("{"), said.rfind("}")
    if 0 <= start < end:
        yield said[start : end + 1]


def _mended(text: str) -> Iterator[object]:
    """What the text may have been before it was broken."""
    said = _OPEN_FENCE.sub("", without_thoughts(text)).strip().removesuffix(_FENCE)
    starts = [place for place in (said.find("{"), said.find("[")) if place >= 0]
    if not starts or len(said) > _LONGEST_MENDED or _too_deep(said):
        return
    body = _BARE_PLACEHOLDER.sub(r'\1"\2"', said[min(starts) :])
    for whole in completions(body):
        value = _loaded(whole)
        if isinstance(value, dict | list):
            yield value


def _loaded(text: str) -> object:
    """The value of half-broken JSON, None where nothing can be made of it or it is no text that can be sent."""
    try:
        value = json_repair.loads(text)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return None
    return value
