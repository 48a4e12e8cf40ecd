"""A Writer that asks a language model, and does not take its word for anything.

A part is asked for whole; a program mends what it can; what still breaks a rule is asked for again with the reason; and
what a small model cannot give in one piece is asked for piece by piece, in plain words.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import structlog

from moviellm import errors
from moviellm.llm.openai_chat import OpenAIChat
from moviellm.llm.reply import Bill, NothingUsable, Unusable
from moviellm.movie import Chapter, Outline, Scene
from moviellm.scripting.by_model import conditions, lenient, prompts, replies
from moviellm.scripting.by_model.chapter_level import ChapterLevel
from moviellm.scripting.by_model.experience import Cost, Experience
from moviellm.scripting.by_model.level import Flaw, Level
from moviellm.scripting.by_model.mending import Notes, concise, is_prose
from moviellm.scripting.by_model.outline_level import OutlineLevel
from moviellm.scripting.by_model.persistence import (
    AGAIN_TRIES,
    PART_ATTEMPTS,
    PIECE_ATTEMPTS,
    PIECE_TOKENS,
    PIECE_TRIES,
    Trust,
)
from moviellm.scripting.by_model.scene_level import SceneLevel
from moviellm.scripting.writer import ChapterRequest, OutlineRequest, SceneRequest, Written

log = structlog.get_logger()
P = TypeVar("P")

_REFUSED = ("LLM_REQUEST_REFUSED", "LLM_PROMPT_TOO_LONG")
_MOST_WRONG = 24
_LONGEST_PIECE = 1200


class OpenAIWriter:
    """Whatever it returns has passed the rules.

    Raises what OpenAIChat raises; Unsatisfied, naming the rule, where the model does not get a rule right in the number
    of questions that `persistence` allows, Unavailable where it does not say anything usable at all.
    """

    def __init__(self, *, chat: OpenAIChat, experience: Experience | None = None) -> None:
        self._chat = chat
        self._trust = {name: Trust() for name in ("outline", "chapter", "scene")}
        self._experience = experience or Experience()

    async def outline(self, request: OutlineRequest) -> Written[Outline]:
        """Level 1."""
        return await self._write(OutlineLevel(request, prompts.chosen(request.prompts)), request.seed)

    async def chapter(self, request: ChapterRequest) -> Written[Chapter]:
        """Level 2."""
        return await self._write(ChapterLevel(request, prompts.chosen(request.prompts)), request.seed)

    async def scene(self, request: SceneRequest) -> Written[Scene]:
        """Level 3."""
        return await self._write(SceneLevel(request, prompts.chosen(request.prompts)), request.seed)

    async def check(self) -> None:
        """Raise while the endpoint does not answer or refuses the key."""
        await self._chat.check()

    async def _write(self, level: Level[P], seed: int) -> Written[P]:
        work = _Work(self._chat, level, seed)
        draft = await work.whole(self._trust[level.name])
        draft = await work.again(draft)
        draft = await work.piece_by_piece(draft)
        bill = work.bill
        self._experience.learn(level.name, Cost(len(level.pieces(draft)), bill.prompt_tokens, bill.completion_tokens))
        return Written(
            value=draft,
            model=self._chat.model,
            prompt_tokens=bill.prompt_tokens,
            completion_tokens=bill.completion_tokens,
            prompt=", ".join(work.templates),
            mends=level.notes.mends,
        )


class _Work:
    """One part on its way: what it has cost, and which templates it was made with."""

    def __init__(self, chat: OpenAIChat, level: Level[P], seed: int) -> None:
        self._chat = chat
        self._level: Level[Any] = level
        self._seed = seed
        self._asked = 0
        self.bill = Bill()
        self.templates: dict[str, None] = {}

    async def whole(self, trust: Trust) -> Any:
        """The draft of a whole reply, or a blank one where none came."""
        level = self._level
        drafts: list[tuple[int, Any, Notes]] = []

        def read(value: dict[str, Any]) -> Any:
            level.notes = Notes()
            draft = level.mended(level.read(value))
            flaws = level.flaws(draft)
            drafts.append((len(flaws), draft, level.notes))
            if len({flaw.piece for flaw in flaws}) * 2 > len(level.pieces(draft)):
                raise Unusable("; ".join(str(flaw.breach) for flaw in flaws[:6]))
            return draft

        for _ in range(trust.tries()):
            try:
                draft = await self._ask(level.reply, level.name, level.whole(), read)
            except errors.MovieLLMError as error:
                if not _too_much(error):
                    raise
                log.warning("no whole part came; asking for less", level=level.name, why=error.message)
                trust.learn(False)
                if drafts or isinstance(error, errors.Unsatisfied):
                    break
            else:
                trust.learn(True)
                return draft
        if not drafts:
            return level.blank()
        _, draft, level.notes = min(drafts, key=lambda found: found[0])
        return draft

    async def again(self, draft: Any) -> Any:
        """The draft with what breaks rules written again in one question, where most of it is right."""
        level = self._level
        for _ in range(AGAIN_TRIES):
            flaws = level.flaws(draft)
            broken = dict.fromkeys(flaw.piece for flaw in flaws)
            if not flaws or "" in broken or len(broken) * 2 > len(level.pieces(draft)):
                break
            try:
                answered = await self._ask(replies.AgainReply, "again", self._again(draft, flaws), _texts_of)
            except errors.MovieLLMError as error:
                if not _too_much(error):
                    raise
                break
            written = {piece: text for piece, text in answered.items() if piece in broken and is_prose(text, 2)}
            if not written:
                break
            for flaw in flaws:
                if flaw.piece in written:
                    level.notes(flaw.breach.rule, self._place(flaw.piece), flaw.breach.was or "(nothing)")
            for piece, text in written.items():
                draft = level.put(draft, piece, text)
            draft = level.mended(draft)
        return draft

    async def piece_by_piece(self, draft: Any) -> Any:
        """The draft with every piece that is empty or breaks a rule asked for alone, until all rules hold."""
        level = self._level
        tries: dict[str, int] = {}
        while flaws := level.flaws(draft):
            flaw = flaws[0]
            tries[flaw.piece] = tries.get(flaw.piece, 0) + 1
            if not flaw.piece or tries[flaw.piece] > PIECE_TRIES + 1:
                raise _unmet(flaw, level, self._chat.model)
            if tries[flaw.piece] == PIECE_TRIES + 1:
                draft = level.reduced(draft, flaw.piece)
                continue
            last = tries[flaw.piece] == PIECE_TRIES and not level.pieces(draft)[flaw.piece]
            text = await self._one(draft, flaw, last=last)
            if text:
                level.notes(flaw.breach.rule, self._place(flaw.piece), flaw.breach.was or "(nothing)")
                draft = level.mended(level.put(draft, flaw.piece, text))
        return draft

    async def _one(self, draft: Any, flaw: Flaw, *, last: bool) -> str:
        """The text of one piece; empty where none came and another question may help."""
        level = self._level
        words = 1 if flaw.piece.startswith(("line", "characters")) else 3
        system, user = level.one(draft, flaw.piece)
        if flaw.breach.was:
            user = f"Not like this, for {flaw.breach.message}: {flaw.breach.was}\n{user}"

        def read(value: dict[str, Any]) -> str:
            found = lenient.field(value, "text", flaw.piece)
            text = lenient.text(value if found is None and len(value) == 1 else found)
            text = concise(text, level.sentences(flaw.piece))[:_LONGEST_PIECE]
            if not is_prose(text, words):
                raise Unusable("it holds no text in plain words")
            return text

        try:
            return str(await self._ask(replies.OneReply, level.template_of(flaw.piece), (system, user), read))
        except errors.MovieLLMError as error:
            if not _too_much(error):
                raise
            if last or not isinstance(error, NothingUsable):
                kind = type(error) if isinstance(error, errors.Unsatisfied) else errors.Unavailable
                message = f"{error.message}; the rule {flaw.breach.rule} cannot be met: {flaw.breach}"
                raise kind(message, reason=error.reason) from error
            return ""

    def _again(self, draft: Any, flaws: tuple[Flaw, ...]) -> tuple[str, str]:
        level, pieces = self._level, self._level.pieces(draft)
        wrong: dict[str, list[str]] = {}
        for flaw in flaws:
            wrong.setdefault(flaw.piece, []).append(flaw.breach.message)
        parts = [
            {"where": piece, "was": pieces[piece], "wrong": "; ".join(said), "wanted": level.wanted(draft, piece)}
            for piece, said in list(wrong.items())[:_MOST_WRONG]
        ]
        told = {"known": level.context(draft, flaws[0].piece), "parts": parts}
        return level.prompts["again"].filled(level=level.name), conditions.as_json(told)

    async def _ask(self, reply: type[replies.Reply], template: str, said: tuple[str, str], read: Any) -> Any:
        """Ask one question with a seed of its own; what it costs goes on the bill, also where it fails."""
        self.templates.setdefault(self._level.prompts[template].label)
        alone = reply is replies.OneReply
        schema, seed = replies.json_schema(reply), self._seed + self._asked
        self._asked += 1
        answer = await self._chat.ask(
            schema,
            *said,
            read,
            seed=seed,
            attempts=PIECE_ATTEMPTS if alone else PART_ATTEMPTS,
            max_tokens=PIECE_TOKENS if alone else None,
            bill=self.bill,
            words="text" if alone else "",
        )
        return answer.value

    def _place(self, piece: str) -> str:
        return self._level.where(piece)


def _texts_of(value: Mapping[str, Any]) -> dict[str, str]:
    """The pieces of an answer by their places, however they are listed."""
    listed = lenient.items(lenient.field(value, "parts") or value)
    found = {lenient.text(lenient.field(i, "where")): lenient.text(lenient.field(i, "text")) for i in listed}
    texts = {where.lower(): text[:_LONGEST_PIECE] for where, text in found.items() if where and text}
    if not texts:
        raise Unusable("there must be `parts`, each with `where` and `text`")
    return texts


def _too_much(error: errors.MovieLLMError) -> bool:
    """Whether a smaller question may get an answer where this one did not."""
    return isinstance(error, NothingUsable) or error.reason in _REFUSED


def _unmet(flaw: Flaw, level: Level[Any], model: str) -> errors.Unsatisfied:
    return errors.Unsatisfied(
        f"the model {model} does not keep the rule {flaw.breach.rule} of the {level.name}: {flaw.breach}",
        reason="SCRIPT_RULE_UNMET",
    )
