"""Spans by trace."""

import math
from collections import Counter
from collections.abc import Callable, Sequence

from eldonia_ops.model.condition_fields import span_satisfies, span_values
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName, text_of
from eldonia_ops.model.spans import Span, SpanStatus
from eldonia_ops.ports import (
    FieldCount,
    ServiceCalls,
    TraceCell,
    TraceDistribution,
    TraceQuery,
    TraceSort,
    TraceSummary,
    ValueCount,
)
from eldonia_ops.ports.traces import LATEST_NS, MOST_SPANS, SHORTEST_NS, STEPS_PER_DECADE
from eldonia_ops.simulation.memory_stores.failing import FailingStore


class MemoryTraceStore(FailingStore):
    """``traces`` holds the spans of each trace by the order of their start; a span that comes twice is kept once."""

    def __init__(self) -> None:
        self.traces: dict[str, list[Span]] = {}
        self._batches: set[str] = set()

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        self.check()
        if batch_key and batch_key in self._batches:
            return
        self._batches.add(batch_key)
        for span in spans:
            known = self.traces.setdefault(span.trace_id, [])
            if all(other.span_id != span.span_id for other in known):
                known.append(span)
                known.sort(key=lambda one: (one.start_ns, one.span_id))

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        self.check()
        measure = _MEASURES[query.sort]
        return sorted(self._found(query), key=lambda one: (-measure(one), -one.start_ns, one.trace_id))[: query.limit]

    async def trace_distribution(self, query: TraceQuery, times: int = 60) -> TraceDistribution:
        self.check()
        width = max(1, -(-(query.until_ns - query.since_ns) // max(1, times)))
        counts: Counter[tuple[int, int]] = Counter()
        errors: Counter[tuple[int, int]] = Counter()
        for one in self._found(query):
            place = ((one.start_ns - query.since_ns) // width, _duration_bucket(one.duration_ns))
            counts[place] += 1
            errors[place] += one.errors > 0
        cells = tuple(TraceCell(*place, counts[place], errors[place]) for place in sorted(counts))
        return TraceDistribution(query.since_ns, width, -(-(query.until_ns - query.since_ns) // width), cells)

    async def span_fields(self, query: TraceQuery, *, spans: int = 1_000, limit: int = 200) -> list[FieldCount]:
        self.check()
        newest = sorted(self._spans(query), key=lambda span: -span.start_ns)[:spans]
        counts = Counter(key for span in newest for key in {**span.resource, **span.attributes})
        return [FieldCount(FieldName((key,), exact=True), count) for key, count in counts.most_common(limit)]

    async def span_values(
        self, query: TraceQuery, name: FieldName, *, prefix: str = "", limit: int = 20
    ) -> list[ValueCount]:
        self.check()
        values = [value for span in self._spans(query) for value in span_values(span, name)[:1]]
        texts = [text_of(value) for value in values if value is not None and not isinstance(value, list)]
        counts = Counter(text for text in texts if text.lower().startswith(prefix.lower()))
        return [ValueCount(*one) for one in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:limit]]

    async def service_calls(self, service: str, since_ns: int, until_ns: int) -> list[ServiceCalls]:
        self.check()
        counts: Counter[tuple[str, str]] = Counter()
        errors: Counter[tuple[str, str]] = Counter()
        for spans in self.traces.values():
            within = {span.span_id: span for span in spans if since_ns <= span.start_ns < until_ns}
            for span in within.values():
                parent = within.get(span.parent_span_id)
                if parent is not None and parent.service != span.service and service in (parent.service, span.service):
                    counts[parent.service, span.service] += 1
                    errors[parent.service, span.service] += span.status is SpanStatus.ERROR
        ordered = sorted(counts, key=lambda pair: (-counts[pair], pair))
        return [ServiceCalls(*pair, counts[pair], errors[pair]) for pair in ordered]

    def _spans(self, query: TraceQuery) -> list[Span]:
        every = [span for spans in self.traces.values() for span in spans]
        return [one for one in every if query.since_ns <= one.start_ns < query.until_ns and _fits(one, query)]

    def _found(self, query: TraceQuery) -> list[TraceSummary]:
        found: list[TraceSummary] = []
        for id, spans in self.traces.items():
            start = min(span.start_ns for span in spans)
            duration = max(span.end_ns for span in spans) - start
            errors = sum(span.status is SpanStatus.ERROR for span in spans)
            if (
                query.since_ns <= start < query.until_ns
                and any(_fits(span, query) for span in spans)
                and duration >= query.min_duration_ns
                and (not query.max_duration_ns or duration <= query.max_duration_ns)
                and (not query.errors_only or errors)
            ):
                root = min(spans, key=lambda span: (span.parent_span_id != "", span.start_ns))
                services = tuple(sorted({span.service for span in spans}))
                found.append(TraceSummary(id, root.name, root.service, start, duration, len(spans), errors, services))
        return found

    async def get_trace(self, trace_id: str) -> list[Span]:
        return list(self.traces.get(trace_id, ()))

    async def get_traces(
        self, trace_ids: Sequence[str], since_ns: int = 0, until_ns: int = LATEST_NS
    ) -> list[list[Span]]:
        self.check()
        found: list[list[Span]] = []
        room = MOST_SPANS
        for id in dict.fromkeys(trace_ids):
            spans = [span for span in self.traces.get(id, ()) if since_ns <= span.start_ns < until_ns]
            if len(spans) > room and found:
                break
            room -= len(spans)
            found += [spans[:MOST_SPANS]] if spans else []
        return found

    async def trace_services(self) -> list[str]:
        return sorted({span.service for spans in self.traces.values() for span in spans} - {""})

    async def trace_operations(self, service: str) -> list[str]:
        return sorted({span.name for spans in self.traces.values() for span in spans if span.service == service})


_MEASURES: dict[TraceSort, Callable[[TraceSummary], int]] = {
    TraceSort.NEWEST: lambda one: one.start_ns,
    TraceSort.LONGEST: lambda one: one.duration_ns,
    TraceSort.SPANS: lambda one: one.spans,
    TraceSort.ERRORS: lambda one: one.errors,
}


def _duration_bucket(duration_ns: int) -> int:
    return math.floor(STEPS_PER_DECADE * math.log10(max(duration_ns, SHORTEST_NS) / SHORTEST_NS) + 1e-9)


def _equal(tag: str, value: str) -> Condition:
    return Condition(FieldName((tag,), exact=True), ConditionOp.EQUAL, value)


def _fits(span: Span, query: TraceQuery) -> bool:
    tags = {**span.resource, **span.attributes}
    return (
        (not query.service or span.service == query.service)
        and (not query.operation or span.name == query.operation)
        and span_satisfies(span, query.where)
        and all(_equal(name, value).holds(tags.get(name)) for name, value in query.tags.items())
    )
