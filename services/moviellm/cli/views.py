"""Datasets as people and scripts read them."""

import json
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from moviellm.cli.connection import short
from moviellm.v1 import movie_dataset_service_pb2 as pb

FINAL = (pb.MovieDataset.STATE_SUCCEEDED, pb.MovieDataset.STATE_FAILED, pb.MovieDataset.STATE_CANCELLED)
_STATE_STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow", "running": "cyan", "deleting": "red"}
_INT64 = (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64)


def plain(text: str) -> str:
    """Text from elsewhere on one line and without control characters, so that it cannot play with the terminal."""
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def state_of(dataset: pb.MovieDataset) -> str:
    """The state in one lower-case word."""
    return _enum_word(pb.MovieDataset.State, dataset.state, "STATE_")


def stage_of(progress: pb.StageProgress) -> str:
    """The stage in one lower-case word."""
    return _enum_word(pb.Stage, progress.stage, "STAGE_")


def _enum_word(enum: Any, number: int, prefix: str) -> str:
    known = enum.DESCRIPTOR.values_by_number.get(number)
    return known.name.removeprefix(prefix).lower() if known else f"unknown ({number})"


def state_text(dataset: pb.MovieDataset) -> Text:
    """The state, coloured."""
    word = state_of(dataset)
    return Text(word, style=_STATE_STYLES.get(word, ""))


def frames_of(dataset: pb.MovieDataset) -> pb.StageProgress:
    """Progress of the key frames; empty before the server reports any."""
    return next((stage for stage in dataset.stages if stage.stage == pb.STAGE_RENDERING), pb.StageProgress())


def shape_of(spec: pb.MovieDatasetSpec) -> str:
    """`2 × 2 × 2 × 6`: movies, chapters, scenes, frames."""
    return " × ".join(str(count) for count in (spec.movies, spec.chapters, spec.scenes, spec.frames))


def duration(seconds: float) -> str:
    """`0:07`, `12:30` or `3:05:00`."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: float) -> str:
    """`3.4 MB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} bytes" if unit == "bytes" else f"{count:.1f} {unit}"


def trouble_text(trouble: pb.Trouble) -> str:
    """`scripting, movie 1: the LLM does not answer (LLM_UNREACHABLE, attempt 3)`."""
    where = ", ".join(part for part in (trouble.service, trouble.unit) if part)
    attempts = f", attempt {trouble.attempts}" if trouble.attempts > 1 else ""
    return plain(f"{where}: {trouble.message} ({trouble.reason}{attempts})")


def estimate_text(estimate: pb.Estimate) -> str:
    """What a request costs, in one line."""
    price = f" ({estimate.cost:.2f})" if estimate.cost else ""
    return (
        f"{estimate.frames} frames, {estimate.llm_tokens} LLM tokens{price}, "
        f"{duration(estimate.gpu_seconds)} of model time, {size(estimate.size_bytes)}"
    )


def table_of(datasets: Iterable[pb.MovieDataset]) -> Table:
    """Datasets, a line each."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("NAME", "STATE", "FRAMES", "SHAPE", "AGE", "THEME"):
        table.add_column(heading, no_wrap=heading != "THEME")
    for dataset in datasets:
        frames = frames_of(dataset)
        counted = f"{frames.done}/{frames.total}" if frames.total else "-"
        row = (counted, shape_of(dataset.spec), _age(dataset.create_time))
        table.add_row(short(dataset.name), state_text(dataset), *row, Text(plain(dataset.spec.theme)))
    return table


def details_of(dataset: pb.MovieDataset) -> RenderableType:
    """One dataset in full."""
    spec, grid = dataset.spec, Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    rows: list[tuple[str, str | Text]] = [
        ("name", short(dataset.name)),
        ("state", state_text(dataset)),
        ("theme", Text(plain(spec.theme))),
        ("shape", f"{shape_of(spec)}  (movies × chapters × scenes × frames)"),
        ("style", Text(plain(_style(spec.style)))),
        ("seed", str(spec.seed)),
        *([("plot", f"your own {spec.plot.level}")] if spec.plot.level else []),
        *([("token limit", str(spec.max_llm_tokens))] if spec.max_llm_tokens else []),
        ("formats", Text(plain(", ".join(spec.formats) or "-"))),
        ("model", Text(plain(spec.model or "the server's default"))),
        ("created", _moment(dataset.create_time)),
    ]
    if dataset.end_time.seconds:
        took = dataset.end_time.ToDatetime() - dataset.create_time.ToDatetime()
        rows.append(("ended", f"{_moment(dataset.end_time)}, after {duration(took.total_seconds())}"))
    if dataset.HasField("estimate"):
        rows.append(("estimate", estimate_text(dataset.estimate)))
    rows += [("language model", Text(plain(_use_text(use)))) for use in dataset.model_use]
    for number, title in sorted(dataset.titles.items()):
        rows.append((f"movie {number}", Text(plain(title))))
    if dataset.trouble.message:
        heading = "failed" if dataset.state == pb.MovieDataset.STATE_FAILED else "waits for"
        rows.append((heading, Text(trouble_text(dataset.trouble), style="red")))
        rows += [("what to do", Text(plain(dataset.trouble.remedy)))] if dataset.trouble.remedy else []
        rows += [("trace", Text(plain(dataset.trouble.trace)))] if dataset.trouble.trace else []
    for heading, value in rows:
        grid.add_row(heading, value)
    return Group(grid, "", _stages_table(dataset)) if dataset.stages else grid


def _use_text(use: pb.ModelUse) -> str:
    price = f", costs {use.cost:.2f}" if use.cost else ""
    return f"{use.model}: {use.prompt_tokens} tokens sent, {use.completion_tokens} received{price}"


def _stages_table(dataset: pb.MovieDataset) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("STAGE", "DONE", "UNDER WAY"):
        table.add_column(heading)
    for stage in dataset.stages:
        table.add_row(stage_of(stage), f"{stage.done}/{stage.total} {stage.unit}", str(stage.in_progress))
    return table


def _style(style: pb.StyleSpec) -> str:
    pictures = f"{style.pictures} pictures of your own" if style.pictures else ""
    return ", ".join(part for part in (style.preset, style.description, pictures) if part) or "chosen by the writer"


def _moment(stamp: Timestamp) -> str:
    return stamp.ToDatetime(UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z") if stamp.seconds else "-"


def _age(stamp: Timestamp) -> str:
    if not stamp.seconds:
        return "-"
    minutes = max(0.0, (datetime.now(UTC) - stamp.ToDatetime(UTC)).total_seconds() / 60)
    if minutes < 120:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 1440:.0f} d"


# ---- for scripts ----


def to_plain(message: Message) -> dict[str, Any]:
    """The message as JSON values: field names as in the contract, every field present, 64-bit numbers as numbers."""
    values = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _numbers(values, message.DESCRIPTOR)


def _numbers(values: dict[str, Any], descriptor: Any) -> dict[str, Any]:
    for name, value in values.items():
        field = descriptor.fields_by_name[name]
        if field.type in _INT64 and isinstance(value, str):
            values[name] = int(value)
        elif field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        elif isinstance(value, dict):
            _numbers(value, field.message_type)
        elif isinstance(value, list):
            for item in value:
                _numbers(item, field.message_type)
    return values


def print_json(console: Console, value: object) -> None:
    """JSON as it is: never wrapped, never coloured."""
    console.file.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")
