"""Questions whose asker has left: they are paid for, so they are heard to their end and their replies kept."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Unheard:
    """Questions under way by the key of their reply. Where replies are not kept, a question ends with its asker."""

    def __init__(self, *, are_kept: bool) -> None:
        self._are_kept = are_kept
        self._under_way: dict[str, asyncio.Task[Any]] = {}

    async def ended(self, key: str) -> None:
        """Wait for a question of that key that an asker who has left, or another one, is paying for already."""
        task = self._under_way.get(key)
        if task is not None:
            with contextlib.suppress(Exception):  # whoever asked is told; the next one asks anew
                await asyncio.shield(task)

    async def heard(self, key: str, question: Coroutine[Any, Any, T]) -> T:
        """What the question gives."""
        if not self._are_kept:
            return await question
        task = asyncio.ensure_future(question)
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    def _ended(self, key: str, task: "asyncio.Task[Any]") -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
        if not task.cancelled():
            task.exception()  # seen: nobody may be left to see it
