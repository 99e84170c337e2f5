"""Spans through the OpenTelemetry SDK that the application has set up itself.

Two tracers in one process would each make a trace of their own. When a ``TracerProvider`` of
``opentelemetry.sdk`` is installed, spans are started with it: its sampler, processors and exporters
apply, ours become children of its spans and the other way round, and records carry its ids.
"""

import sys
from collections.abc import Mapping
from typing import Any, Final

from eldonia_telemetry import context as own_context
from eldonia_telemetry import runtime, values
from eldonia_telemetry.traces.propagation import SpanContext
from eldonia_telemetry.traces.span import UNSET, Span

_UNKNOWN: Final = object()
_known_provider: Any = _UNKNOWN
_known_tracer: Any = None
_api: Any = None


def tracer() -> Any:
    """The SDK's tracer; None when no provider of the SDK is installed."""
    global _known_provider, _known_tracer, _api  # noqa: PLW0603
    sdk = sys.modules.get("opentelemetry.sdk.trace")
    if sdk is None:
        return None
    if _api is None:
        from opentelemetry import trace

        _api = trace
    # The variable behind get_tracer_provider(), which reads the environment each time nothing is installed.
    provider: Any = getattr(_api, "_TRACER_PROVIDER", _UNKNOWN)
    if provider is _UNKNOWN:
        provider = _api.get_tracer_provider()
    if provider is not _known_provider:
        is_sdk = isinstance(provider, getattr(sdk, "TracerProvider", ()))
        _known_tracer = provider.get_tracer("eldonia-telemetry") if is_sdk else None
        _known_provider = provider
    return _known_tracer


def current() -> SpanContext | None:
    """The SDK's current span, from any library that started it; None without a span or without the SDK."""
    if tracer() is None or not runtime.current.settings.join_opentelemetry:
        return None
    found = _api.get_current_span().get_span_context()
    return _own(found) if found.is_valid else None


class JoinedSpan(Span):
    """A span of ours that is one of the SDK's; what was recorded is handed over when it ends."""

    outside = True

    def __init__(
        self,
        other: Any,
        name: str,
        kind: int,
        context: SpanContext,
        parent_span_id: str,
        attributes: Mapping[str, Any] | None,
    ) -> None:
        super().__init__(name, kind, context, parent_span_id, attributes)
        self.recording = other.is_recording()
        self._other = other
        self._attached: Any = None
        self._detach: Any = None

    def activate(self) -> "Span":
        """Make it the current span here and in OpenTelemetry's context."""
        from opentelemetry import context, trace

        self._attached = trace.set_span_in_context(self._other)
        self._detach = context.attach(self._attached)
        return super().activate()

    def deactivate(self) -> None:
        """Make the span current again that was so before."""
        from opentelemetry import context

        attached, self._attached = self._attached, None
        # The SDK complains loudly about a span that is left in another context than it was entered in.
        if attached is not None and context.get_current() is attached:
            context.detach(self._detach)
        super().deactivate()

    def end(self) -> None:
        """Finish, here and there."""
        if self.ended:
            return
        recording, self.recording = self.recording, False
        super().end()
        self.recording = recording
        other = self._other
        if recording:
            from opentelemetry.trace import Status, StatusCode

            redact = runtime.current.settings.redact
            other.update_name(values.text(self.name, redact=redact))
            other.set_attributes(_attributes(self.attributes, redact))
            for at, name, attributes in self.events:
                other.add_event(name, _attributes(attributes, redact), at)
            if self.status != UNSET:
                message = values.text(self.status_message, redact=redact) or None
                other.set_status(Status(StatusCode(self.status), message if self.status == 2 else None))
        other.end(self.end_ns)
        exporter = runtime.current.exporter
        if recording and getattr(exporter, "takes_joined", False):
            runtime.current.export(self)


def start(name: str, kind: int, attributes: Mapping[str, Any] | None, parent: SpanContext | None) -> Span:
    """Start a span with the SDK, under its current span, else under ``parent``."""
    from opentelemetry import trace

    within = None
    if parent is not None:
        here = trace.get_current_span().get_span_context()
        # An instrumentation outside of us has read the same headers: be its child, not its sibling.
        if not here.is_valid or f"{here.trace_id:032x}" != parent.trace_id:
            remote = trace.SpanContext(
                int(parent.trace_id, 16),
                int(parent.span_id, 16),
                is_remote=True,
                trace_flags=trace.TraceFlags(int(parent.sampled)),
                trace_state=trace.TraceState.from_header([parent.tracestate] if parent.tracestate else []),
            )
            within = trace.set_span_in_context(trace.NonRecordingSpan(remote))
    other = tracer().start_span(
        name,
        context=within,
        kind=trace.SpanKind(int(kind) - 1),
        attributes=_attributes(attributes, runtime.current.settings.redact) if attributes else None,
    )
    above = getattr(other, "parent", None)
    return JoinedSpan(
        other, name, kind, _own(other.get_span_context()), f"{above.span_id:016x}" if above else "", attributes
    )


def _own(found: Any) -> SpanContext:
    return SpanContext(
        f"{found.trace_id:032x}", f"{found.span_id:016x}", found.trace_flags.sampled, found.trace_state.to_header()
    )


def _attributes(given: Mapping[str, Any], redact: bool) -> dict[str, Any]:
    """What the SDK takes: text, numbers, booleans and lists of one kind of them."""
    result: dict[str, Any] = {}
    for name, value in values.fields(given, redact=redact).items():
        if isinstance(value, str | bool | int | float):
            result[name] = value
        elif isinstance(value, list):
            result[name] = [item if isinstance(item, str) else str(item) for item in value]
        elif value is not None:
            result[name] = str(value)
    return result


own_context.outside = current
