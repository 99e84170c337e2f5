"""Starts spans: ids, parent, the sampling decision, and which tracer it is up to."""

import os
import random
from collections.abc import Mapping
from sys import modules
from typing import Any, Final

from eldonia_telemetry import losses, runtime
from eldonia_telemetry.context import current_span
from eldonia_telemetry.traces import joined
from eldonia_telemetry.traces.propagation import SpanContext
from eldonia_telemetry.traces.span import Held, Kind, Span

# A generator of its own: an application that seeds `random` must not make its processes share ids.
_random = random.Random()
os.register_at_fork(after_in_child=_random.seed)
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
        if "opentelemetry.sdk.trace" in modules and now.settings.join_opentelemetry and joined.tracer() is not None:
            return joined.start(name, kind, attributes, parent)
        held: Held | None = None
        if parent is None:
            active = current_span()
            if active is not None:
                parent = active.context
                held = active.held
        if parent is None:
            bits = _random.getrandbits(192)
            ids = f"{bits | _NOT_ZERO:048x}"
            context = SpanContext(ids[:32], ids[32:], now.samples(bits >> 64))
            parent_span_id = ""
        else:
            span_id = f"{_random.getrandbits(64) or 1:016x}"
            context = SpanContext(parent.trace_id, span_id, parent.sampled, parent.tracestate)
            parent_span_id = parent.span_id
        if context.sampled or not now.keeps_errors:
            return Span(name, kind, context, parent_span_id, attributes)
        if held is not None:
            return Span(name, kind, context, parent_span_id, attributes, held)
        held = Held()
        held.root = Span(name, kind, context, parent_span_id, attributes, held)
        return held.root
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        losses.count("span", "could not start", error)
        return Span("lost", Kind.INTERNAL, SpanContext("0" * 31 + "1", "0" * 15 + "1", sampled=False), "", None)


def span(name: str, *, kind: int = Kind.INTERNAL, attributes: Mapping[str, Any] | None = None) -> Span:
    """A span for a ``with`` block: current inside it, ended and marked failed on an exception."""
    return start_span(name, kind=kind, attributes=attributes)
