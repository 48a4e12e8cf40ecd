"""Which answers of three sets belong together."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from moviellm.errors import InvalidInput
from moviellm.evaluation.answers import Answer, AnswerSet, same_words

NAMED = 5


@dataclass(frozen=True)
class Item:
    """One question with the right answer and both answers; an empty one is missing."""

    id: str
    movie: str
    kind: str
    question: str
    reference: str
    candidate: str
    baseline: str

    def digest(self, judge: str) -> str:
        """What a judgement of it is kept under; changes with the judge and every text the judge sees."""
        seen = [judge, self.question, self.reference, self.candidate, self.baseline]
        return hashlib.sha256(json.dumps(seen).encode()).hexdigest()


@dataclass(frozen=True)
class Pairs:
    """The items in the order of the reference, and what a reader of the figures should know."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()


def paired(reference: AnswerSet, candidate: AnswerSet, baseline: AnswerSet, *, missing_is_zero: bool = False) -> Pairs:
    """Bring the answers together by id, or by question (and movie) where there are no ids.

    Raises InvalidInput naming file and ids: for a reference without an answer or a question, for answers that are
    missing (unless they count as 0), given twice, or given to another question.
    """
    index = _Index(reference)
    sets = (candidate, baseline)
    given = [index.matched(answers) for answers in sets]
    notes: list[str] = []
    for answers, (found, extra) in zip(sets, given, strict=True):
        missing = [id for id in index.ids if not found.get(id)]
        if missing and not missing_is_zero:
            raise InvalidInput(str(answers.path), _refusal(answers, missing, extra, len(index.ids)))
        notes += _notes(answers, missing, extra)
    (candidates, _), (baselines, _) = given
    items = tuple(
        Item(id, right.movie, right.kind, right.question, right.answer, candidates.get(id, ""), baselines.get(id, ""))
        for id, right in index.by_id.items()
    )
    return Pairs(items, (*notes, *_copies(items)))


class _Index:
    """The reference's questions by id and by wording; questions without an id are numbered in their movie."""

    def __init__(self, reference: AnswerSet) -> None:
        self._path = str(reference.path)
        ids = _unique(reference.answers)
        if blank := [id for id, answer in ids if not answer.answer]:
            raise InvalidInput(self._path, f"{_named(blank)}: a reference needs an answer to every question")
        if blank := [id for id, answer in ids if not answer.question]:
            raise InvalidInput(self._path, f"{_named(blank)}: a reference needs the question too")
        _once(self._path, [id for id, _ in ids], "is given twice")
        self.by_id = dict(ids)
        self.ids = list(self.by_id)
        self._by_words: dict[str, list[str]] = {}
        for id, answer in ids:
            self._by_words.setdefault(same_words(answer.question), []).append(id)

    def matched(self, answers: AnswerSet) -> tuple[dict[str, str], list[str]]:
        """The answers by the reference's ids, and the names of those that belong to none."""
        found: dict[str, str] = {}
        extra: list[str] = []
        twice: list[str] = []
        for id, answer in _unique(answers.answers):
            ours = self._id_of(id, answer)
            if ours is None:
                extra.append(id)
                continue
            twice += [ours, ours] if ours in found else []
            found[ours] = answer.answer
        _once(str(answers.path), twice, "is answered twice")
        return found, extra

    def _id_of(self, id: str, answer: Answer) -> str | None:
        words = same_words(answer.question)
        if answer.id and id in self.by_id:
            if words and words != same_words(self.by_id[id].question):
                asked = self.by_id[id].question
                raise InvalidInput(
                    answer.where, f"answers {answer.question!r}, but {id} of {self._path} asks {asked!r}"
                )
            return id
        alike = self._by_words.get(words, []) if words else []
        if len(alike) > 1:
            movie = same_words(answer.movie)
            alike = [one for one in alike if same_words(self.by_id[one].movie) == movie]
            if len(alike) != 1:
                raise InvalidInput(
                    answer.where, f"{answer.question!r} is asked of several movies; give the reference's id or movie"
                )
        return alike[0] if alike else None


def _unique(answers: Sequence[Answer]) -> list[tuple[str, Answer]]:
    """Each answer with an id: its own, with the movie where ids are used again, or its number in its movie."""
    used = Counter(answer.id for answer in answers)
    numbers: Counter[str] = Counter()
    named = []
    for answer in answers:
        numbers[answer.movie] += 1
        if not answer.id:
            named.append((f"{answer.movie}#{numbers[answer.movie]}", answer))
        else:
            named.append((answer.id if used[answer.id] == 1 else f"{answer.movie}/{answer.id}", answer))
    return named


def _refusal(answers: AnswerSet, missing: Sequence[str], extra: Sequence[str], total: int) -> str:
    unknown = f"; it answers {_named(extra)}, which the reference does not ask" if extra else ""
    return (
        f"has no answer to {len(missing)} of {total} questions: {_named(missing)}{unknown}; add them, or count them as "
        f"0 with --missing zero"
    )


def _notes(answers: AnswerSet, missing: Sequence[str], extra: Sequence[str]) -> Iterable[str]:
    if missing:
        yield f"{answers.role}: {len(missing)} answers are missing and count as 0: {_named(missing)}"
    if extra:
        yield f"{answers.role}: {len(extra)} answers to questions the reference does not ask are left out: " + _named(
            extra
        )


def _copies(items: Sequence[Item]) -> Iterable[str]:
    """Files that were mixed up show as answers that are the reference's, or each other's, word for word."""
    sides: tuple[tuple[str, Callable[[Item], bool]], ...] = (
        ("the candidate's answers are the reference's", lambda item: item.candidate == item.reference),
        ("the baseline's answers are the reference's", lambda item: item.baseline == item.reference),
        ("the candidate's answers are the baseline's", lambda item: item.candidate == item.baseline != ""),
    )
    for what, same in sides:
        count = sum(map(same, items))
        if count and 2 * count >= len(items):
            yield f"{count} of {len(items)} of {what}, word for word: is the right file named?"


def _once(path: str, ids: Sequence[str], what: str) -> None:
    if twice := [id for id, count in Counter(ids).items() if count > 1]:
        raise InvalidInput(path, f"{_named(twice)} {what}")


def _named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more
