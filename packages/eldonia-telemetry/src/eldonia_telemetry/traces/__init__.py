"""Distributed tracing: spans after the OpenTelemetry data model, W3C propagation, OTLP export."""

from eldonia_telemetry.context import current_span
from eldonia_telemetry.traces.propagation import SpanContext, extract, inject
from eldonia_telemetry.traces.span import Kind, Span
from eldonia_telemetry.traces.tracer import span, start_span

__all__ = ["Kind", "Span", "SpanContext", "current_span", "extract", "inject", "span", "start_span"]
