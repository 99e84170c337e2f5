"""Spans: timed, attributed, nested through ``contextvars``.

    with traces.span("resize image", attributes={"image.width": 1200}) as span:
        span.add_event("decoded")

Every span has ids and is propagated; one that is not sampled records nothing and costs next to nothing.
"""

import contextlib
import contextvars
import os
import random
import time
from collections.abc import Mapping
from enum import IntEnum
from types import TracebackType
from typing import Any, Final

from eldonia_telemetry import losses, runtime, values
from eldonia_telemetry.context import active_span
from eldonia_telemetry.traces.propagation import SpanContext

MAX_ATTRIBUTES: Final = 64
MAX_EVENTS: Final = 64

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


# A generator of its own: an application that seeds `random` must not make its processes share ids.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)


class Span:
    """One operation. Use it in a ``with`` (which makes it current) or call :meth:`end`.

    Instants are Unix nanoseconds; ``end_ns`` is 0 while it runs. ``status`` is OTLP's code.
    """

    __slots__ = (
        "_clock",
        "_token",
        "attributes",
        "context",
        "end_ns",
        "events",
        "kind",
        "name",
        "parent_span_id",
        "recording",
        "start_ns",
        "status",
        "status_message",
    )

    def __init__(
        self, name: str, kind: int, context: SpanContext, parent_span_id: str, attributes: Mapping[str, Any] | None
    ) -> None:
        self.name = name
        self.kind = kind
        self.context = context
        self.parent_span_id = parent_span_id
        self.recording = context.sampled
        self.attributes: dict[str, Any] = dict(attributes) if attributes else {}
        self.events: list[tuple[int, str, dict[str, Any]]] = []
        self.status = UNSET
        self.status_message = ""
        self.start_ns = time.time_ns()
        self._clock = time.perf_counter_ns()
        self.end_ns = 0
        self._token: contextvars.Token[Span | None] | None = None

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
            self.events.append((time.time_ns(), name, dict(attributes) if attributes else {}))

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
        self.status_message = message[:1024]

    def set_ok(self) -> None:
        """Mark the span as having succeeded by the application's own judgement."""
        self.status = OK
        self.status_message = ""

    def end(self) -> None:
        """Finish; hands the span to the exporter. The second call does nothing."""
        if self.end_ns:
            return
        # Wall clocks jump; the duration comes from the monotonic one.
        self.end_ns = self.start_ns + max(0, time.perf_counter_ns() - self._clock)
        if self.recording:
            runtime.current.export(self)

    def activate(self) -> "Span":
        """Make it the current span until :meth:`deactivate`."""
        self._token = active_span.set(self)
        return self

    def deactivate(self) -> None:
        """Make the span current again that was so before."""
        token, self._token = self._token, None
        if token is not None:
            # Activated in another context, it has ended with that.
            with contextlib.suppress(ValueError):
                active_span.reset(token)

    def __enter__(self) -> "Span":
        return self.activate()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.deactivate()
        if error is not None and isinstance(error, Exception):
            self.record_exception(error)
        self.end()


def current_span() -> Span | None:
    """The span that is active here."""
    return active_span.get()


def start_span(
    name: str,
    *,
    kind: int = Kind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
    parent: SpanContext | None = None,
) -> Span:
    """Start a span under ``parent``, else under the current span, else as a new trace.

    Sampling follows the parent's decision; a new trace is sampled by ratio over its id. The span is
    not made current: end it yourself, or use it in a ``with``.
    """
    try:
        if parent is None:
            active = active_span.get()
            if active is not None:
                parent = active.context
        span_id = f"{_random.getrandbits(64) or 1:016x}"
        if parent is None:
            bits = _random.getrandbits(128) or 1
            context = SpanContext(f"{bits:032x}", span_id, runtime.current.samples(bits))
            return Span(name, kind, context, "", attributes)
        context = SpanContext(parent.trace_id, span_id, parent.sampled, parent.tracestate)
        return Span(name, kind, context, parent.span_id, attributes)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        losses.count("span", "could not start", error)
        return Span("lost", Kind.INTERNAL, SpanContext("0" * 31 + "1", "0" * 15 + "1", sampled=False), "", None)


def span(name: str, *, kind: int = Kind.INTERNAL, attributes: Mapping[str, Any] | None = None) -> Span:
    """A span for a ``with`` block: current inside it, ended and marked failed on an exception."""
    return start_span(name, kind=kind, attributes=attributes)
