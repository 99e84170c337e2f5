"""Spans: timed, attributed, nested through ``contextvars``.

    with traces.span("resize image", attributes={"image.width": 1200}) as span:
        span.add_event("decoded")

Every span has ids and is propagated. A trace that the ratio leaves out is held in memory, in bounds,
until its first span in this process ends, and sent after all if anything in it failed.
"""

import contextvars
import time
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from types import TracebackType
from typing import Any, Final

from eldonia_telemetry import dropped_data, runtime, values
from eldonia_telemetry.context import active_span
from eldonia_telemetry.traces.propagation import SpanContext

MAX_ATTRIBUTES: Final = 64
MAX_EVENTS: Final = 64
MAX_HELD: Final = 256
"""Spans of one trace that are held until it is known whether it failed."""

UNSET: Final = 0
OK: Final = 1
ERROR: Final = 2


class Kind(IntEnum):
    """Which side of a call a span describes; the numbers are OTLP's."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Held:
    """What a trace that the ratio left out did in this process, until its ``root`` ends."""

    __slots__ = ("ended", "failed", "lost", "root", "spans")

    def __init__(self) -> None:
        self.root: Span | None = None
        self.spans: list[Span] = []
        self.failed = False
        self.ended = False
        self.lost = 0

    def end(self, span: "Span") -> None:
        """Take a span that has ended."""
        if span.status == ERROR:
            self.failed = True
        if self.ended:  # a task that outlives what started it
            if self.failed:
                self._send((span,))
            return
        if span is not self.root and len(self.spans) >= MAX_HELD:
            self.lost += 1
            return
        self.spans.append(span)
        if span is self.root:
            self.ended = True
            spans, self.spans = self.spans, []
            if self.failed:
                self._send(spans)
                if self.lost:
                    dropped_data.count("span", "held trace too long", amount=self.lost)

    def _send(self, spans: Iterable["Span"]) -> None:
        for span in spans:
            # Figures computed over spans must be able to separate these from a fair sample.
            span.attributes["sampling.reason"] = "error"
            runtime.current.export(span)


class Span:
    """One operation. Use it in a ``with`` (which makes it current) or call :meth:`end`.

    Instants are Unix nanoseconds; ``end_ns`` is 0 while it runs. ``status`` is OTLP's code.
    """

    # What most spans never change is kept here once instead of in each span.
    held: Held | None = None
    status = UNSET
    status_message = ""
    end_ns = 0
    ended = False
    events: Sequence[tuple[int, str, dict[str, Any]]] = ()
    outside = False
    """Whether another library (OpenTelemetry's SDK) also has to know the current span."""
    _token: "contextvars.Token[Span | None] | None" = None

    def __init__(
        self,
        name: str,
        kind: int,
        context: SpanContext,
        parent_span_id: str,
        attributes: Mapping[str, Any] | None,
        held: Held | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.context = context
        self.parent_span_id = parent_span_id
        if held is None:
            self.recording = context.sampled and runtime.current.exporter is not None
        else:
            self.recording = True
            self.held = held
        self.attributes: dict[str, Any] = dict(attributes) if attributes else {}
        self.start_ns = time.time_ns()
        self._clock = time.perf_counter_ns()

    def begin_at(self, start_ns: int, clock_ns: int) -> None:
        """It began earlier: at ``start_ns`` (Unix nanoseconds), when the monotonic clock showed ``clock_ns``."""
        self.start_ns, self._clock = start_ns, clock_ns

    @property
    def trace_id(self) -> str:
        """32 lower-case hex digits."""
        return self.context.trace_id

    @property
    def span_id(self) -> str:
        """16 lower-case hex digits."""
        return self.context.span_id

    @property
    def duration_ns(self) -> int:
        """Nanoseconds from start to end, or until now."""
        return self.end_ns - self.start_ns if self.end_ns else time.perf_counter_ns() - self._clock

    def set_attribute(self, name: str, value: Any) -> None:
        """Set one attribute; beyond 64 of them it is dropped."""
        if self.recording and (name in self.attributes or len(self.attributes) < MAX_ATTRIBUTES):
            self.attributes[name] = value

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Set several attributes."""
        for name, value in attributes.items():
            self.set_attribute(name, value)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Note that something happened now; beyond 64 events it is dropped."""
        if self.recording and len(self.events) < MAX_EVENTS:
            self.events = (*self.events, (time.time_ns(), name, dict(attributes) if attributes else {}))

    def record_exception(self, error: BaseException) -> None:
        """Add the exception as an event (OpenTelemetry's attribute names) and mark the span failed."""
        if self.recording:
            detail = values.exception(error, redact=runtime.current.settings.redact)
            self.add_event(
                "exception",
                {
                    "exception.type": detail.name,
                    "exception.message": detail.message,
                    "exception.stacktrace": detail.stack or "",
                },
            )
            self.set_error(f"{detail.name}: {detail.message}")

    def set_error(self, message: str = "") -> None:
        """Mark the span failed."""
        self.status = ERROR
        self.status_message = values.text(message, redact=False)[:1024]

    def set_ok(self) -> None:
        """Mark the span as having succeeded by the application's own judgement."""
        self.status = OK
        self.status_message = ""

    def stop(self) -> None:
        """Note the time, if that has not been done; :meth:`end` has to follow."""
        if not self.end_ns:
            # Wall clocks jump; the duration comes from the monotonic one.
            self.end_ns = self.start_ns + max(0, time.perf_counter_ns() - self._clock)

    def end(self) -> None:
        """Finish; hands the span to the exporter. The second call does nothing."""
        if self.ended:
            return
        self.ended = True
        self.stop()
        if self.recording:
            if self.held is None:
                runtime.current.export(self)
            else:
                self.held.end(self)

    def activate(self) -> "Span":
        """Make it the current span until :meth:`deactivate`."""
        self._token = active_span.set(self)
        return self

    def deactivate(self) -> None:
        """Make the span current again that was so before."""
        token, self._token = self._token, None
        if token is not None:
            try:  # noqa: SIM105  once a span; this way costs nothing
                active_span.reset(token)
            except ValueError:
                pass  # activated in another context, it has ended with that

    def __enter__(self) -> "Span":
        return self.activate()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.deactivate()
        if error is not None and isinstance(error, Exception):
            self.record_exception(error)
        self.end()
