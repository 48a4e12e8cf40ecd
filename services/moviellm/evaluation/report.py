"""An evaluation as JSON, written whole."""

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from moviellm.evaluation.answers import AnswerSet
from moviellm.evaluation.journal import Journal
from moviellm.evaluation.pairing import Item, Pairs
from moviellm.evaluation.scoring import Scored, comparison_of, scored
from moviellm.evaluation.statistics import RESAMPLES
from moviellm.evaluation.summary import Summary, summaries

FORMAT = "moviellm-evaluation/1"


@dataclass(frozen=True)
class Report:
    """What an evaluation found. `given_up` holds why a question was not judged, by id; it is in no figure."""

    judge: str
    models: tuple[str, ...]
    seed: int
    outcomes: tuple[Scored, ...]
    summaries: tuple[Summary, ...]
    notes: tuple[str, ...]
    given_up: Mapping[str, str]
    prompt_tokens: int
    completion_tokens: int


def report_of(
    pairs: Pairs, journal: Journal, judge: str, *, given_up: Mapping[str, str] | None = None, seed: int = 0
) -> Report:
    """Everything the journal knows about the pairs; `judge` is the judge's name."""
    outcomes = [outcome for item in pairs.items if (outcome := _outcome(item, journal, judge))]
    verdicts = {
        digest: verdict for item in pairs.items if (verdict := journal.get(digest := item.digest(judge))) is not None
    }
    return Report(
        judge=judge,
        models=tuple(sorted({verdict.model for verdict in verdicts.values() if verdict.model})),
        seed=seed,
        outcomes=tuple(outcomes),
        summaries=summaries(outcomes, seed=seed),
        notes=pairs.notes,
        given_up=dict(given_up or {}),
        prompt_tokens=sum(verdict.prompt_tokens for verdict in verdicts.values()),
        completion_tokens=sum(verdict.completion_tokens for verdict in verdicts.values()),
    )


def as_json(report: Report, sets: Sequence[AnswerSet]) -> dict[str, Any]:
    """The report and where its answers came from, as plain JSON values."""
    return {
        "format": FORMAT,
        "judge": {"name": report.judge, "models": list(report.models)},
        "tokens": {"prompt": report.prompt_tokens, "completion": report.completion_tokens},
        "intervals": {"level": 0.95, "shares": "wilson", "means": "bootstrap over movies", "resamples": RESAMPLES}
        | {"seed": report.seed},
        "answers": {answers.role.value: str(answers.path) for answers in sets},
        "kinds": {summary.kind: _plain(summary) for summary in report.summaries},
        "notes": list(report.notes),
        "not_judged": dict(report.given_up),
        "questions": [_question(outcome) for outcome in report.outcomes],
    }


def write_whole(path: Path, value: Any) -> None:
    """Write JSON so that the file is either as it was or whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(value, file, ensure_ascii=False, indent=1)
            file.write("\n")
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _outcome(item: Item, journal: Journal, judge: str) -> Scored | None:
    """None where the item is not judged."""
    verdict = journal.get(item.digest(judge))
    return scored(item, verdict) if verdict is not None or comparison_of(item) is None else None


def _plain(summary: Summary) -> dict[str, Any]:
    return {name: value for name, value in asdict(summary).items() if name != "kind"}


def _question(outcome: Scored) -> dict[str, Any]:
    verdict = outcome.verdict
    return {
        **asdict(outcome.item),
        "winner": outcome.winner.value,
        "candidate_score": outcome.candidate_score,
        "baseline_score": outcome.baseline_score,
        "orders": [asdict(verdict.candidate_first), asdict(verdict.baseline_first)] if verdict else [],
    }
