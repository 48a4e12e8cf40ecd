"""One trace through all services: W3C trace context in, on, and out again, whether spans are exported or not.

A trace begins where a call comes without one. It travels in the metadata `traceparent` of every call, stands in every
log line and in the details of every failure, and is kept with a dataset, so that its work carries the same id after a
restart. Spans go to whoever `export_to` names; nobody by default.
"""

import contextlib
import functools
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from moviellm.errors import MovieLLMError

HEADER = "traceparent"
"""The metadata key, as the W3C recommendation names it."""

_FORM = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


@dataclass(frozen=True)
class Trace:
    """Where one is: the trace's id (32 hexadecimal digits) and that of the span one is in (16)."""

    trace_id: str
    span_id: str
    sampled: bool = True

    @property
    def header(self) -> str:
        """The value of `traceparent`."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


@dataclass
class Span:
    """A piece of work: what, within what, from when to when (nanoseconds since the epoch), and the reason it failed."""

    name: str
    trace: Trace
    parent_id: str
    is_server: bool
    began: int
    ended: int = 0
    error: str = ""
    attributes: Mapping[str, str | int] = field(default_factory=dict)

    def failed(self, error: BaseException) -> None:
        """Note why; only the reason, because messages may quote what people wrote."""
        self.error = error.reason if isinstance(error, MovieLLMError) else type(error).__name__


class SpanSink(Protocol):
    """Takes spans that have ended."""

    def ended(self, span: Span) -> None:
        """Keep the span, or send it; must not wait."""


@functools.cache
def _chance(process: int) -> random.Random:
    """Ids must differ, not be secret; the system's own source costs a call of it each. A forked process has another."""
    return random.Random()


def _identifier(bits: int) -> str:
    return f"{_chance(os.getpid()).getrandbits(bits) or 1:0{bits // 4}x}"


_current: ContextVar[Trace | None] = ContextVar("moviellm_trace", default=None)
_sinks: list[SpanSink] = []


def export_to(sink: SpanSink) -> Callable[[], None]:
    """From now on, tell this sink of every span that ends in this process, until what is returned is called."""
    _sinks.append(sink)
    return lambda: _sinks.remove(sink)


def current() -> Trace | None:
    """Where one is; None outside of any trace."""
    return _current.get()


def parsed(header: str) -> Trace | None:
    """The trace that a `traceparent` names; None for anything that is none."""
    match = _FORM.fullmatch(header)
    return Trace(match[1], match[2], bool(int(match[3], 16) & 1)) if match else None


def incoming(metadata: Iterable[Any] | None) -> Trace | None:
    """The trace that came with a call."""
    for key, value in metadata or ():
        if key == HEADER and isinstance(value, str):
            return parsed(value)
    return None


def outgoing() -> tuple[tuple[str, str], ...]:
    """Metadata for calls made from here."""
    trace = _current.get()
    return ((HEADER, trace.header),) if trace else ()


def begun() -> Trace:
    """The trace one is in, or a new one, for what will be done later in its name."""
    return _current.get() or Trace(_identifier(128), _identifier(64))


@contextlib.contextmanager
def span(name: str, *, parent: Trace | None = None, is_server: bool = False, **attributes: str | int) -> Iterator[Span]:
    """Work within `parent`, else within the trace one is in, else within a new one."""
    before = _current.get()
    above = parent or before
    trace = Trace(above.trace_id, _identifier(64), above.sampled) if above else begun()
    work = Span(name, trace, above.span_id if above else "", is_server, time.time_ns(), attributes=attributes)
    _current.set(trace)
    try:
        yield work
    except BaseException as error:
        if not work.error:
            work.failed(error)
        raise
    finally:
        _current.set(before)  # by value: a stream that is dropped may be closed in another context
        work.ended = time.time_ns()
        if trace.sampled:
            for sink in _sinks:
                sink.ended(work)


def add_trace(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: the trace's id on every line that is written within one."""
    trace = _current.get()
    if trace:
        event["trace"] = trace.trace_id
    return event
