"""What has been judged already, a line of JSON each, so that a killed run pays for nothing twice."""

import fcntl
import json
import math
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from moviellm import errors
from moviellm.evaluation.verdict import Judgement, Verdict, Winner

_BEST = 5.0


class Journal:
    """Verdicts by the digest of what was judged, in a file that only grows; open it with `with`.

    Each verdict reaches the operating system before `add` returns. A line that a kill cut short is dropped when the
    file is opened again. Raises Unsatisfied when another run holds the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._verdicts: dict[str, Verdict] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise errors.Unsatisfied(
                f"{self.path} is in use by another evaluation; wait for it or choose another --output",
                reason="JOURNAL_IN_USE",
            ) from None
        self._read(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file:
            self._file.close()

    def __len__(self) -> int:
        return len(self._verdicts)

    def get(self, digest: str) -> Verdict | None:
        """The verdict on this digest, None where it has not been judged."""
        return self._verdicts.get(digest)

    def add(self, digest: str, verdict: Verdict) -> None:
        """Keep a verdict."""
        if self._file is None:
            raise RuntimeError("the journal is not open")
        self._file.write(json.dumps(_record(digest, verdict)).encode() + b"\n")
        self._verdicts[digest] = verdict

    def _read(self, file: IO[bytes]) -> None:
        """Take in what is there and cut off a line without an end; lines that are no verdicts are passed over."""
        file.seek(0)
        data = file.read()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            file.truncate(whole)
        for line in data[:whole].splitlines():
            try:
                record = json.loads(line)
                self._verdicts[str(record["digest"])] = _verdict(record)
            except (ValueError, KeyError, TypeError, RecursionError):
                continue


def _record(digest: str, verdict: Verdict) -> dict[str, Any]:
    return {
        "digest": digest,
        "candidate_first": _plain(verdict.candidate_first),
        "baseline_first": _plain(verdict.baseline_first),
        "model": verdict.model,
        "prompt_tokens": verdict.prompt_tokens,
        "completion_tokens": verdict.completion_tokens,
    }


def _plain(judgement: Judgement) -> dict[str, Any]:
    return {
        "candidate_score": judgement.candidate_score,
        "baseline_score": judgement.baseline_score,
        "winner": judgement.winner.value,
    }


def _verdict(record: dict[str, Any]) -> Verdict:
    return Verdict(
        candidate_first=_judgement(record["candidate_first"]),
        baseline_first=_judgement(record["baseline_first"]),
        model=str(record["model"]),
        prompt_tokens=int(record["prompt_tokens"]),
        completion_tokens=int(record["completion_tokens"]),
    )


def _judgement(record: dict[str, Any]) -> Judgement:
    scores = [float(record["candidate_score"]), float(record["baseline_score"])]
    if not all(math.isfinite(score) and 0 <= score <= _BEST for score in scores):
        raise ValueError("scores are 0 to 5")
    return Judgement(scores[0], scores[1], Winner(record["winner"]))
