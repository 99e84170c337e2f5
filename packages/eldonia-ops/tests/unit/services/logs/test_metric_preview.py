"""The preview of a metric over stores: what is counted, how many series it makes, and whether its name is free."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from eldonia_ops.log_metrics import LogMetric, LogMetricType
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import SampleRow
from eldonia_ops.search import parse_search
from eldonia_ops.services.logs.metric_preview import HOUR_MS, LogMetricPreviews
from eldonia_ops.simulation.memory_stores import MemoryLogStore, MemoryMetricStore

NOW = 1_800_000_000_000
METRIC = LogMetric(
    "pay_seconds",
    LogMetricType.HISTOGRAM,
    parse_search("service:pay"),
    "service:pay",
    FieldName(("took",)),
    0.001,
    "seconds",
    (("who", FieldName(("user_id",))), ("operation", FieldName(("operation",)))),
    (0.1, 1.0),
)


class _Clock:
    def now(self) -> int:
        return NOW


def _record(number: int, **more: Any) -> LogRecord:
    ns = (NOW - 60_000) * 1_000_000 + number
    plain = LogRecord(
        timestamp_ns=ns, message="paid", service="pay", user_id=f"u{number % 5}", operation=f"o{number % 2}"
    )
    return msgspec.structs.replace(plain, **{"metadata": {"took": number * 100}, **more})


async def test_it_counts_the_last_hour_and_the_combinations_of_labels() -> None:
    logs, metrics = MemoryLogStore(), MemoryMetricStore(NOW)
    old = (NOW - HOUR_MS) * 1_000_000 - 1
    await logs.insert_logs(
        [
            *map(_record, range(20)),
            _record(20, metadata={}),
            _record(21, service="shop"),
            _record(22, timestamp_ns=old),
        ]
    )
    previews = LogMetricPreviews(_Clock(), logs, metrics, list)
    found = await previews.preview(METRIC)
    assert (found.hours, found.records, found.sample, found.skipped) == (1.0, 21, 21, 1)
    assert [(one.label, one.field, one.values) for one in found.labels] == [
        ("who", "user_id", 5),
        ("operation", "operation", 2),
    ]
    assert (found.series, found.max_series) == (10, 1_000)
    assert [(one.le, one.count) for one in found.buckets] == [("0.1", 2), ("1.0", 9), ("+Inf", 9)]
    assert (found.lowest, found.highest, found.taken) == (0.0, pytest.approx(1.9), False)
    assert found.fitting[-1] >= 1.9


async def test_a_name_that_has_series_from_elsewhere_is_taken() -> None:
    logs, metrics = MemoryLogStore(), MemoryMetricStore(NOW)
    own: list[str] = []
    previews = LogMetricPreviews(_Clock(), logs, metrics, lambda: own)
    assert not (await previews.preview(METRIC)).taken
    labels = (Labels({METRIC_NAME: "pay_seconds_count", "job": "pay"}),)
    await metrics.insert_row(SampleRow("t", NOW - 1_000, labels, np.array([1.0])))
    assert (await previews.preview(METRIC)).taken
    assert not (await previews.preview(replace(METRIC, name="pay"))).taken
    own.append("pay_seconds")
    assert not (await previews.preview(METRIC)).taken, "it is changed: these are its own series"


async def test_without_records_there_is_nothing_to_fit() -> None:
    found = await LogMetricPreviews(_Clock(), MemoryLogStore(), MemoryMetricStore(NOW), list).preview(METRIC)
    assert (found.records, found.fitting, found.lowest, found.series) == (0, (), None, 0)
