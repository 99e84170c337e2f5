"""Starts spans: ids, parent, the sampling decision, and which tracer it is up to."""

import os
import random
import threading
from collections.abc import Mapping
from sys import modules
from typing import Any, Final

import msgspec

from eldonia_telemetry import dropped_data, runtime
from eldonia_telemetry.context import current_span
from eldonia_telemetry.traces import otel_bridge
from eldonia_telemetry.traces.propagation import SpanContext, received
from eldonia_telemetry.traces.span import Held, Kind, Span

# A generator of its own: an application that seeds `random` must not make its processes share ids.
_random = random.Random()
_settling = threading.RLock()  # a signal handler may ask while its thread is in here
_NOT_ZERO: Final = 1 << 191 | 1
"""Ids of zeros alone are invalid; the sampling looks at the low half of a trace's id, which this leaves alone."""


def start_span(
    name: str,
    *,
    kind: int = Kind.INTERNAL,
    attributes: Mapping[str, Any] | None = None,
    parent: SpanContext | None = None,
) -> Span:
    """Start a span under ``parent``, else under the current span, else as a new trace.

    Sampling follows the parent's decision; a new trace is sampled by ratio over its id. Where the
    application has set up OpenTelemetry's SDK, the span is one of that SDK's. It is not made current:
    end it yourself, or use it in a ``with``.
    """
    try:
        now = runtime.current
        if joins(now):
            return otel_bridge.start(name, kind, attributes, parent)
        held: Held | None = None
        if parent is None:
            active = current_span()
            if active is not None:
                parent = active.context
                held = active.held
        return _start(now, name, kind, attributes, parent, held)
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        return _lost(error)


def joins(now: runtime.Runtime) -> bool:
    """Whether spans are those of an SDK that the application has set up."""
    return "opentelemetry.sdk.trace" in modules and now.settings.join_opentelemetry and otel_bridge.tracer() is not None


def _start(
    now: runtime.Runtime,
    name: str,
    kind: int,
    attributes: Mapping[str, Any] | None,
    parent: SpanContext | None,
    held: Held | None,
) -> Span:
    if parent is None:
        trace_id, span_id, sampled = _root(now)
        return _span(now, name, kind, attributes, SpanContext(trace_id, span_id, sampled), "", held)
    context = SpanContext(parent.trace_id, _span_id(), parent.sampled, parent.tracestate)
    return _span(now, name, kind, attributes, context, parent.span_id, held)


def _root(now: runtime.Runtime) -> tuple[str, str, bool]:
    """The ids of a new trace and of its first span, and whether it is sampled."""
    bits = _random.getrandbits(192)
    ids = f"{bits | _NOT_ZERO:048x}"
    return ids[:32], ids[32:], now.samples(bits >> 64)


def _span_id() -> str:
    return f"{_random.getrandbits(64) or 1:016x}"


def _span(
    now: runtime.Runtime,
    name: str,
    kind: int,
    attributes: Mapping[str, Any] | None,
    context: SpanContext,
    parent_span_id: str,
    held: Held | None,
) -> Span:
    if context.sampled or not now.keeps_errors:
        return Span(name, kind, context, parent_span_id, attributes)
    if held is not None:
        return Span(name, kind, context, parent_span_id, attributes, held)
    held = Held()
    held.root = Span(name, kind, context, parent_span_id, attributes, held)
    return held.root


def _lost(error: Exception) -> Span:
    dropped_data.count("span", "could not start", error)
    return Span("lost", Kind.INTERNAL, SpanContext("0" * 31 + "1", "0" * 15 + "1", sampled=False), "", None)


class LazySpan(msgspec.Struct):
    """When an operation began and from where it was called; its span is made when it is first asked for.

    ``start_ns`` and ``end_ns`` (0 while it runs) are Unix nanoseconds, ``clock_ns`` the monotonic clock's;
    ``traceparent`` is the header. Once there is an end, a caller gets a span that has ended and was exported.
    Only for what has no span around it, and no other SDK to join: ask :func:`joins` before.
    """

    start_ns: int
    clock_ns: int
    traceparent: bytes | None = None
    started: Span | None = None
    end_ns: int = 0
    _ids: tuple[str, str, str, bool] | None = None

    def ids(self, now: runtime.Runtime) -> tuple[str, str, str, bool]:
        """The ids of the trace, of the span and of its parent ('' if there is none), and whether it is sampled.

        Settled by the first who asks, by the ratio of ``now`` if the trace begins here. Never raises.
        """
        with _settling:
            if self._ids is None:
                ids = self._settle(now)
                if self._ids is None:  # else a signal handler has asked meanwhile
                    self._ids = ids
            return self._ids

    def _settle(self, now: runtime.Runtime) -> tuple[str, str, str, bool]:
        if self.started is not None:
            context = self.started.context
            return context.trace_id, context.span_id, self.started.parent_span_id, context.sampled
        parent = None
        if self.traceparent is not None:
            try:
                parent = received(self.traceparent, b"")
            except Exception as error:  # noqa: BLE001  telemetry never raises into its host
                dropped_data.count("span", "traceparent could not be read", error)
        if parent is not None:
            return parent.trace_id, _span_id(), parent.span_id, parent.sampled
        trace_id, span_id, sampled = _root(now)
        return trace_id, span_id, "", sampled

    def span(self, name: str, kind: int) -> Span:
        """The span: every caller gets the same one, at any time. It is not made current. Never raises."""
        with _settling:
            if self.started is None:
                now = runtime.current
                trace_id, span_id, parent_span_id, sampled = self.ids(now)
                context = SpanContext(trace_id, span_id, sampled)
                span = _span(now, name, kind, None, context, parent_span_id, None)
                span.begin_at(self.start_ns, self.clock_ns)
                if self.end_ns:
                    span.ended, span.end_ns = True, self.end_ns
                    if span.held is not None:
                        span.held.ended = True
                if self.started is None:  # else a signal handler has asked meanwhile
                    self.started = span
            return self.started


def span(name: str, *, kind: int = Kind.INTERNAL, attributes: Mapping[str, Any] | None = None) -> Span:
    """A span for a ``with`` block: current inside it, ended and marked failed on an exception."""
    return start_span(name, kind=kind, attributes=attributes)


def _after_fork() -> None:
    """Another thread may have held the lock; and the child's ids are its own."""
    global _settling  # noqa: PLW0603
    _settling = threading.RLock()
    _random.seed()


os.register_at_fork(after_in_child=_after_fork)
