"""Counts log records in memory by the metrics that are made of them; no clock, no store.

A series begins with a zero before its first value: so ``increase`` sees the first records, and a restart is a reset.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from eldonia_ops.log_metrics.definition import LogMetric, LogMetricType
from eldonia_ops.log_metrics.series import OTHER, MetricSeries, labels_of
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.log_batch import LogBatch, LogBlock
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import STALE_NAN, MetricMetadata, MetricType, SampleRow
from eldonia_ops.search.block_rows import cheapest_first, column_of, matching_rows
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.tree import Node
from eldonia_ops.search.values import field_value, value_number, value_text

TARGET: Final = "log_metrics"
IDLE_MS: Final = 3_600_000
"""After so long without a record, a series with labels ends: another may take its place."""

KEYS: Final = 10_000
"""Batches that are known by their keys: one that comes again is counted once. The write-ahead log knows as many."""

_LONGEST: Final = 200
_Key = tuple[str, ...]


@dataclass(slots=True)
class _Counted:
    """A metric and its series; the numbers are those of :class:`LogMetricState`."""

    metric: LogMetric
    search: Node
    series: dict[_Key, MetricSeries]
    records: int = 0
    overflow: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class LogMetricState:
    """What was counted of a metric since it was defined or the platform started.

    ``records`` matched and counted; of them ``overflow`` went to the series whose labels are ``(other)``. ``skipped``
    matched, but lack a number in the field that is looked at, or have one below zero for a counter.
    """

    metric: LogMetric
    series: int
    records: int
    overflow: int
    skipped: int


class LogCounts:
    """Counts records by metrics; the same calls give the same rows."""

    def __init__(self, metrics: Sequence[LogMetric] = ()) -> None:
        self._counted: dict[str, _Counted] = {}
        self._fresh: list[Labels] = []
        self._ended: list[Labels] = []
        self._given = (0, 0, 0)  # how many of the fresh and the ended ones the last rows hold, and their instant
        self._keys: dict[str, None] = {}
        self.configure(metrics)

    def configure(self, metrics: Sequence[LogMetric]) -> None:
        """Count by other metrics: those that are the same go on, the series of others end."""
        before, self._counted = self._counted, {}
        for metric in metrics:
            known = before.get(metric.name)
            if known is not None and known.metric == metric:
                self._counted[metric.name] = before.pop(metric.name)
                continue
            counted = self._counted[metric.name] = _Counted(metric, cheapest_first(metric.search), {})
            if not metric.labels and metric.type is not LogMetricType.GAUGE:
                self._begun(counted, (), 0)
        for counted in before.values():
            self._ended += [labels for series in counted.series.values() for labels in series.labels]

    @property
    def states(self) -> list[LogMetricState]:
        """What was counted, in the order of the settings."""
        return [
            LogMetricState(one.metric, len(one.series), one.records, one.overflow, one.skipped)
            for one in self._counted.values()
        ]

    @property
    def metadata(self) -> list[MetricMetadata]:
        """What to say of the metrics."""
        return [
            MetricMetadata(one.name, MetricType(one.type), one.help or f"Log records: {one.text or 'all'}", one.unit)
            for one in (counted.metric for counted in self._counted.values())
        ]

    def add(self, records: Sequence[LogRecord], now_ms: int, key: str = "") -> None:
        """Count records that were stored; not again those of a batch whose ``key`` is known."""
        if not self._counted or (key and not self._is_new(key)):
            return
        for counted in self._counted.values():
            if counted.metric.fed:
                continue
            if isinstance(records, LogBatch):
                for part in records.parts:
                    self._add_block(counted, part.block, now_ms)
                self._add_records(counted, records.singles.values(), now_ms)
            else:
                self._add_records(counted, records, now_ms)

    def rows(self, before_ms: int, now_ms: int) -> list[SampleRow]:
        """What there is to be stored: a zero at ``before_ms`` for what is new since the last call, then all values.

        Series of metrics that are gone end, and those with labels that were idle for :data:`IDLE_MS`. All that is given
        again until :meth:`stored` is called.
        """
        self._given = len(self._fresh), len(self._ended), now_ms
        found: list[SampleRow] = []
        if self._fresh:
            fresh = tuple(dict.fromkeys(self._fresh))
            found.append(SampleRow(TARGET, before_ms, fresh, np.zeros(len(fresh))))
        values: dict[Labels, float] = dict.fromkeys(self._ended, STALE_NAN)
        for counted, series in self._all():
            idle = _is_idle(counted.metric, series, now_ms)
            numbers = [STALE_NAN] * len(series.labels) if idle else series.values()
            values.update(zip(series.labels, numbers, strict=True))
        if values:
            found.append(SampleRow(TARGET, now_ms, tuple(values), np.array(list(values.values()))))
        return found

    def stored(self) -> None:
        """What :meth:`rows` gave last is stored. What was counted in between is not lost."""
        fresh, ended, given_ms = self._given
        del self._fresh[:fresh]
        del self._ended[:ended]
        for counted in self._counted.values():
            idle = [key for key, series in counted.series.items() if _is_idle(counted.metric, series, given_ms)]
            for key in idle:
                del counted.series[key]

    def feed(self, name: str, key: tuple[str, ...], numbers: Sequence[float], now_ms: int) -> None:
        """Add numbers to the series of a metric whose labels have these values. A name that is not known counts
        nothing: the settings were changed in between."""
        counted = self._counted.get(name)
        if counted is None or not counted.metric.fed or len(key) != len(counted.metric.labels):
            return
        series = self._series(counted, key, now_ms, len(numbers))
        for number in numbers:
            series.add(number)

    def begin(self, name: str, key: tuple[str, ...], now_ms: int) -> None:
        """Let a series be there before its first number."""
        self.feed(name, key, (), now_ms)

    def is_new(self, key: str) -> bool:
        """Whether a batch with this key has not been counted yet; '' is always new."""
        return not key or self._is_new(key)

    def _all(self) -> Iterator[tuple[_Counted, MetricSeries]]:
        for counted in self._counted.values():
            for series in counted.series.values():
                yield counted, series

    def _is_new(self, key: str) -> bool:
        if key in self._keys:
            return False
        self._keys[key] = None
        if len(self._keys) > KEYS:
            del self._keys[next(iter(self._keys))]
        return True

    def _add_block(self, counted: _Counted, block: LogBlock, now_ms: int) -> None:
        metric = counted.metric
        rows = matching_rows(counted.search, block)
        if not rows:
            return
        columns = [column_of(block, field) for _, field in metric.labels]
        if metric.value is None:
            counts: Mapping[_Key, int]
            if any(column.values is not None for column in columns):
                counts = Counter(tuple(_label(column.at(row)) for column in columns) for row in rows)
            else:
                counts = {tuple(_label(column.same) for column in columns): len(rows)}
            for key, count in counts.items():
                self._series(counted, key, now_ms, count).add(float(count))
            return
        numbers = column_of(block, metric.value)
        for row in rows:
            self._number(counted, tuple(_label(column.at(row)) for column in columns), numbers.at(row), now_ms)

    def _add_records(self, counted: _Counted, records: Iterable[LogRecord], now_ms: int) -> None:
        metric = counted.metric
        for record in records:
            if not matches(counted.search, record):
                continue
            key = tuple(_label(field_value(record, field)) for _, field in metric.labels)
            if metric.value is None:
                self._series(counted, key, now_ms, 1).add(1.0)
            else:
                self._number(counted, key, field_value(record, metric.value), now_ms)

    def _number(self, counted: _Counted, key: _Key, value: object, now_ms: int) -> None:
        number = value_number(value)
        if number is None or (number < 0 and counted.metric.type is LogMetricType.COUNTER):
            counted.skipped += 1
            return
        self._series(counted, key, now_ms, 1).add(number * counted.metric.factor)

    def _series(self, counted: _Counted, key: _Key, now_ms: int, count: int) -> MetricSeries:
        counted.records += count
        series = counted.series.get(key)
        if series is None:
            if len(counted.series) >= counted.metric.max_series:
                counted.overflow += count
                key = (OTHER,) * len(key)
            series = counted.series.get(key) or self._begun(counted, key, now_ms)
        series.seen = now_ms
        return series

    def _begun(self, counted: _Counted, key: _Key, now_ms: int) -> MetricSeries:
        series = counted.series[key] = MetricSeries(counted.metric, labels_of(counted.metric, key), now_ms)
        if counted.metric.type is not LogMetricType.GAUGE:
            self._fresh += series.labels
        return series


def _is_idle(metric: LogMetric, series: MetricSeries, now_ms: int) -> bool:
    return bool(metric.labels) and now_ms - series.seen > IDLE_MS


def _label(value: object) -> str:
    return (value_text(value) or "")[:_LONGEST]
