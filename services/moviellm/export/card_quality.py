"""The dataset card's section on quality: our figures beside the paper's, and what was done about bad pictures."""

from collections.abc import Mapping
from typing import Any

from moviellm.export.markdown import counted, escaped, table
from moviellm.export.quality_report import PAPER, QualityReport

_ROWS = (
    ("CLIP-Score to the frame's text ↑", "text_score", ""),
    ("CLIP-Score to the next frame ↑", "neighbour_score", "clip_score"),
    ("Perceptual distance to the next frame ↓", "neighbour_distance", "lpips"),
    ("Distance to the references in colour ↓", "style_color_distance", ""),
    ("Distance to the references in texture ↓", "style_gram_distance", ""),
)
_COLUMNS = (("All frames", "measures"), ("Sample", "sample"), ("Sample, without immobilization", "plain"))


def quality_section(quality: QualityReport) -> str:
    """The section's text, without its heading."""
    total = quality.total
    return "\n\n".join(part for part in (_measures(total), _control(total), _left_out(total)) if part)


def _measures(total: Mapping[str, Any]) -> str:
    columns = [(name, total[field]) for name, field in _COLUMNS if total[field] is not None]
    if not columns:
        return "The pictures were not measured."
    both, plain = _paper("both"), _paper("without style immobilization")
    head = ["", *(name for name, _ in columns), "Paper", "Paper, without immobilization"]
    rows = [
        [
            name,
            *(f"{figures[field]:.4f}" for _, figures in columns),
            *(f"{row[theirs]:.4f}" if theirs else "" for row in (both, plain)),
        ]
        for name, field, theirs in _ROWS
    ]
    measured, scorer = counted(total["measures"]["pictures"], "frame"), escaped(total["measures"]["scorer"])
    told = (
        f"Measured over {measured} by {scorer}. The paper's figures come from other models, pictures and measures (the "
        "distance is LPIPS): an orientation only."
    )
    if total["plain"] is not None:
        sample = counted(total["plain"]["pictures"], "frame")
        told += f" The sample are the same {sample}, rendered with the learnt style and without it."
    return f"{table(head, rows)}\n\n{told}"


def _control(total: Mapping[str, Any]) -> str:
    parts = [
        f"{counted(total['frames'], 'frame')} were kept of {counted(total['attempts'], 'picture')} rendered",
        f"{counted(total['rendered_again'], 'frame')} were rendered more than once",
    ]
    verdicts = ", ".join(f"{escaped(name)} {count}" for name, count in total["verdicts"].items())
    if verdicts:
        parts.append(f"attempts were found wanting as follows: {verdicts}")
    if total["kept_with_fault"]:
        parts.append(f"{counted(total['kept_with_fault'], 'frame')} kept a fault, since no attempt was better")
    if total["below_threshold"]:
        parts.append(f"{counted(total['below_threshold'], 'frame')} stayed below the threshold that was asked for")
    parts.append(f"{counted(total['look_alikes'], 'frame')} look like a frame of another scene of the same movie")
    return f"{'; '.join(parts)}. Each movie's figures are in `quality.json`."


def _left_out(total: Mapping[str, Any]) -> str:
    told = []
    if total["dropped"]:
        reasons = ", ".join(f"{escaped(reason)} ({count})" for reason, count in total["dropped"].items())
        told.append(f"Questions left out because they were not good enough: {reasons}.")
    if total["mends"]:
        rules = ", ".join(f"{escaped(rule)} ({count})" for rule, count in total["mends"].items())
        told.append(f"Mended in the plots: {rules}. Each mend is in its movie's `movie.json`.")
    return " ".join(told)


def _paper(what: str) -> Mapping[str, Any]:
    return next(row for row in PAPER if row["what"] == what)
