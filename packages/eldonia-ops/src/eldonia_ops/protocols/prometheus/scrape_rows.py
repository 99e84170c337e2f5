"""From what targets say to the rows that are stored: target labels, staleness, the scrape's own metrics.

The rules are Prometheus': labels of the target win and the exposed ones move to ``exported_*``
(``honor_labels: false``); a series that was there and is gone gets one staleness marker; a failed scrape
marks all of them; ``up`` and the ``scrape_*`` series are always written.
https://prometheus.io/docs/concepts/jobs_instances/#automatically-generated-labels-and-time-series
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import EMPTY, METRIC_NAME, Labels
from eldonia_ops.model.relabelling import RelabelRule, relabelled
from eldonia_ops.model.samples import STALE_NAN, MetricMetadata, Sample, SampleRow
from eldonia_ops.protocols.prometheus.text import (
    DEFAULT_LIMITS,
    ExpositionError,
    ExpositionLimits,
    ScrapedSamples,
    ScrapeParser,
)

REPORT: Final = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)

_EMPTY: Final = np.empty(0, dtype=np.int64)
_DEAD_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Collected:
    """What a collector hands over at once: a row, samples with timestamps of their own, and metadata."""

    row: SampleRow
    samples: tuple[Sample, ...] = ()
    metadata: tuple[MetricMetadata, ...] = ()


CollectedSink: TypeAlias = Callable[[Collected], Awaitable[None]]
"""Where collectors put what they found; returns when it is stored."""


def target_relabel(target: Labels, honor_labels: bool = False) -> Callable[[Labels], Labels]:
    """How exposed labels become stored labels for a target.

    Without ``honor_labels`` a clashing exposed label is kept as ``exported_<name>``; with it the exposed
    label stays and the target's is left out.
    """

    def relabel(exposed: Labels) -> Labels:
        if honor_labels:
            return target.merged(exposed)
        merged = dict(exposed)
        for name in target:
            if name in merged:
                value = merged.pop(name)
                moved = f"exported_{name}"
                while moved in merged or moved in target:
                    moved = f"exported_{moved}"
                merged[moved] = value
        merged.update(target)
        return Labels(merged)

    return relabel


def series_relabel(target: Callable[[Labels], Labels], rules: Sequence[RelabelRule]) -> Callable[[Labels], Labels]:
    """How exposed labels become stored ones after the labels of the target: no labels at all for a series that is
    dropped, or left without a name."""
    if not rules:
        return target

    def relabel(exposed: Labels) -> Labels:
        found = relabelled(target(exposed), rules)
        return EMPTY if found is None or not found.get(METRIC_NAME) else Labels(found)

    return relabel


class ScrapeRows:
    """Turns the bodies of one target into rows. ``target`` names the store's block, as ``job/instance``.

    The label tuple of a row is the same object as long as the target exposes the same series.
    """

    def __init__(
        self,
        target: str,
        target_labels: Labels,
        *,
        honor_labels: bool = False,
        honor_timestamps: bool = True,
        limits: ExpositionLimits = DEFAULT_LIMITS,
        metric_relabel: Sequence[RelabelRule] = (),
    ) -> None:
        self._target = target
        self._limits = limits
        self._honor_timestamps = honor_timestamps
        relabel = target_relabel(target_labels, honor_labels)
        self._parser = ScrapeParser(limits=limits, relabel=series_relabel(relabel, metric_relabel))
        self._report = tuple(target_labels.merged({METRIC_NAME: name}) for name in REPORT)
        self._clashing: NDArray[np.int64] = _EMPTY
        self._examined = 0
        self._last: NDArray[np.int64] = _EMPTY
        self._labels: tuple[Labels, ...] = self._report

    def scraped(self, body: bytes, at_ms: int, duration_seconds: float, *, openmetrics: bool = False) -> Collected:
        """The row of a scrape that was answered at ``at_ms`` after ``duration_seconds``.

        Raises:
            ExpositionError: the body cannot be used; call :meth:`failed` then.
        """
        found = self._parser.parse(body, openmetrics=openmetrics)
        stamped = found.timestamped
        if not self._honor_timestamps and stamped:
            found = _without_timestamps(found)
            stamped = []
        # Where a body repeats a series the first line counts; np.unique gives first places.
        slots, first = np.unique(found.slots, return_index=True)
        dropped = 0
        if len(clashing := self._clashing_slots()):
            without = self._dropped()
            dropped = int(np.isin(found.slots, without).sum()) + sum(slot in without for slot, _, _ in stamped)
            kept = ~np.isin(slots, clashing)
            slots, first = slots[kept], first[kept]
            stamped = [one for one in stamped if one[0] not in clashing]
        values = found.values[first]
        if np.array_equal(slots, self._last):
            added, gone = 0, _EMPTY
        else:
            added = len(np.setdiff1d(slots, self._last, assume_unique=True))
            gone = np.setdiff1d(self._last, slots, assume_unique=True)
            self._labels = (*(self._parser.series[slot] for slot in slots), *self._report)
        report = (1.0, duration_seconds, found.count, found.count - dropped, added)
        row = self._row(at_ms, values, report, gone)
        samples = tuple(Sample(self._parser.series[slot], at, value) for slot, at, value in stamped)
        self._remember(slots, [slot for slot, _, _ in found.timestamped])
        return Collected(row, samples, tuple(found.metadata))

    def failed(self, at_ms: int, duration_seconds: float) -> Collected:
        """The row of a scrape that failed: ``up`` 0 and a staleness marker for every series of the last one."""
        gone = self._last
        self._labels = self._report
        row = self._row(at_ms, np.empty(0), (0.0, duration_seconds, 0, 0, 0), gone)
        self._remember(_EMPTY, [])
        return Collected(row)

    def _clashing_slots(self) -> NDArray[np.int64]:
        """Series that are not stored: those that rules drop, and those that the target exposes under the very labels of
        our report, for then the report counts, as in Prometheus."""
        series = self._parser.series
        new = [slot for slot in range(self._examined, len(series)) if not series[slot] or series[slot] in self._report]
        self._examined = len(series)
        if new:
            self._clashing = np.append(self._clashing, np.array(new, dtype=np.int64))
        return self._clashing

    def _dropped(self) -> NDArray[np.int64]:
        """The slot of all series that rules drop, if there is one: they have no labels left."""
        return np.array([slot for slot in self._clashing if not self._parser.series[slot]], dtype=np.int64)

    def _row(
        self, at_ms: int, values: NDArray[np.float64], report: tuple[float, ...], gone: NDArray[np.int64]
    ) -> SampleRow:
        labels = self._labels
        if len(gone):
            labels = (*labels, *(self._parser.series[slot] for slot in gone))
        filled = np.concatenate([values, np.array(report, dtype=np.float64), np.full(len(gone), STALE_NAN)])
        return SampleRow(self._target, at_ms, labels, filled)

    def _remember(self, live: NDArray[np.int64], stamped: list[int]) -> None:
        """The last body held the series ``live`` and, with timestamps of their own, ``stamped``."""
        # Between two bodies that differ in part both are kept known; only a growing heap is cleared.
        self._last = live
        if self._parser.remembered > 2 * (len(live) + len(stamped)) + _DEAD_KEPT:
            kept = np.union1d(live, np.array(stamped, dtype=np.int64))
            self._parser.compact(kept)
            self._clashing, self._examined = _EMPTY, 0
            self._last = np.searchsorted(kept, live)


def _without_timestamps(found: ScrapedSamples) -> ScrapedSamples:
    slots = np.concatenate([found.slots, np.array([slot for slot, _, _ in found.timestamped], dtype=np.int64)])
    values = np.concatenate([found.values, np.array([value for _, _, value in found.timestamped], dtype=np.float64)])
    return ScrapedSamples(slots, values, [], found.metadata)


class Readings:
    """Rows of a collector that measures by itself (host, database, probes): values by name and labels.

    ``base`` is added to every reading (``job``, ``instance``); readings that stop coming get one
    staleness marker.
    """

    def __init__(self, target: str, base: Labels) -> None:
        self._target = target
        self._base = base
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], Labels] = {}
        self._labels: tuple[Labels, ...] = ()

    def row(self, at_ms: int, readings: Iterable[tuple[str, Mapping[str, str], float]]) -> SampleRow:
        """The row at one instant. A reading is ``(metric name, labels, value)``; the first of equals counts."""
        current: dict[Labels, float] = {}
        known: dict[tuple[str, tuple[tuple[str, str], ...]], Labels] = {}
        for name, own, value in readings:
            key = (name, tuple(own.items()))
            labels = self._known.get(key)
            if labels is None:
                labels = Labels({**own, **self._base, METRIC_NAME: name})
            known[key] = labels
            current.setdefault(labels, value)
        labels = tuple(current)
        gone = [old for old in self._labels if old not in current] if labels != self._labels else []
        if labels == self._labels:
            labels = self._labels
        self._known, self._labels = known, labels
        values = np.fromiter(current.values(), dtype=np.float64, count=len(current))
        if gone:
            labels, values = (*labels, *gone), np.concatenate([values, np.full(len(gone), STALE_NAN)])
        return SampleRow(self._target, at_ms, labels, values)


__all__ = ["REPORT", "Collected", "CollectedSink", "ExpositionError", "Readings", "ScrapeRows", "target_relabel"]
