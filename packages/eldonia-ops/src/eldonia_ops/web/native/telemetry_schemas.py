"""What the native API answers about metrics and traces.

Instants are Unix milliseconds, ``*Ns`` and ``*_ns`` are decimal strings of Unix nanoseconds where they count from 1970.
"""

from typing import Any

import msgspec

from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import TraceSummary
from eldonia_ops.promql.histogram_statistics import buckets as histogram_buckets
from eldonia_ops.services.api import QueryResult
from eldonia_ops.web.encoding import number


class NativeHistogramShape(msgspec.Struct):
    """A native histogram; ``buckets`` are ``[lower bound, upper bound, count]`` of those that are not empty."""

    count: float | str
    sum: float | str
    buckets: list[tuple[float | str, float | str, float | str]]


class SeriesShape(msgspec.Struct, omit_defaults=True):
    """``points`` are ``[Unix ms, value]``; values that JSON has no number for are ``"NaN"``, ``"+Inf"``, ``"-Inf"``.

    ``histograms`` are the samples that are native histograms, left out where there are none.
    """

    labels: dict[str, str]
    points: list[tuple[int, float | str]]
    histograms: list[tuple[int, NativeHistogramShape]] = []


class QueryShape(msgspec.Struct):
    """The answer to a PromQL query."""

    type: str
    series: list[SeriesShape]
    text: str
    warnings: tuple[str, ...]
    infos: tuple[str, ...] = ()


def native_histogram_shape(value: NativeHistogram) -> NativeHistogramShape:
    """A native histogram."""
    found = [(number(lower), number(upper), number(count)) for lower, upper, count in histogram_buckets(value)]
    return NativeHistogramShape(number(value.count), number(value.sum), found)


def query_shape(result: QueryResult) -> QueryShape:
    """A query's result."""
    series = [
        SeriesShape(
            dict(one.labels.pairs),
            [(at, number(float(value))) for at, value in one.points],
            [(at, native_histogram_shape(value)) for at, value in one.histograms],
        )
        for one in result.series
    ]
    return QueryShape(result.type, series, result.text, result.warnings, result.infos)


class TraceShape(msgspec.Struct):
    """One line of the trace list."""

    trace_id: str
    root: str
    service: str
    start_ns: str
    duration_ns: int
    spans: int
    errors: int
    services: tuple[str, ...]


def trace_shape(summary: TraceSummary) -> TraceShape:
    """A summary with its start as a string."""
    return TraceShape(
        summary.trace_id,
        summary.root,
        summary.service,
        str(summary.start_ns),
        summary.duration_ns,
        summary.spans,
        summary.errors,
        summary.services,
    )


class SpanEventShape(msgspec.Struct):
    """Something that happened within a span; ``offset_ns`` counts from the start of the trace."""

    name: str
    timestamp_ns: str
    offset_ns: int
    attributes: dict[str, Any]


class SpanLinkShape(msgspec.Struct):
    """A reference to a span of the same or another trace."""

    trace_id: str
    span_id: str
    attributes: dict[str, Any]


class SpanShape(msgspec.Struct):
    """One span; ``offset_ns`` counts from the start of the trace."""

    trace_id: str
    span_id: str
    parent_span_id: str
    service: str
    name: str
    kind: str
    start_ns: str
    offset_ns: int
    duration_ns: int
    status: str
    status_message: str
    attributes: dict[str, Any]
    resource: dict[str, Any]
    events: list[SpanEventShape]
    links: list[SpanLinkShape]
    scope: str


def span_shapes(spans: list[Span]) -> list[SpanShape]:
    """The spans of one trace, by start."""
    first = min((span.start_ns for span in spans), default=0)
    return [
        SpanShape(
            span.trace_id,
            span.span_id,
            span.parent_span_id,
            span.service,
            span.name,
            span.kind.value,
            str(span.start_ns),
            span.start_ns - first,
            max(0, span.end_ns - span.start_ns),
            span.status.value,
            span.status_message,
            span.attributes,
            span.resource,
            [
                SpanEventShape(event.name, str(event.timestamp_ns), event.timestamp_ns - first, event.attributes)
                for event in span.events
            ],
            [SpanLinkShape(link.trace_id, link.span_id, link.attributes) for link in span.links],
            span.scope,
        )
        for span in sorted(spans, key=lambda one: one.start_ns)
    ]
