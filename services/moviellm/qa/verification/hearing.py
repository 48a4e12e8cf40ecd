"""Reading dialogue: does the evidence let somebody hear this answer?"""

import re
from collections.abc import Sequence

from moviellm.movie import Question
from moviellm.qa.asking import words
from moviellm.qa.script import Said, Script
from moviellm.qa.verification.seeing import names_in
from moviellm.qa.verification.stems import stems, telling

_QUOTE = re.compile(r'"([^"]*)"')
_WORDING = telling("what says say while words does which scene chapter")


def hears(script: Script, question: Question, answer: str) -> bool:
    """Whether the lines of the evidence give this answer to a question about dialogue."""
    passage, _ = script.passage_of(question.question)
    spoken = [said for said in script.said if passage.first <= said.number <= passage.last]
    heard = [said for said in spoken if question.evidence.first <= said.number <= question.evidence.last]
    if question.category == "line":
        return _line(script, question, answer, spoken, heard)
    quotes = {words(quote) for quote in quotations(question.question)}
    lines = [said for said in spoken if words(said.line.text) in quotes]
    if len(lines) != 1 or lines[0] not in heard:
        return False
    speaker = lines[0].line.speaker
    others = _present(script, passage.first, passage.last) - {speaker}
    if question.category == "listener":
        return len(others) == 1 and _says(answer, f"{speaker} says it to {next(iter(others))}", *others)
    to_whom = [f"{speaker} says it to {other}" for other in others if len(others) == 1]
    return _says(answer, f"{speaker} says it", speaker, *to_whom)


def _says(answer: str, *right: str) -> bool:
    return words(answer) in map(words, right)


def quotations(text: str) -> list[str]:
    """What stands between quotation marks, titles of chapters too."""
    return _QUOTE.findall(text)


def _line(script: Script, question: Question, answer: str, spoken: Sequence[Said], heard: Sequence[Said]) -> bool:
    quoted = quotations(answer)
    text = words(quoted[0] if quoted else answer)
    matching = [said for said in spoken if words(said.line.text) == text]
    if len(matching) != 1 or matching[0] not in heard:
        return False
    line = matching[0]
    outside = _QUOTE.sub(" ", question.question)
    spoken_by = names_in(_QUOTE.sub(" ", answer) if quoted else "", script.names)
    if line.line.speaker not in names_in(outside, script.names) or set(spoken_by) - {line.line.speaker}:
        return False
    known = {words(quote) for quote in quotations(question.question)}
    earlier = [said for said in spoken if words(said.line.text) in known]
    if earlier:
        before = spoken.index(earlier[0])
        return earlier[0] in heard and before + 1 < len(spoken) and spoken[before + 1] is line
    return len(heard) == 1 and _done_meanwhile(script, question, line)


def _done_meanwhile(script: Script, question: Question, line: Said) -> bool:
    """Whether the line's frame alone in its passage shows what the question describes."""
    passage, rest = script.passage_of(question.question)
    people = set(names_in(rest_of(question.question), script.names))
    doing = telling(rest) - _WORDING - telling(" ".join(people))
    shown = [item for item in script.shown if passage.first <= item.number <= passage.last]
    fitting = [
        item.number
        for item in shown
        if doing <= stems(item.frame.description) and set(names_in(item.frame.description, script.names)) == people
    ]
    return bool(doing) and fitting == [line.number]


def rest_of(question: str) -> str:
    """The part of the question after "while", which tells what is done."""
    return question.rpartition(" while ")[2]


def _present(script: Script, first: int, last: int) -> set[str]:
    shown = [item for item in script.shown if first <= item.number <= last]
    seen = {name for item in shown for name in names_in(item.frame.description, script.names)}
    return seen | {said.line.speaker for said in script.said if first <= said.number <= last}
