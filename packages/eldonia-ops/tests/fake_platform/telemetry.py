"""A generated hour of logs and traces, and the questions that pages ask of it."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, all_match
from eldonia_ops.model.samples import MetricMetadata, MetricType, Sample, SampleRow, SeriesBlock
from eldonia_ops.model.spans import Span, SpanStatus
from eldonia_ops.ports import LogHistogram, LogPage, LogQuery, TraceQuery, TraceSummary
from fake_platform.marketplace import log_record, trace
from fake_platform.times import NOW

_generated: dict[int, tuple[list[LogRecord], dict[str, list[Span]]]] = {}  # the same for every test that starts at NOW


class FakeTelemetry:
    def __init__(self, clock: Callable[[], int], rng: random.Random) -> None:
        self._now = clock
        self.logs: list[LogRecord] = []
        self.traces: dict[str, list[Span]] = {}
        self.samples: list[Sample] = []
        self._rng = rng
        self._generate()

    def _generate(self) -> None:
        now, rng = self._now(), self._rng
        known = _generated.get(now)
        if known is not None:
            self.logs, self.traces = list(known[0]), dict(known[1])
            return
        for index in range(90):
            spans = trace(rng, now - index * 38_000 - rng.randrange(20_000), index)
            self.traces[spans[0].trace_id] = spans
        for index in range(1200):
            self.add_log(now - index * 2_900 - rng.randrange(2_500))
        self.logs.sort(key=lambda record: (record.timestamp_ns, record.id), reverse=True)
        if now == NOW:
            _generated[now] = (list(self.logs), dict(self.traces))

    def add_log(self, at: int) -> None:
        """A line at ``at`` (milliseconds), behind all others whatever its time; the caller sorts."""
        self.logs.append(log_record(self._rng, at, len(self.logs) + 1, list(self.traces)))

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        words = query.text.lower().split()
        return [
            record
            for record in self.logs
            if query.since_ns <= record.timestamp_ns < query.until_ns
            and (not query.levels or record.level in query.levels)
            and (not query.services or record.service in query.services)
            and (not query.trace_id or record.trace_id == query.trace_id)
            and (not query.request_id or record.request_id == query.request_id)
            and (not query.user_id or record.user_id == query.user_id)
            and (not query.component or record.component == query.component)
            and (not query.parse_errors_only or record.parse_error)
            and all(word in record.message.lower() for word in words)
        ]

    async def search_logs(self, query: LogQuery) -> LogPage:
        found = [
            record
            for record in self._matching(query)
            if (query.before is None or (record.timestamp_ns, record.id) < query.before)
            and (query.after is None or (record.timestamp_ns, record.id) > query.after)
        ]
        return LogPage(found[: query.limit], len(found) > query.limit)

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        width = max(1, (query.until_ns - query.since_ns) // buckets)
        counts = {level.value: [0] * buckets for level in LogLevel}
        found = self._matching(query)
        for record in found:
            counts[record.level.value][min(buckets - 1, (record.timestamp_ns - query.since_ns) // width)] += 1
        return LogHistogram([query.since_ns + i * width for i in range(buckets)], width, counts, len(found))

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        return sorted({record.service for record in self.logs if since_ns <= record.timestamp_ns < until_ns})

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        found = []
        for id, spans in self.traces.items():
            root = spans[0]
            duration = root.end_ns - root.start_ns
            errors = sum(span.status is SpanStatus.ERROR for span in spans)
            services = tuple(sorted({span.service for span in spans}))
            if (
                query.since_ns <= root.start_ns < query.until_ns
                and (not query.service or query.service in services)
                and (not query.operation or any(span.name == query.operation for span in spans))
                and duration >= query.min_duration_ns
                and (not query.max_duration_ns or duration <= query.max_duration_ns)
                and (not query.errors_only or errors)
                and all(
                    any(str(span.attributes.get(name)) == value for span in spans) for name, value in query.tags.items()
                )
            ):
                found.append(
                    TraceSummary(id, root.name, root.service, root.start_ns, duration, len(spans), errors, services)
                )
        return sorted(found, key=lambda one: -one.start_ns)[: query.limit]

    async def get_trace(self, trace_id: str) -> list[Span]:
        return self.traces.get(trace_id, [])

    async def trace_services(self) -> list[str]:
        return sorted({span.service for spans in self.traces.values() for span in spans})

    async def trace_operations(self, service: str) -> list[str]:
        return sorted({span.name for spans in self.traces.values() for span in spans if span.service == service})

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        known = [Labels({"__name__": "up", "job": "shop"}), Labels({"__name__": "up", "job": "node"})]
        return [labels for labels in known if all_match(matchers, labels)]

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        return sorted({name for labels in await self.series(matchers, start_ms, end_ms) for name in labels})

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found = await self.series(matchers, start_ms, end_ms)
        return sorted({labels[name] for labels in found if name in labels})

    async def metadata(self) -> list[MetricMetadata]:
        return [
            MetricMetadata("http_requests_total", MetricType.COUNTER, "HTTP requests answered."),
            MetricMetadata("up", MetricType.GAUGE, "Whether the last scrape worked."),
        ]

    # --- what is written here is found again ---

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        self.logs = sorted([*records, *self.logs], key=lambda record: (record.timestamp_ns, record.id), reverse=True)

    async def insert_spans(self, spans: Sequence[Span], *, batch_key: str = "") -> None:
        for span in spans:
            self.traces.setdefault(span.trace_id, []).append(span)

    async def insert_row(self, row: SampleRow) -> dict[str, int]:
        pairs = zip(row.labels, row.values.tolist(), strict=True)
        self.samples += [Sample(labels, row.timestamp_ms, value) for labels, value in pairs]
        return {}

    async def insert_samples(self, samples: Sequence[Sample]) -> dict[str, int]:
        self.samples += samples
        return {}

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        raise NotImplementedError("the generated metrics have their own")

    async def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[SeriesBlock]:
        chosen: dict[Labels, dict[int, float]] = {}
        for sample in self.samples:
            if start_ms <= sample.timestamp_ms <= end_ms and all_match(matchers, sample.labels):
                chosen.setdefault(sample.labels, {})[sample.timestamp_ms] = sample.value
        return [
            SeriesBlock((labels,), np.array(sorted(values)), np.array([[values[at]] for at in sorted(values)]))
            for labels, values in chosen.items()
        ]

    async def source_position(self, source: str) -> int | None:
        return max((record.offset for record in self.logs if record.source == source), default=None)

    async def statistics(self) -> dict[str, Any]:
        return {}

    async def close(self) -> None:
        pass
