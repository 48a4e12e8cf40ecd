"""Reading frames: does the evidence show this answer to a question about a character?"""

import functools
import re
from collections.abc import Sequence

from moviellm.movie import Character, CharacterRole, Question
from moviellm.qa.script import Script, Shown
from moviellm.qa.verification.stems import share, stems, telling

_HELD = re.compile(r"\b(holding|reading|carrying|raising|lifting|opening) (an?|the) ")
_PART = telling("one main supporting character")


def sees(script: Script, question: Question, answer: str) -> bool:
    """Whether the frames of the evidence, or the cast for who is who, give this answer."""
    if question.category in ("identity", "occupation"):
        return _known(script, question, answer)
    if question.category in ("appearance", "clothing"):
        return _looks(script, question, answer)
    passage, rest = script.passage_of(question.question)
    about = [shown for shown in script.shown if passage.first <= shown.number <= passage.last]
    proof = [shown for shown in about if question.evidence.first <= shown.number <= question.evidence.last]
    if question.category == "presence":
        return bool(proof) and _all_seen(script, about) == _all_seen(script, proof) == set(
            names_in(answer, script.names)
        )
    people = set(names_in(question.question, script.names))
    if set(names_in(answer, script.names)) not in (set(), people):
        return False
    if question.category == "action":
        first = [shown for shown in about if shown.number == passage.first]
        return bool(first) and proof == first and _shows(script, first[0], people, answer, rest)
    doing = telling(rest.rpartition(" while ")[2]) - telling(" ".join(people))
    if question.category == "object":
        held = [shown for shown in about if people & _people(script, shown) and _HELD.search(shown.frame.description)]
        return bool(proof) and all(_shows(script, shown, None, answer, rest) for shown in (*held, *proof))
    matching = [
        shown for shown in about if doing <= stems(shown.frame.description) and _people(script, shown) == people
    ]
    return (
        bool(doing) and len(matching) == 1 and proof == matching and _shows(script, matching[0], people, answer, rest)
    )


@functools.lru_cache(maxsize=65536)
def names_in(text: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the names that stand in the text."""
    return tuple(name for name in names if name in text and re.search(rf"\b{re.escape(name)}\b", text))


def _people(script: Script, shown: Shown) -> set[str]:
    return set(names_in(shown.frame.description, script.names))


def _all_seen(script: Script, frames: Sequence[Shown]) -> set[str]:
    return {name for shown in frames for name in _people(script, shown)}


def _shows(script: Script, shown: Shown, people: set[str] | None, answer: str, rest: str) -> bool:
    """Whether the frame shows exactly these people (any for None) and all that the answer says beside the question."""
    said = telling(answer) - telling(rest) - telling("look looks hold holds")
    described = stems(shown.frame.description)
    return bool(said) and said <= described and (people is None or _people(script, shown) == people)


def _known(script: Script, question: Question, answer: str) -> bool:
    """Who somebody is, or who has that occupation, where the script introduces them."""
    told = [summary for summary in script.summaries if summary.span == question.evidence]
    cast = script.outline.characters
    if question.category == "occupation":
        asked = [
            person for person in cast if person.occupation and telling(person.occupation) <= stems(question.question)
        ]
        person = max(asked, key=lambda one: len(telling(one.occupation)), default=None)
        found = person is not None and names_in(answer, script.names) == (person.name,)
    else:
        asked = [person for person in cast if person.name in names_in(question.question, script.names)]
        person = asked[0] if len(asked) == 1 else None
        found = person is not None and _introduces(person, answer)
    movie = question.evidence == script.shape.movie_range()
    return found and person is not None and (movie or any(person.name in summary.text for summary in told))


def _introduces(person: Character, answer: str) -> bool:
    said = telling(answer) - telling(person.name)
    role = "supporting" if person.role is CharacterRole.SUPPORTING else "main"
    other = {"main": "supporting", "supporting": "main"}[role]
    work = telling(person.occupation)
    return bool(work) and work <= said and said - work <= _PART and stems(other).isdisjoint(said)


def _looks(script: Script, question: Question, answer: str) -> bool:
    cast = script.outline.characters
    named = [person for person in cast if person.name in names_in(question.question, script.names)]
    if not named:  # who wears this?
        worn = telling(question.question) - telling("who character wears wear which")
        named = [person for person in cast if worn <= stems(person.appearance)]
        said_by = names_in(answer, script.names)
        return len(named) == 1 and said_by == (named[0].name,) and _visible(script, named[0], question)
    person = named[0]
    said = telling(answer) - telling(question.question) - telling(person.name)
    look = stems(person.appearance)
    if "hair" in stems(question.question):
        right = any(re.search(rf"\b{word}\w* hair\b", person.appearance.lower()) for word in said - {"hair"})
    elif stems(question.question) & stems("wear wearing dressed"):
        clothes = telling(person.appearance.rpartition(" in ")[2])
        right = said - stems("wears") <= clothes <= said
    else:
        right = share(telling(person.appearance), said) >= 0.8
    return right and said - stems("wears hair has") <= look and _visible(script, person, question)


def _visible(script: Script, person: Character, question: Question) -> bool:
    frames = [shown for shown in script.shown if inside_number(shown.number, question)]
    return any(person.name in _people(script, shown) for shown in frames)


def inside_number(number: int, question: Question) -> bool:
    """Whether the frame belongs to the question's evidence."""
    return question.evidence.first <= number <= question.evidence.last
