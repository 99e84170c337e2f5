"""What the intake makes of times that senders name."""

from collections.abc import Sequence
from typing import Any

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import Sample
from eldonia_ops.model.spans import Span
from eldonia_ops.ports import TelemetryStores, TelemetryUnavailableError
from eldonia_ops.services.ingest import Horizon, IngestService, Origin
from eldonia_ops.sinks import Receipt

NOW = 1_795_000_000_000
DAY = 86_400_000
MS = 1_000_000
UNTIMELY = "a time too long ago to be kept, or in the future"


class Still:
    def now(self) -> int:
        return NOW

    async def sleep_until(self, at: int) -> None:
        raise AssertionError


class Kept:
    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.spans: list[Span] = []
        self.samples: list[Sample] = []
        self.refused: dict[str, int] = {}

    async def insert_logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        self.records += records

    async def insert_spans(self, spans: Sequence[Span]) -> None:
        self.spans += spans

    async def insert_samples(self, samples: Sequence[Sample]) -> dict[str, int]:
        self.samples += samples
        return self.refused


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def ingest(kept: Kept) -> IngestService:
    store: Any = kept
    return IngestService(
        TelemetryStores.on_one(store), Origin("test", "here"), Still(), Horizon(30 * DAY, 14 * DAY, 90 * DAY)
    )


async def test_records_too_old_to_be_kept_make_no_partitions(ingest: IngestService, kept: Kept) -> None:
    days = [LogRecord(timestamp_ns=(NOW - day * DAY) * MS, message=str(day)) for day in range(1_000)]
    receipt = await ingest.logs(days)
    assert (receipt.count, receipt.stored, receipt.by_reason) == (1_000, 31, {UNTIMELY: 969})
    assert [item.index for item in receipt.refused] == list(range(31, 1_000))
    assert {record.message for record in kept.records} == {str(day) for day in range(31)}
    assert ingest.counts["refused_times"] == 969


async def test_a_record_from_the_far_future_is_kept_with_the_present_time(ingest: IngestService, kept: Kept) -> None:
    ahead = (NOW + 2 * DAY) * MS
    assert await ingest.logs([LogRecord(timestamp_ns=ahead, message="skewed", metadata={"a": 1})]) == Receipt(1)
    (record,) = kept.records
    assert record.timestamp_ns == NOW * MS
    assert record.metadata["a"] == 1
    assert record.metadata["timestampNs"] == str(ahead)
    assert "future" in record.metadata["timestampError"]


async def test_a_sample_from_the_future_cannot_shut_out_the_true_ones(ingest: IngestService, kept: Kept) -> None:
    labels = Labels({"__name__": "up"})
    times = [NOW - 91 * DAY, NOW - DAY, NOW, NOW + 599_000, NOW + 601_000, 4_070_908_800_000]
    assert await ingest.samples([Sample(labels, at, 1.0) for at in times]) == {UNTIMELY: 3}
    assert [sample.timestamp_ms for sample in kept.samples] == times[1:4]


async def test_spans_keep_to_the_same_horizon(ingest: IngestService, kept: Kept) -> None:
    starts = [1, (NOW - 15 * DAY) * MS, NOW * MS, 2**63 - 10]
    spans = [Span(trace_id="1" * 32, span_id="1" * 16, start_ns=at, end_ns=at) for at in starts]
    assert [item.index for item in (await ingest.spans(spans)).refused] == [0, 1, 3]
    assert [span.start_ns for span in kept.spans] == [NOW * MS]


async def test_a_record_that_the_store_refuses_is_kept_as_text_and_its_neighbours_as_they_are(
    ingest: IngestService, kept: Kept
) -> None:
    whole = kept.insert_logs

    async def refuse(records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        keys.append(batch_key)
        if any("bad" in record.metadata for record in records):
            raise ValueError("what is this?")
        await whole(records)

    keys: list[str] = []
    kept.insert_logs = refuse  # type: ignore[method-assign]
    records = [LogRecord(timestamp_ns=NOW * MS, message=str(n), offset=n) for n in range(9)]
    records[4] = LogRecord(timestamp_ns=NOW * MS, message="4", offset=4, metadata={"bad": 1})
    assert await ingest.logs(records, batch_key="k") == Receipt(9)
    assert [record.offset for record in kept.records] == list(range(9))
    assert [record.message for record in kept.records if record.offset != 4] == [str(n) for n in range(9) if n != 4]
    assert "what is this?" in kept.records[4].parse_error
    assert '"bad":1' in kept.records[4].message
    assert ingest.counts["log_parse_errors"] == 1
    assert len(keys) == len(set(keys)), "the same lines read again must have the same keys, and no two parts one"


async def test_a_store_that_is_away_is_not_asked_for_each_record(ingest: IngestService, kept: Kept) -> None:
    calls: list[int] = []

    async def away(records: Sequence[LogRecord], *, batch_key: str = "") -> None:
        calls.append(len(records))
        raise TelemetryUnavailableError("no answer")

    kept.insert_logs = away  # type: ignore[method-assign]
    with pytest.raises(TelemetryUnavailableError):
        await ingest.logs([LogRecord(timestamp_ns=NOW * MS, message="m")] * 500)
    assert calls == [500]


async def test_what_the_store_refuses_of_samples_is_named(ingest: IngestService, kept: Kept) -> None:
    kept.refused = {"a sample that is older than the newest of its series": 1}
    labels = Labels({"__name__": "up"})
    answer = await ingest.samples([Sample(labels, at, 1.0) for at in (NOW - 1, NOW, NOW + DAY)])
    assert answer == {"a sample that is older than the newest of its series": 1, UNTIMELY: 1}
    assert ingest.counts["samples"] == 1
    ingest.refused("metrics", "node/web-1", answer)
    assert [(one.source, one.count, one.last_at) for one in ingest.refusals()] == [("node/web-1", 1, NOW)] * 2
    assert ingest.refused_totals()["metrics", UNTIMELY] == 1


async def test_subscribers_see_what_is_stored_and_only_then(ingest: IngestService, kept: Kept) -> None:
    seen: list[tuple[list[str], int]] = []

    async def look(records: Sequence[LogRecord]) -> None:
        seen.append(([record.message for record in records], len(kept.records)))

    ingest.subscribe(look)
    old, new = (LogRecord(timestamp_ns=at * MS, message=str(at)) for at in (NOW - 40 * DAY, NOW))
    await ingest.logs([old, new])
    await ingest.logs([old])
    assert seen == [([str(NOW)], 1)]


async def test_a_subscriber_that_fails_keeps_records_from_being_acknowledged(ingest: IngestService) -> None:
    async def fail(_: Sequence[LogRecord]) -> None:
        raise RuntimeError("no state store")

    ingest.subscribe(fail)
    with pytest.raises(RuntimeError, match="no state store"):
        await ingest.logs([LogRecord(timestamp_ns=NOW * MS, message="m")])
