"""Questions that came with an imported plot: their kind by their words, their evidence by the words they share."""

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from moviellm.movie import Difficulty, FrameRange, Outline, Question, QuestionKind, Scene, Shape
from moviellm.scripting.checker import likeness
from moviellm.scripting.own_plot.plot_json import Ledger

CATEGORY = "imported"
_TEMPORAL = re.compile(
    r"\b(?:before|after|afterwards|first|last|finally|order|sequence|earlier|later|when|then|next|beginning|how long"
    r"|at the end|at the start|followed by|prior to|begins?|ends?)\b"
)
_OVERVIEW = re.compile(
    r"\b(?:summar\w+|overview|overall|main (?:theme|idea|story|plot|conflict|character|message)s?|themes?|genre|moral"
    r"|message of|(?:movie|film|story|video) (?:is )?about|describe the (?:movie|film|story|plot|video)"
    r"|(?:in|of|throughout) the (?:whole|entire) (?:movie|film|story|video)|plot of)\b"
)
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "what why how where who whom whose which when does did has have had the and that this with for from into they "
        "their them she her his him was were are is not but its about would could there movie film story scene frame "
        "video face calm shot wide medium close",
    )
)


def questions_of(
    pairs: Sequence[tuple[str, str]], outline: Outline, scenes: Sequence[Scene], shape: Shape, ledger: Ledger
) -> tuple[Question, ...]:
    """The pairs as questions of level "movie"; empty and repeated ones are left out."""
    finder = _Finder(scenes, shape)
    found: list[Question] = []
    asked: set[str] = set()
    for number, (question, answer) in enumerate(pairs, start=1):
        where = f"question {number}"
        asks, answers = (_without_faces(text, where, ledger) for text in (question, answer))
        key = " ".join(re.findall(r"\w+", asks.lower()))
        if len(key.split()) < 2 or not re.search(r"\w", answers) or key in asked:
            rule = "question-repeated" if key in asked else "question-whole"
            ledger.note(rule, where, f"{question} {answer}".strip() or "nothing")
            continue
        asked.add(key)
        kind = kind_of(asks)
        evidence = shape.movie_range() if kind is QuestionKind.OVERVIEW else finder.evidence(f"{asks} {answers}")
        found.append(Question(kind, CATEGORY, asks, answers, evidence, "movie", (), _difficulty(evidence, shape)))
    return tuple(found)


def kind_of(question: str) -> QuestionKind:
    """Overview, temporal or plot, as the wording says."""
    low = question.lower()
    if _OVERVIEW.search(low):
        return QuestionKind.OVERVIEW
    return QuestionKind.TEMPORAL if _TEMPORAL.search(low) else QuestionKind.PLOT


def _without_faces(text: str, where: str, ledger: Ledger) -> str:
    now = likeness.without_likeness(text) if likeness.likeness_in(text) else text
    ledger.note("appearance-invented", where, text, now)
    return now.strip()


def _difficulty(evidence: FrameRange, shape: Shape) -> Difficulty:
    length = evidence.last - evidence.first + 1
    if length == 1:
        return Difficulty.EASY
    return Difficulty.MEDIUM if length <= shape.frames else Difficulty.HARD


_TELLING = 2.0
"""The least weight of the words that a frame and a question must share."""
_NEARLY = 0.6
"""The share of the best frame's weight that a neighbour needs to belong to the evidence."""
_COMMONPLACE = 0.8
"""Words of more than four frames in five tell nothing."""


class _Finder:
    """Finds the frames whose words, with the lines spoken after them, a text shares most; rare words count more."""

    def __init__(self, scenes: Sequence[Scene], shape: Shape) -> None:
        self._movie = shape.movie_range()
        self._ends: dict[int, FrameRange] = {}
        self._frames: dict[str, list[int]] = {}
        for scene in scenes:
            for frame in scene.frames:
                number = shape.frame_number(scene.chapter, scene.number, frame.number)
                self._ends[number] = shape.scene_range(scene.chapter, scene.number)
                lines = " ".join(line.text for line in scene.dialogue if line.after_frame == frame.number)
                for word in _telling(f"{frame.description} {lines}"):
                    self._frames.setdefault(word, []).append(number)

    def evidence(self, text: str) -> FrameRange:
        """The best frame with its neighbours that match nearly as well; the whole movie where nothing matches."""
        words = [word for word in sorted(_telling(text)) if word in self._frames]
        scores: defaultdict[int, float] = defaultdict(float)
        for word in words:
            weight = self._weight(word)
            for number in self._frames[word] if weight > _COMMONPLACE else ():
                scores[number] += weight
        best = max(scores, key=lambda number: (scores[number], -number), default=0)
        if scores[best] < _TELLING or sum(best in self._frames[word] for word in words) < 2:
            return self._movie
        return self._around(best, scores)

    def _around(self, best: int, scores: Mapping[int, float]) -> FrameRange:
        first = last = best
        inside = self._ends[best]
        while first > inside.first and scores.get(first - 1, 0) >= _NEARLY * scores[best]:
            first -= 1
        while last < inside.last and scores.get(last + 1, 0) >= _NEARLY * scores[best]:
            last += 1
        return FrameRange(first, last)

    def _weight(self, word: str) -> float:
        """Large for a word of few frames, small for one of nearly all."""
        return math.log(1 + len(self._ends) / len(self._frames[word]))


def _telling(text: str) -> frozenset[str]:
    """The words that tell something, without their endings."""
    words = re.findall(r"[a-z]{3,}", text.lower())
    return frozenset(re.sub(r"(?:ing|ed|es|s)$", "", word) for word in words if word not in _COMMON)
