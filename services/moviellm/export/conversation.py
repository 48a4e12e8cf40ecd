"""train.json: one question and its answer a record, in the shape the LLaVA family of trainers reads.

Their loaders replace "<image>" by the video, cut at "</s>" and mask labels at "ASSISTANT:", wherever these stand. A
text of ours that holds one of them would silently spoil the record, so they are made harmless and counted.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from moviellm.export.record import QuestionRecord
from moviellm.export.shelf import Shelf
from moviellm.export.summary import MovieFolder

NAME = "train.json"

_TAG = re.compile(r"<\s*(/?)\s*(image|video|im_start|im_end|im_patch|vid_start|vid_end|unk|s)\s*>", re.IGNORECASE)
_ROLE = re.compile(r"\b(ASSISTANT|USER|HUMAN|GPT)\s*:", re.IGNORECASE)


class TrainingFile:
    """Writes train.json, a list, record by record into a local file; counts what had to be mended or left out."""

    def __init__(self, shelf: Shelf, path: Path) -> None:
        self._shelf = shelf
        self._path = path
        self.records = 0
        self.mended = 0
        self.dropped = 0

    async def add(self, movie: MovieFolder) -> None:
        """Append the questions of one movie."""
        video = f"{movie.path}/{movie.record.video}"
        lines = [json.dumps(record, ensure_ascii=False) for record in self._records(movie.questions, video)]
        opening = ",\n" if self.records else "[\n"
        if lines:
            await asyncio.to_thread(self._append, opening + ",\n".join(lines))
        self.records += len(lines)

    async def finish(self) -> None:
        """Close the list and write the file."""
        await asyncio.to_thread(self._append, "\n]\n" if self.records else "[]\n")
        await self._shelf.put_file(NAME, self._path)

    def _records(self, questions: Iterable[QuestionRecord], video: str) -> Iterator[dict[str, Any]]:
        for item in questions:
            question, answer = harmless(item.question), harmless(item.answer)
            if not question or not answer:
                self.dropped += 1
                continue
            self.mended += (question, answer) != (item.question.strip(), item.answer.strip())
            yield _record(item, video, question, answer)

    def _append(self, text: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(text)


def harmless(text: str) -> str:
    """The text without the words that trainers act upon; surrounding blanks go, too."""
    text = _TAG.sub(lambda match: f"[{match.group(1)}{match.group(2)}]", text)
    return _ROLE.sub(lambda match: f"{match.group(1)} –", text).strip()


def _record(item: QuestionRecord, video: str, question: str, answer: str) -> dict[str, Any]:
    return {
        "id": item.id,
        "video": video,
        "conversations": [
            {"from": "human", "value": f"<image>\n{question}"},
            {"from": "gpt", "value": answer},
        ],
        "kind": str(item.kind),
        "category": item.category,
        "level": item.level,
        "evidence": {
            "first_frame": item.evidence.first_frame,
            "last_frame": item.evidence.last_frame,
            "start_seconds": item.evidence.start_seconds,
            "end_seconds": item.evidence.end_seconds,
        },
    }
