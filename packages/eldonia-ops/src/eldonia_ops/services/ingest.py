"""Telemetry on its way in: enriched, stored, and shown to whoever reacts to it.

Nothing is acknowledged to its sender before it is stored *and* the state that follows from it
(security windows) is committed: a sender that heard nothing sends again.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import MetricMetadata, Sample, SampleRow
from eldonia_ops.model.security import SecurityEvent
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import TelemetryStore
from eldonia_ops.security.events import from_log

SecuritySink = Callable[[Sequence[SecurityEvent]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Origin:
    """What records lack and the platform knows (the seed's record_transformer filter)."""

    environment: str
    hostname: str


class IngestService:
    """Implements :class:`~eldonia_ops.services.contracts.Ingest`; collectors feed it too.

    ``counts`` holds totals since the start: ``logs``, ``log_parse_errors``, ``spans``, ``samples``,
    ``security_events``.
    """

    def __init__(self, telemetry: TelemetryStore, security: SecuritySink, origin: Origin) -> None:
        self._telemetry = telemetry
        self._security = security
        self._origin = origin
        self.counts: Counter[str] = Counter()

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        """Store records, then let security windows see the events among them."""
        if not records:
            return
        enriched = [self._enrich(record) for record in records]
        await self._telemetry.insert_logs(enriched, batch_key=batch_key)
        events = [event for record in enriched if (event := from_log(record)) is not None]
        if events:
            await self._security(events)
        self.counts["logs"] += len(enriched)
        self.counts["log_parse_errors"] += sum(1 for record in enriched if record.parse_error)
        self.counts["security_events"] += len(events)

    async def spans(self, spans: Sequence[Span]) -> None:
        """Store spans."""
        if spans:
            await self._telemetry.insert_spans(spans)
            self.counts["spans"] += len(spans)

    async def samples(self, samples: Sequence[Sample], metadata: Sequence[MetricMetadata] = ()) -> None:
        """Store samples that came one by one (OTLP, remote write) and what their sender says of them."""
        if metadata:
            await self._telemetry.insert_metadata(metadata)
        if samples:
            await self._telemetry.insert_samples(samples)
            self.counts["samples"] += len(samples)

    async def row(self, row: SampleRow, metadata: Sequence[MetricMetadata] = ()) -> None:
        """Store one scrape."""
        if metadata:
            await self._telemetry.insert_metadata(metadata)
        await self._telemetry.insert_row(row)
        self.counts["samples"] += len(row.labels)

    def _enrich(self, record: LogRecord) -> LogRecord:
        if record.environment and record.hostname:
            return record
        return msgspec.structs.replace(
            record,
            environment=record.environment or self._origin.environment,
            hostname=record.hostname or self._origin.hostname,
        )
