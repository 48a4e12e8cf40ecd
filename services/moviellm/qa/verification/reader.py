"""The lexical reader: answers a question from what stands in its evidence, and says whether an answer agrees.

It is handed a question as a model would be: it reads the wording and the script within the evidence, not how the
question was made. It looks for what the question names, takes what the script tells of it, and compares words.
"""

import re
from collections.abc import Iterator

from moviellm.movie import CharacterRole, FrameRange, Question, QuestionKind
from moviellm.qa import grammar, lexicon
from moviellm.qa.asking import words
from moviellm.qa.script import Script, Told, inside
from moviellm.qa.verification.hearing import hears
from moviellm.qa.verification.seeing import names_in, sees
from moviellm.qa.verification.stems import share, stems, telling
from moviellm.qa.verification.timeline import Timeline

_NAMED = 0.8
"""How much of a deed the question must name to be about it."""
_SAID, _WHOLE = 0.8, 0.6
"""How much of an answer must be told, and how much of what is told an answer must say."""
_BUT = re.compile(r"\b(but|however|yet|stands? in the way|although|unless|until)\b", re.IGNORECASE)
_ENDS = re.compile(r"\b(end|ends)\b")
_BEGINS = re.compile(r"\b(begin|begins|beginning)\b")


class Reader:
    """Reads one script."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._timeline = Timeline(script)

    def supports(self, question: Question, answer: str) -> bool:
        """Whether the evidence gives this answer to the question."""
        passage, _ = self._script.passage_of(question.question)
        if not inside(question.evidence, passage):
            return False
        if question.kind is QuestionKind.TEMPORAL:
            return self._timeline.supports(question, answer)
        if question.kind is QuestionKind.DIALOGUE:
            return hears(self._script, question, answer)
        if question.kind is QuestionKind.CHARACTER:
            return sees(self._script, question, answer)
        return self._plot(question, answer)

    def _plot(self, question: Question, answer: str) -> bool:
        _, rest = self._script.passage_of(question.question)
        asked = words(question.question)
        if question.category == "who":
            return self._cast(answer)
        if question.category in ("why", "how", "where") and (found := self._facts(question, rest)):
            part = {"why": "reason", "how": "means", "where": "place"}[question.category]
            return all(agrees(answer, question.question, getattr(told.fact, part)) for told in found)
        if question.category == "where":
            return self._places(question, answer)
        if question.kind is QuestionKind.OVERVIEW and question.category == "what":
            return self._overview(question, answer, asked)
        if question.category == "what" and self._doer(rest):
            return self._deeds(question, rest, answer)
        return self._summary(question, answer, asked)

    def _facts(self, question: Question, rest: str) -> list[Told]:
        """The facts in evidence that the question names best; none where it names none."""
        asked = stems(rest)
        part = {"why": "reason", "how": "means", "where": "place"}[question.category]
        scored = []
        for told in self._in_evidence(question.evidence):
            deed = stems(told.fact.who) | telling(told.fact.deed)
            if telling(told.fact.deed) and share(deed, asked) >= _NAMED:
                scored.append((share(deed, asked), len(deed), told))
        best = max((score[:2] for score in scored), default=None)
        named = [told for *score, told in scored if tuple(score) == best and self._part(told, part).strip()]
        return [Told(told.span, told.level, told.fact) for told in named]

    def _part(self, told: Told, part: str) -> str:
        return str(getattr(told.fact, part))

    def _in_evidence(self, evidence: FrameRange) -> Iterator[Told]:
        for told in self._script.told:
            if inside(told.span, evidence):
                yield told

    def _doer(self, rest: str) -> str:
        asked = stems(rest)
        people = sorted({told.fact.who for told in self._script.told}, key=len, reverse=True)
        return next((who for who in people if who and stems(who) <= asked), "")

    def _deeds(self, question: Question, rest: str, answer: str) -> bool:
        """All that the person does at that level of the evidence, or one deed of it among choices."""
        who = self._doer(rest)
        told = [told for told in self._in_evidence(question.evidence) if told.fact.who == who]
        deeds = [one.fact for one in told if one.level == question.level]
        if any(place and telling(place) <= stems(rest) for place in {fact.place for fact in deeds}):
            deeds = [fact for fact in deeds if not fact.place or telling(fact.place) <= stems(rest)]
        said = telling(answer) - stems(who)
        known = frozenset[str]().union(*(telling(fact.deed) for fact in deeds))
        complete = all(share(telling(fact.deed), said | stems(who)) >= _NAMED for fact in deeds)
        return bool(deeds) and share(said, known) >= _SAID and complete

    def _overview(self, question: Question, answer: str, asked: str) -> bool:
        if question.evidence != self._script.shape.movie_range():
            return self._summary(question, answer, asked)
        for verbs, wording in (
            (lexicon.DESIRES, r"\b(want|wants|achieve)\b"),
            (lexicon.LESSONS, r"\blearns?\b"),
        ):
            if re.search(wording, asked):
                facts = [told.fact for told in self._in_evidence(question.evidence) if told.level == "movie"]
                facts = [fact for fact in facts if grammar.main_verb(fact.deed) in verbs]
                facts = [fact for fact in facts if stems(fact.who) <= stems(asked)]
                return any(agrees(answer, question.question, fact.deed) for fact in facts)
        if re.search(r"\b(way|hard|problem)\b", asked):
            told = next((text for text in _sentences(self._script.outline.overview) if _BUT.search(text)), "")
            return agrees(answer, question.question, told)
        return self._retells(answer)

    def _retells(self, answer: str) -> bool:
        """Whether the answer is made of the overview's sentences, and of more than one where it has several."""
        told = [words(text) for text in _sentences(self._script.outline.overview)]
        said = [words(text) for text in _sentences(answer)]
        known = all(any(text and text in other for other in told) for text in said)
        return bool(said) and known and len(said) >= min(2, len(told))

    def _summary(self, question: Question, answer: str, asked: str) -> bool:
        """What the script says in sentences of exactly the frames that are meant."""
        passage, _ = self._script.passage_of(question.question)
        evidence = question.evidence
        if _ENDS.search(asked):
            fits = evidence.last == passage.last
        elif _BEGINS.search(asked):
            fits = evidence.first == passage.first
        else:
            fits = evidence == passage
        told = [summary for summary in self._script.summaries if summary.span == evidence]
        return fits and any(words(answer) and words(answer) in words(summary.text) for summary in told)

    def _cast(self, answer: str) -> bool:
        main = {item.name for item in self._script.outline.characters if item.role is CharacterRole.MAIN}
        return bool(main) and set(names_in(answer, self._script.names)) == main

    def _places(self, question: Question, answer: str) -> bool:
        outline = self._script.outline
        spans = {chapter.number: self._script.shape.chapter_range(chapter.number) for chapter in outline.chapters}
        wanted = {
            place
            for chapter in outline.chapters
            if inside(spans[chapter.number], question.evidence)
            for place in chapter.locations
        }
        spoken = stems(re.sub(r'"[^"]*"', "", answer))
        return bool(wanted) and {place for place in outline.locations if telling(place) <= spoken} == wanted


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text.strip())


def agrees(answer: str, question: str, told: str) -> bool:
    """Whether the answer says what is told, beside what the question says already, and no more."""
    known = stems(question)
    said, wanted = telling(answer) - known, telling(told) - known
    if not wanted:
        wanted, said = telling(told), telling(answer)
    return bool(wanted) and share(said, telling(told)) >= _SAID and share(wanted, telling(answer)) >= _WHOLE
