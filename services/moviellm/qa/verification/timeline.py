"""The order of things, computed a second time: from where the script tells them, not from how a question was made."""

import re
from collections import defaultdict
from functools import cached_property

from moviellm.movie import FrameRange, Question
from moviellm.qa.asking import words
from moviellm.qa.script import Script, inside
from moviellm.qa.verification.hearing import quotations
from moviellm.qa.verification.seeing import names_in
from moviellm.qa.verification.stems import share, stems, telling

_LEVELS = {"movie": 0, "chapter": 1, "scene": 2}
_LEAD = re.compile(r"^(first of all|last of all|right before that|right after that)\s*,?\s*", re.IGNORECASE)


class Timeline:
    """When a script's events, lines and people are."""

    def __init__(self, script: Script) -> None:
        self._script = script

    def supports(self, question: Question, answer: str) -> bool:
        """Whether the order of the script, within the evidence, gives this answer."""
        if question.category == "duration":
            return self._lasts(question, answer)
        if question.category in ("before", "after"):
            return self._neighbours(question, answer)
        if "these lines" in question.question:
            return self._spoken(question, answer)
        if question.question.startswith("In which chapter "):
            return self._comes(question, answer)
        return self._ordered(question, answer)

    @cached_property
    def _spans(self) -> dict[frozenset[str], set[FrameRange]]:
        """Where each event is told: the frames of the smallest part that tells it."""
        levels: dict[frozenset[str], int] = {}
        spans: dict[frozenset[str], set[FrameRange]] = defaultdict(set)
        for told in self._script.told:
            key = telling(told.fact.who) | telling(told.fact.deed)
            level = _LEVELS[told.level]
            if level > levels.get(key, -1):
                levels[key] = level
                spans[key] = set()
            if level == levels[key]:
                spans[key].add(told.span)
        return spans

    def _when(self, event: str) -> FrameRange | None:
        """The frames of an event; None for what is told nowhere or in several places."""
        key = telling(event)
        spans = self._spans.get(key) or next(
            (spans for known, spans in self._spans.items() if key and share(known, key) == 1.0 == share(key, known)),
            set(),
        )
        return next(iter(spans)) if len(spans) == 1 else None

    def _ordered(self, question: Question, answer: str) -> bool:
        listed = (
            question.choices if question.choices and question.category != "order" else self._listed(question.question)
        )
        times = {event: self._when(event) for event in listed}
        found = [span for span in times.values() if span is not None]
        if len(found) < max(2, len(listed)) or not all(inside(span, question.evidence) for span in found):
            return False
        in_time = sorted(listed, key=lambda event: times[event].first if times[event] else 0)  # type: ignore[union-attr]
        if len({span.first for span in found}) < len(found):
            return False
        if question.category == "order":
            return self._sequence(answer, in_time)
        said = words(_LEAD.sub("", answer.strip()))
        return said == words(in_time[0] if question.category == "first" else in_time[-1])

    def _sequence(self, answer: str, in_time: list[str]) -> bool:
        said = f" {words(answer)} "
        places = [said.find(f" {words(event)} ") for event in in_time]
        return -1 not in places and places == sorted(places)

    def _listed(self, question: str) -> list[str]:
        """The events after the colon."""
        listed = question.partition(": ")[2].rstrip("?").strip()
        parts = listed.split("; ") if "; " in listed else listed.split(" or ")
        return [part.strip() for part in parts if part.strip()]

    def _neighbours(self, question: Question, answer: str) -> bool:
        known = re.search(r"\bin which (?P<event>.*?)(?:, what happens)?\?$", question.question)
        span = self._when(known["event"]) if known else None
        if span is None or not inside(span, question.evidence):
            return False
        size = span.last - span.first + 1
        at = span.first - size if question.category == "before" else span.last + 1
        other = FrameRange(at, at + size - 1)
        told = [told.fact for told in self._script.told if told.span == other]
        said = telling(_LEAD.sub("", answer.strip()))
        deeds = [telling(fact.who) | telling(fact.deed) for fact in told]
        known_words = frozenset[str]().union(*deeds)
        return (
            inside(other, question.evidence)
            and bool(said)
            and said <= known_words
            and any(deed <= said for deed in deeds)
        )

    def _lasts(self, question: Question, answer: str) -> bool:
        """Counts the frames of the evidence whose descriptions show what the question asks for."""
        passage, rest = self._script.passage_of(question.question)
        frames = [
            shown for shown in self._script.shown if question.evidence.first <= shown.number <= question.evidence.last
        ]
        if question.evidence != passage or len(frames) != passage.last - passage.first + 1:
            return False
        people = set(names_in(question.question, self._script.names))
        about, _ = self._script.passage_of(answer)
        if set(names_in(answer, self._script.names)) not in (set(), people) or not inside(passage, about):
            return False
        if people and re.search(r"\b(alone|together)\b", question.question):
            counted = [
                shown for shown in frames if set(names_in(shown.frame.description, self._script.names)) == people
            ]
        else:
            places = [place for place in self._script.outline.locations if telling(place) <= stems(rest)]
            place = max(places, key=len, default="\0")
            counted = [shown for shown in frames if place.lower() in shown.frame.description.lower()]
        numbers = re.findall(r"\d+", re.sub(r'"[^"]*"', "", answer))
        return numbers == [str(len(counted))]

    def _comes(self, question: Question, answer: str) -> bool:
        names = names_in(question.question, self._script.names)
        seen = [
            shown.number
            for shown in self._script.shown
            if names and names[0] in names_in(shown.frame.description, self._script.names)
        ]
        if not seen or len(names) != 1:
            return False
        at = seen[0] if question.category == "first" else seen[-1]
        chapter, _ = self._script.passage_of(answer)
        whole = chapter == self._script.shape.movie_range()
        return (
            not whole
            and chapter.first <= at <= chapter.last
            and question.evidence.first <= at <= question.evidence.last
        )

    def _spoken(self, question: Question, answer: str) -> bool:
        known = {words(quote) for quote in quotations(question.question)}
        passage, _ = self._script.passage_of(question.question)
        lines = [
            said
            for said in self._script.said
            if passage.first <= said.number <= passage.last and words(said.line.text) in known
        ]
        if len(lines) < 2 or not all(inside(FrameRange(s.number, s.number), question.evidence) for s in lines):
            return False
        right = lines[0] if question.category == "first" else lines[-1]
        said = quotations(answer)
        return words(said[0] if said else answer) == words(right.line.text) and right.line.speaker in answer
