"""Telemetry on its way in: enriched, stored, and then handed to those who subscribed to stored records.

Nothing is acknowledged to its sender before it is stored *and* the state that subscribers derive from it
(security windows) is committed: a sender that heard nothing sends again.

Times are the sender's word, and are not taken on trust: each day that records name is a partition of
its own on the disk, and a sample of the year 2099 would make its series refuse every true one.
"""

import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from eldonia_ops.model.log_batch import LogBatch, parse_errors, with_defaults
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.model.samples import AnySample, MetricMetadata, SampleRow
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import Clock, TelemetryStores, TelemetryUnavailableError
from eldonia_ops.services.api import RefusalView
from eldonia_ops.services.logs.pattern_mining import LogPatternMining
from eldonia_ops.services.metric_declarations import INSERT
from eldonia_ops.services.own_metrics import OwnMetrics
from eldonia_ops.services.refusals import Refusals
from eldonia_ops.sinks import Receipt, RefusedItem

log = logging.getLogger("eldonia_ops.ingest")
_MS = 1_000_000  # nanoseconds
COUNTED: Final = ("logs", "log_parse_errors", "spans", "samples", "refused_times")
"""What is counted."""
_UNTIMELY = "a time too long ago to be kept, or in the future"

SpanSubscriber = Callable[[Sequence[Span]], None]
"""Is given each batch of spans once it is stored. It must not raise: what is stored is acknowledged."""

LogSubscriber = Callable[[Sequence[LogRecord]], Awaitable[None]]
"""Is given each batch of records once it is stored. It returns when what follows from the records is committed.

If it raises, the batch is not acknowledged and comes again, so it has to recognise records by what they hold."""


LogCounter = Callable[[Sequence[LogRecord], str], None]
"""Is given each batch of records once it is stored, with its key. It must not raise. A batch may come again: because of
a subscriber that failed, or by its sender; those with a key can be recognised."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What records lack and the platform knows (the seed's record_transformer filter)."""

    environment: str
    hostname: str


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far from now (ms) the times of records may lie: back as far as they are kept, and a little ahead.

    ``samples_ahead_ms`` is Prometheus' own bound; ``ahead_ms``, for logs and spans, allows for a clock that
    shows local time.
    """

    logs_ms: int = 30 * 86_400_000
    traces_ms: int = 14 * 86_400_000
    metrics_ms: int = 90 * 86_400_000
    ahead_ms: int = 86_400_000
    samples_ahead_ms: int = 600_000


def _with_possible_time(record: LogRecord, now_ns: int) -> LogRecord:
    """A record whose time is too far in the future gets the present time: most likely it has just happened."""
    note = {"timestampNs": str(record.timestamp_ns), "timestampError": "the time lies in the future"}
    return msgspec.structs.replace(record, timestamp_ns=now_ns, metadata={**record.metadata, **note})


def _as_text(record: LogRecord, error: Exception) -> LogRecord:
    """What is left of a record that cannot be stored: its place and, as its message, all that it held."""
    text = record.message
    if record.metadata or record.error is not None or record.performance is not None:
        try:
            text = msgspec.json.encode(record).decode()
        except (ValueError, TypeError, RecursionError, OverflowError):
            text = f"{record.message} {record.metadata!r:.4000}"
    return bounded_record(
        LogRecord(
            timestamp_ns=record.timestamp_ns,
            message=text,
            level=record.level,
            service=record.service,
            environment=record.environment,
            hostname=record.hostname,
            source=record.source,
            offset=record.offset,
            tag=record.tag,
            parse_error=f"the store refused the record: {str(error)[:300]}",
        )
    )


class IngestService:
    """Implements :class:`~eldonia_ops.services.api.Ingest`; collectors feed it too.

    ``counts`` holds totals since the start: ``logs``, ``log_parse_errors``, ``spans``, ``samples``, and
    ``refused_times`` for what :class:`Horizon` left out.
    """

    def __init__(
        self,
        telemetry: TelemetryStores,
        origin: Origin,
        clock: Clock | None = None,
        horizon: Horizon = Horizon(),
        metrics: OwnMetrics | None = None,
        patterns: LogPatternMining | None = None,
    ) -> None:
        self._telemetry = telemetry
        self.patterns = patterns or LogPatternMining(telemetry.logs)
        self.origin = origin
        self._clock = clock
        self._horizon = horizon
        self._metrics = metrics or OwnMetrics()
        self._refusals = Refusals()
        self._log_subscribers: list[LogSubscriber] = []
        self._log_counters: list[LogCounter] = []
        self._span_subscribers: list[SpanSubscriber] = []
        # From 0 on: rate() sees only series that exist before the first event.
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))

    def subscribe(self, subscriber: LogSubscriber) -> None:
        """Have every batch of log records handed to ``subscriber`` once it is stored, in the order of subscription."""
        self._log_subscribers.append(subscriber)

    def count_logs_by(self, counter: LogCounter) -> None:
        """Have every batch of log records handed to ``counter`` once it is stored, before the subscribers."""
        self._log_counters.append(counter)

    def subscribe_spans(self, subscriber: SpanSubscriber) -> None:
        """Have every batch of spans handed to ``subscriber`` once it is stored."""
        self._span_subscribers.append(subscriber)

    def refused(self, signal: str, source: str, reasons: Mapping[str, int]) -> None:
        """Note what was refused of a source, items by reason."""
        if reasons:
            self._refusals.note(signal, source, reasons, self._clock.now() if self._clock is not None else 0)

    def refusals(self) -> list[RefusalView]:
        """What was refused since the start, the latest first."""
        return self._refusals.listed()

    def refused_totals(self) -> Mapping[tuple[str, str], int]:
        """The same by signal and reason alone, for metrics."""
        return self._refusals.totals

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        """Store records, then let subscribers see them.

        A record from the far future is kept with the present time, and says so; one that is too old is refused.
        """
        if not records:
            return Receipt(0)
        enriched, refused = self._timely(self._enriched(records))
        if enriched:
            started = time.perf_counter()
            enriched = await self._stored(await self.patterns.found(enriched), batch_key)
            self._took(started, "logs")
            for counter in self._log_counters:
                counter(enriched, batch_key)
            for subscriber in self._log_subscribers:
                await subscriber(enriched)
        self.counts["logs"] += len(enriched)
        self.counts["log_parse_errors"] += parse_errors(enriched)
        return self._receipt(len(records), refused)

    async def _stored(self, records: Sequence[LogRecord], batch_key: str) -> Sequence[LogRecord]:
        """Store records; those that the store refuses while it takes others are kept as their text alone.

        Raises:
            TelemetryError: it takes none of them. They have to be offered again.
        """
        try:
            await self._telemetry.logs.insert_logs(records, batch_key=batch_key)
            return records
        except TelemetryUnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the neighbours of a bad record are stored
            if len(records) == 1:
                plain = _as_text(records[0], error)
                try:
                    await self._telemetry.logs.insert_logs([plain], batch_key=f"{batch_key}#text" if batch_key else "")
                except Exception:  # noqa: BLE001 - the first failure says why
                    raise error from None
                log.warning("a record of %s was refused by the store and is kept as text: %s", plain.source, error)
                return [plain]
            half = len(records) // 2
            found: list[LogRecord] = []
            for number, part in enumerate((records[:half], records[half:])):
                found += await self._stored(part, f"{batch_key}/{number}" if batch_key else "")
            return found

    async def spans(self, spans: Sequence[Span]) -> Receipt:
        """Store spans; those that are too old, or from the far future, are refused."""
        kept: Sequence[Span] = spans
        untimely: list[int] = []
        if self._clock is not None and spans:
            now = self._clock.now()
            low, high = (now - self._horizon.traces_ms) * _MS, (now + self._horizon.ahead_ms) * _MS
            untimely = [index for index, span in enumerate(spans) if not low <= span.start_ns <= high]
            if untimely:
                kept = [span for span in spans if low <= span.start_ns <= high]
        if kept:
            started = time.perf_counter()
            await self._telemetry.traces.insert_spans(kept)
            self._took(started, "traces")
            self.counts["spans"] += len(kept)
            for subscriber in self._span_subscribers:
                subscriber(kept)
        return self._receipt(len(spans), untimely)

    async def samples(self, samples: Sequence[AnySample], metadata: Sequence[MetricMetadata] = ()) -> Mapping[str, int]:
        """Store samples that came one by one (OTLP, remote write) and what their sender says of them.

        Returns how many were refused: too old, from the future, or by the store.
        """
        if metadata:
            await self._telemetry.metrics.insert_metadata(metadata)
        by_store: Mapping[str, int] = {}
        if self._clock is None or not samples:
            kept = samples
        else:
            now = self._clock.now()
            low, high = now - self._horizon.metrics_ms, now + self._horizon.samples_ahead_ms
            kept = [sample for sample in samples if low <= sample.timestamp_ms <= high]
        if kept:
            started = time.perf_counter()
            by_store = await self._telemetry.metrics.insert_samples(kept)
            self._took(started, "metrics")
            self.counts["samples"] += len(kept) - sum(by_store.values())
        return {**by_store, **self._untimely(len(samples) - len(kept))}

    async def row(self, row: SampleRow, metadata: Sequence[MetricMetadata] = ()) -> Mapping[str, int]:
        """Store one scrape; returns what the store refused of it, by reason."""
        if metadata:
            await self._telemetry.metrics.insert_metadata(metadata)
        started = time.perf_counter()
        refused = await self._telemetry.metrics.insert_row(row)
        self._took(started, "metrics")
        self.counts["samples"] += len(row.labels) - sum(refused.values())
        return refused

    def _took(self, started: float, signal: str) -> None:
        self._metrics.observe(INSERT, time.perf_counter() - started, signal)

    def _untimely(self, count: int) -> Mapping[str, int]:
        if not count:
            return {}
        self.counts["refused_times"] += count
        return {_UNTIMELY: count}

    def _receipt(self, count: int, untimely: Sequence[int]) -> Receipt:
        self._untimely(len(untimely))
        return Receipt(count, tuple(RefusedItem(index, _UNTIMELY) for index in untimely))

    def _timely(self, records: Sequence[LogRecord]) -> tuple[Sequence[LogRecord], list[int]]:
        """The records that are kept, and the places of those that are not."""
        if self._clock is None:
            return records, []
        now_ns = self._clock.now() * _MS
        low, high = now_ns - self._horizon.logs_ms * _MS, now_ns + self._horizon.ahead_ms * _MS
        if isinstance(records, LogBatch):
            earliest, latest = records.span_ns()
            if low <= earliest and latest <= high:
                return records, []
        elif all(low <= record.timestamp_ns <= high for record in records):
            return records, []
        kept = [
            record if record.timestamp_ns <= high else _with_possible_time(record, now_ns)
            for record in records
            if record.timestamp_ns >= low
        ]
        return kept, [index for index, record in enumerate(records) if record.timestamp_ns < low]

    def _enriched(self, records: Sequence[LogRecord]) -> Sequence[LogRecord]:
        origin = {"environment": self.origin.environment, "hostname": self.origin.hostname}
        if isinstance(records, LogBatch):
            return records.with_defaults(**origin)
        return [
            record if record.environment and record.hostname else with_defaults(record, origin) for record in records
        ]
