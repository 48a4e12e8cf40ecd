"""One style to learn, from reference pictures in the store to an embedding in the store.

Lessons run one at a time in a worker thread, a step at a call, so that the event loop stays free, a cancelled call
stops within a step and a killed process goes on from its last checkpoint. No model library is needed here.
"""

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import TypeVar

import structlog

from moviellm import wire
from moviellm.artifacts import ArtifactStore, digest
from moviellm.errors import Broken, Exhausted, Interrupted, InvalidInput, NotFound, Unavailable, Unsatisfied
from moviellm.inversion import metrics
from moviellm.inversion.lessons import (
    FILES,
    RECORD,
    InversionProgress,
    InversionResult,
    Learnt,
    Lesson,
    StyleRecord,
    StyleTask,
    Teacher,
)
from moviellm.inversion.pictures import square_picture
from moviellm.movie import LearnedStyle, StoredFile, Work
from moviellm.pillow_pictures import ALLOWED, MAX_BYTES

log = structlog.get_logger()
T = TypeVar("T")

CHECKPOINT = "checkpoint/state.safetensors"
REPORT_EVERY = 10
RETRY_AFTER = 15.0
"""Seconds after which a call that found the queue full may try again."""


class School:
    """Learns styles with one teacher, one after the other; `max_waiting` calls may queue."""

    def __init__(
        self,
        store: ArtifactStore,
        teacher: Callable[[], Teacher],
        *,
        worker: ThreadPoolExecutor,
        max_waiting: int = 8,
        checkpoint_every: int = 50,
        node_pool: str = "local",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.teacher = teacher
        self._worker = worker
        self._max_waiting = max_waiting
        self._checkpoint_every = checkpoint_every
        self._node_pool = node_pool
        self._clock = clock
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._closed = False

    def close(self) -> None:
        """Stop the lesson under way after its next step, with a checkpoint, and refuse all others."""
        self._closed = True

    async def learn(self, task: StyleTask) -> AsyncGenerator[InversionProgress | InversionResult, None]:
        """Progress about every ten steps, then the result; at once the result when the style is learnt already.

        Raises InvalidInput for a method that is not configured or a reference that is no picture, NotFound for one that
        is missing, Exhausted when too many calls wait, Interrupted when the service shuts down: asked again, it goes on
        from the checkpoint.
        """
        if known := await self._known(task):
            yield known
            return
        teacher = self.teacher()
        _check_method(task, teacher)
        async with self._its_turn():
            if known := await self._known(task):  # somebody who stood before us in the queue wanted the same
                yield known
                return
            started = self._clock()
            with metrics.counted_lesson():
                lesson = await self._begun(teacher, task)
                async for progress in self._taught(lesson, task):
                    yield progress
                learnt = await self._in_worker(lesson.finish)
                result = await self._stored(teacher, task, learnt, started)
            log.info(
                "style learnt",
                output=task.output,
                token=learnt.token,
                steps=learnt.steps,
                initial_loss=round(learnt.initial_loss, 5),
                final_loss=round(learnt.final_loss, 5),
                seconds=round(result.work.seconds, 1),
            )
            yield result

    @contextlib.asynccontextmanager
    async def _its_turn(self) -> AsyncIterator[None]:
        if self._turn.locked() and self._waiting >= self._max_waiting:
            raise Exhausted(f"{self._waiting} styles wait to be learnt already", retry_after=RETRY_AFTER)
        self._waiting += 1
        try:
            with metrics.WAITING.track_inprogress():
                await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            self._refuse_when_closed()
            yield
        finally:
            self._turn.release()

    async def _begun(self, teacher: Teacher, task: StyleTask) -> Lesson:
        fingerprint = _fingerprint(task, teacher)
        pictures = []
        for i, reference in enumerate(task.references):
            data = await self._bytes(reference, f"references[{i}]")
            pictures.append(await asyncio.to_thread(square_picture, data, teacher.picture_size, f"references[{i}]"))
        checkpoint = await self._store.find(f"{task.output}/{CHECKPOINT}")
        return await self._in_worker(lambda: teacher.begin(task, tuple(pictures), fingerprint, checkpoint))

    async def _bytes(self, reference: StoredFile, name: str) -> bytes:
        key = self._store.key(reference.uri, f"{name}.uri")
        data = bytearray()
        try:
            async for piece in self._store.chunks(key, 1 << 20):
                data += piece
                if len(data) > MAX_BYTES:
                    raise InvalidInput(name, f"{ALLOWED}; it has more")
        except NotFound as error:
            raise NotFound(f"{name}: there is no picture {reference.uri}") from error
        if reference.digest and digest(bytes(data)) != reference.digest:
            raise InvalidInput(f"{name}.digest", "must be the SHA-256 of the file in hexadecimal")
        return bytes(data)

    async def _taught(self, lesson: Lesson, task: StyleTask) -> AsyncIterator[InversionProgress]:
        while not lesson.done:
            if self._closed:
                with _going_on():
                    await self._save(lesson, task)
            self._refuse_when_closed()
            try:
                with metrics.STEP_SECONDS.time():
                    progress = await self._in_worker(lesson.advance)
            except Unsatisfied:  # the numbers ran away: what led there is of no use either
                await self._forget(task)
                raise
            if progress.step % self._checkpoint_every == 0 and not lesson.done:
                with _going_on():
                    await self._save(lesson, task)
            if progress.step % REPORT_EVERY == 0 or lesson.done:
                yield progress

    async def _save(self, lesson: Lesson, task: StyleTask) -> None:
        await self._store.replace(f"{task.output}/{CHECKPOINT}", await self._in_worker(lesson.checkpoint))

    async def _forget(self, task: StyleTask) -> None:
        await self._store.delete_all(f"{task.output}/{CHECKPOINT.partition('/')[0]}")

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise Interrupted("the inversion service is shutting down; asked again, it goes on from its checkpoint")

    async def _in_worker(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def _stored(self, teacher: Teacher, task: StyleTask, learnt: Learnt, started: float) -> InversionResult:
        digests: dict[str, str] = {}
        for name, data in learnt.files.items():
            wrote = await self._store.put(f"{task.output}/{name}", data)
            digests[name] = digest(data if wrote else await self._store.get(f"{task.output}/{name}"))
        record = StyleRecord(
            token=learnt.token,
            digests=digests,
            initial_loss=learnt.initial_loss,
            final_loss=learnt.final_loss,
            steps=learnt.steps,
            model=teacher.model,
            style=task.style,
            references=tuple(reference.digest for reference in task.references),
            captions=task.captions,
            seed=task.seed,
            vectors=task.vectors,
            settings=teacher.settings(task),
            method=task.method,
        )
        await self._store.put(f"{task.output}/{RECORD}", wire.to_json(record))
        await self._forget(task)
        seconds = self._clock() - started
        work = Work(self._node_pool, seconds, seconds if teacher.on_gpu else 0.0, teacher.model)
        return _result(record, self._store.uri(f"{task.output}/{FILES[task.method]}"), FILES[task.method], work)

    async def _known(self, task: StyleTask) -> InversionResult | None:
        data = await self._store.find(f"{task.output}/{RECORD}")
        if data is None:
            return None
        record = wire.from_json(data, StyleRecord, RECORD)
        uri = self._store.uri(f"{task.output}/{FILES[task.method]}")
        return _result(record, uri, FILES[task.method], Work(self._node_pool, model=record.model))


@contextlib.contextmanager
def _going_on() -> Iterator[None]:
    """A checkpoint that the store does not take now is no reason to lose the lesson."""
    try:
        yield
    except Unavailable as error:
        log.warning("no checkpoint", why=error.message)


def _check_method(task: StyleTask, teacher: Teacher) -> None:
    if task.method not in teacher.methods:
        raise InvalidInput("method", f"must be one of those configured here: {', '.join(teacher.methods)}")


def _result(record: StyleRecord, uri: str, name: str, work: Work) -> InversionResult:
    if name not in record.digests:
        raise Broken(f"{RECORD} is damaged: it names no {name}")
    learned = LearnedStyle(uri, record.digests[name], record.token)
    return InversionResult(learned, record.initial_loss, record.final_loss, record.steps, work)


def _fingerprint(task: StyleTask, teacher: Teacher) -> str:
    """A digest of all that the result depends on; a checkpoint with another one is of no use."""
    made_from = asdict(task) | {"model": teacher.model, "settings": teacher.settings(task)}
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
