"""Spans by trace."""

from collections.abc import Sequence

from eldonia_ops.model.condition_fields import span_satisfies
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.model.spans import Span, SpanStatus
from eldonia_ops.ports import TraceQuery, TraceSummary
from eldonia_ops.ports.traces import LATEST_NS, MOST_SPANS
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
        return sorted(found, key=lambda one: (-one.start_ns, one.trace_id))[: query.limit]

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
