"""The last hours of all metrics in memory: one block of samples for each target.

Samples scraped from one target share their timestamps, so a range of time is found once for the
whole block and every series in it is a column. Series that arrive one by one (remote write) are kept
on their own and grouped when read.

A sample older than the newest of its series is dropped and counted, and so is another value at an instant that has one,
as in Prometheus. The same sample again is ignored, an older one too: a sender repeats whole requests.

A native histogram is a cell of its own kind among the floats, and its buckets are kept beside them
(:mod:`~eldonia_ops.storage.clickhouse.metrics.beside_floats`), so that floats pay nothing for it.

Nothing here waits, reads a clock or does I/O.
"""

import struct
from collections import OrderedDict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import (
    HISTOGRAM_NAN,
    AnySample,
    Sample,
    SampleRow,
    SeriesBlock,
    is_absent,
)
from eldonia_ops.ports import TooManySamplesError
from eldonia_ops.storage.clickhouse.identity import metric_id, series_id
from eldonia_ops.storage.clickhouse.metrics.beside_floats import BesideFloats
from eldonia_ops.storage.clickhouse.metrics.columns import NEVER, SingleSeries, TargetBlock
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import PackedHistograms, encode_histogram
from eldonia_ops.storage.clickhouse.metrics.join import group_singles, merge_samples
from eldonia_ops.storage.clickhouse.metrics.series_index import SeriesIndex

LATEST_MS: Final = 4_102_444_800_000
"""Samples after the year 2100 are mistakes."""

_MAX_SELECTED: Final = 4_000_000
"""How many series the remembered selections may name together, each selection counted as one more: some 64 MB."""

_ROWS_AT_ONCE: Final = 8
_SINGLES_AT_ONCE: Final = 2_000

SAMPLE_DTYPE: Final = np.dtype([("metric", "<u8"), ("series", "<u8"), ("timestamp", "<i8"), ("value", "<f8")])
"""One stored sample, laid out as the database's RowBinary format wants it."""

START_DTYPE: Final = np.dtype([("metric", "<u8"), ("series", "<u8"), ("timestamp", "<i8"), ("start", "<i8")])
"""From when on the samples of a series count since ``start`` (Unix ms, 0 for unknown); laid out like the samples."""

HISTOGRAM_HEADER: Final = struct.Struct("<QQq")
"""Metric, series and timestamp: what is before the bytes of a histogram in its row."""

NO_STARTS: Final = np.empty(0, START_DTYPE)


@dataclass(slots=True)
class HeadSeries:
    """A series as the head knows it. ``target`` is empty for series that came one by one."""

    labels: Labels
    id: int
    metric: int
    target: str = ""
    places: list[tuple[TargetBlock, int]] = field(default_factory=list)
    single: SingleSeries | None = None
    beside: BesideFloats | None = None

    @property
    def newest_ms(self) -> int:
        """The instant of the last sample."""
        newest = self.single.newest_ms if self.single else NEVER
        for block, column in self.places:
            newest = max(newest, int(block.last_ms[column]))
        return newest

    def samples(self, start_ms: int, end_ms: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Timestamps and values in a range, wherever they are kept."""
        single = self.single
        if single is not None and not self.places:  # nearly all of those that were sent: a query looks at 100,000
            timestamps = single.timestamps
            low, high = _bounds(timestamps, start_ms, end_ms)
            return timestamps[low:high], single.values[low:high]
        parts: list[tuple[NDArray[np.int64], NDArray[np.float64]]] = []
        if self.single:
            low, high = _bounds(self.single.timestamps, start_ms, end_ms)
            parts.append((self.single.timestamps[low:high], self.single.values[low:high]))
        for block, column in self.places:
            low, high = _bounds(block.timestamps, start_ms, end_ms)
            values = np.ascontiguousarray(block.values[low:high, column])
            present = ~is_absent(values)
            parts.append((block.timestamps[low:high][present], values[present]))
        return merge_samples(parts)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What is to be stored. ``samples`` has dtype :data:`SAMPLE_DTYPE`; ``series`` those they belong to that the
    caller may not have stored yet.

    ``histograms`` are rows of the samples that are histograms, a :data:`HISTOGRAM_HEADER` and the histogram's bytes
    each; ``starts`` has dtype :data:`START_DTYPE`.
    """

    samples: NDArray[np.void]
    series: tuple[HeadSeries, ...] = ()
    histograms: tuple[bytes, ...] = ()
    starts: NDArray[np.void] = field(default_factory=lambda: NO_STARTS)


_NOTHING: Final = Accepted(np.empty(0, SAMPLE_DTYPE))


@dataclass(slots=True)
class _Layout:
    """Where the labels of one target's scrape go: ``take`` are positions in the row, ``columns`` in the block."""

    labels: tuple[Labels, ...]
    take: NDArray[np.intp]
    columns: NDArray[np.intp]
    identity: NDArray[np.void]
    shared: tuple[int, ...]  # positions in ``take`` of series that are kept in more than one place


@dataclass(slots=True)
class _Selection:
    version: int
    blocks: list[tuple[TargetBlock, NDArray[np.intp], tuple[Labels, ...]]]
    singles: list[HeadSeries]
    beside: dict[Labels, BesideFloats]
    size: int


class Head:
    """Samples from ``floor_ms`` on, complete.

    ``retention_ms`` is how long samples stay, ``max_series`` how many series may be active (more are refused and
    counted), ``max_bytes`` what the samples may take: beyond it the oldest go early and ``floor_ms`` rises.
    """

    def __init__(
        self,
        *,
        floor_ms: int,
        retention_ms: int = 3 * 3_600_000,
        max_series: int = 200_000,
        max_bytes: int = 512 << 20,
    ) -> None:
        self.floor_ms = floor_ms
        self.retention_ms = retention_ms
        self.max_series = max_series
        self.max_bytes = max_bytes
        self.counters: dict[str, int] = dict.fromkeys(
            ("out_of_order", "duplicate", "out_of_bounds", "refused_series", "early_evictions"), 0
        )
        self._index = SeriesIndex()
        self._numbers: dict[Labels, int] = {}
        self._series: dict[int, HeadSeries] = {}
        self._next = 0
        self._blocks: dict[str, TargetBlock] = {}
        self._layouts: dict[str, _Layout] = {}
        self._version = 0
        self._selections: OrderedDict[tuple[Matcher, ...], _Selection] = OrderedDict()
        self._selected = 0

    # --- what is in it ---------------------------------------------------------------------

    @property
    def series_count(self) -> int:
        """Active series."""
        return len(self._series)

    def ids(self) -> set[int]:
        """The ids of all active series."""
        return {series.id for series in self._series.values()}

    def find(self, ids: Container[int]) -> list[HeadSeries]:
        """The active series among some ids."""
        return [series for series in self._series.values() if series.id in ids]

    @property
    def sample_count(self) -> int:
        """Cells and single samples held; absent cells count too."""
        singles = sum(series.single.count for series in self._series.values() if series.single)
        return singles + sum(block.count * len(block.series) for block in self._blocks.values())

    @property
    def nbytes(self) -> int:
        """Bytes set aside for samples."""
        singles = sum(series.single.nbytes for series in self._series.values() if series.single)
        beside = sum(series.beside.bytes_held for series in self._series.values() if series.beside)
        return singles + beside + sum(block.nbytes for block in self._blocks.values())

    # --- appending -------------------------------------------------------------------------

    def append_row(self, row: SampleRow) -> Accepted:
        """Append one scrape; returns what was new.

        Raises:
            ValueError: labels and values differ in length.
        """
        if len(row.labels) != len(row.values):
            raise ValueError(f"{len(row.labels)} label sets and {len(row.values)} values")
        at = row.timestamp_ms
        if not row.labels or not self._plausible(at, len(row.labels)):
            return _NOTHING
        block = self._blocks.get(row.target)
        if at < self.floor_ms or (block is not None and at < block.newest_ms):
            return self._append_each(row)
        if block is None:
            block = self._blocks[row.target] = TargetBlock()
        layout = self._layouts.get(row.target)
        fresh: tuple[HeadSeries, ...] = ()
        if layout is None or (layout.labels is not row.labels and layout.labels != row.labels):
            layout, fresh = self._lay_out(row, block)
        if not len(layout.take):
            return _NOTHING
        values = np.asarray(row.values, np.float64)[layout.take]
        wanted = ~is_absent(values)
        for position in layout.shared:
            series = self._series[block.series[layout.columns[position]]]
            # The newest row of this block is dealt with below; here other places count.
            if wanted[position] and not self._in_order(series, at, float(values[position]), but=block):
                wanted[position] = False
        if at == block.newest_ms:
            cells = block.newest_values(layout.columns)
            free = is_absent(cells)
            taken = wanted & ~free
            self.counters["duplicate"] += int((taken & (_bits(cells) != _bits(values))).sum())
            wanted &= free
            block.fill(layout.columns[wanted], values[wanted])
        elif wanted.all():
            block.append(np.array([at], np.int64), layout.columns, values[np.newaxis])
        else:
            block.append(np.array([at], np.int64), layout.columns[wanted], values[wanted][np.newaxis])
        samples = layout.identity.copy() if wanted.all() else layout.identity[wanted]
        samples["timestamp"] = at
        samples["value"] = values[wanted]
        return Accepted(samples, fresh)

    def append_samples(self, samples: Iterable[AnySample], target: str = "") -> Accepted:
        """Append samples with timestamps of their own; returns what was new."""
        accepted: list[tuple[int, int, int, float]] = []
        touched: dict[int, HeadSeries] = {}
        histograms: list[bytes] = []
        starts: list[tuple[int, int, int, int]] = []
        for sample in sorted(samples, key=lambda item: item.timestamp_ms):
            at = sample.timestamp_ms
            if not self._plausible(at, 1):
                continue
            value, packed = sample.value, b""
            if isinstance(value, NativeHistogram):
                value, packed = HISTOGRAM_NAN, encode_histogram(value)
            number = self._numbers.get(sample.labels)
            if number is None and at < self.floor_ms:
                # Older than anything kept here: for the database only.
                series = HeadSeries(sample.labels, series_id(sample.labels), metric_id(sample.labels.name), target)
            else:
                series = self._series[number] if number is not None else self._create(sample.labels, target)
                if series is None or not self._in_order(series, at, value, None, packed):
                    continue
                if at >= self.floor_ms:
                    self._append_one(series, at, value)
                    if packed:
                        self._beside(series).add(at, packed)
            if (sample.start_ms or series.beside is not None) and self._starts_anew(series, at, sample.start_ms):
                starts.append((series.metric, series.id, at, sample.start_ms))
            if packed:
                histograms.append(HISTOGRAM_HEADER.pack(series.metric, series.id, at) + packed)
            touched[series.id] = series
            accepted.append((series.metric, series.id, at, value))
        return Accepted(
            np.array(accepted, SAMPLE_DTYPE),
            tuple(touched.values()),
            tuple(histograms),
            np.array(starts, START_DTYPE) if starts else NO_STARTS,
        )

    def load(self, target: str, block: SeriesBlock) -> None:
        """Take over a target's samples from the database, newer than what is there.

        They are not checked against other places: this is for filling an empty head.
        """
        home = self._blocks.setdefault(target, TargetBlock())
        found = [self._find_or_create(labels, target) for labels in block.labels]
        kept = [position for position, series in enumerate(found) if series is not None]
        if kept:
            columns = self._columns(home, [series for series in found if series is not None])
            home.append(block.timestamps, columns, np.ascontiguousarray(block.values[:, kept]))

    def load_single(self, labels: Labels, timestamps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Take over one series that belongs to no target, as :meth:`load` does."""
        series = self._find_or_create(labels, "")
        if series is None:
            return
        if series.single is None:
            series.single = SingleSeries()
            self._version += 1
        series.single.append(timestamps, values)

    def load_histograms(self, labels: Labels, histograms: Iterable[tuple[int, bytes]]) -> None:
        """Take over the histograms (instant and bytes, ascending) of a series whose samples were loaded."""
        number = self._numbers.get(labels)
        if number is not None:
            beside = self._beside(self._series[number])
            for at, packed in histograms:
                beside.add(at, packed)

    def load_starts(self, labels: Labels, starts: Iterable[tuple[int, int]]) -> None:
        """Take over from when on (Unix ms, ascending) the samples of a series count since which start."""
        number = self._numbers.get(labels)
        if number is not None:
            beside = self._beside(self._series[number])
            for at, start_ms in starts:
                beside.note_start(at, start_ms)

    def _beside(self, series: HeadSeries) -> BesideFloats:
        if series.beside is None:
            series.beside = BesideFloats()
            self._version += 1
        return series.beside

    def _starts_anew(self, series: HeadSeries, at: int, start_ms: int) -> bool:
        """Whether the start of a sample has to be stored; it is noted."""
        if at < self.floor_ms:
            return bool(start_ms)
        return self._beside(series).note_start(at, start_ms)

    def _append_each(self, row: SampleRow) -> Accepted:
        values = np.asarray(row.values, np.float64)
        keep = np.flatnonzero(~is_absent(values))
        return self.append_samples(
            [Sample(row.labels[position], row.timestamp_ms, float(values[position])) for position in keep], row.target
        )

    def _append_one(self, series: HeadSeries, at: int, value: float) -> None:
        for block, column in series.places:
            if block.newest_ms == at:
                block.fill(np.array([column]), np.array([value]))
                return
        if series.single is None:
            series.single = SingleSeries()
            self._version += 1
            self._layouts.clear()  # a series in two places has to be checked in both
        series.single.append_one(at, value)

    def _in_order(
        self, series: HeadSeries, at: int, value: float, but: TargetBlock | None = None, packed: bytes = b""
    ) -> bool:
        newest = NEVER
        if series.single:
            newest = series.single.newest_ms
        for block, column in series.places:
            if block is not but:
                newest = max(newest, int(block.last_ms[column]))
        if at > newest:
            return True
        known = series.samples(at, at)[1]
        if len(known) and at >= self.floor_ms:
            # A request that got no answer comes again as a whole: what is here already is no fault.
            same = _bits(known)[0] == _bits(np.array([value]))[0]
            if packed and same:
                same = series.beside is not None and series.beside.histogram(at) == packed
            if not same:
                self.counters["duplicate"] += 1
        elif at < newest:
            self.counters["out_of_order"] += 1
        return False

    def _plausible(self, at: int, count: int) -> bool:
        if 0 <= at <= LATEST_MS:
            return True
        self.counters["out_of_bounds"] += count
        return False

    # --- series ----------------------------------------------------------------------------

    def _lay_out(self, row: SampleRow, block: TargetBlock) -> tuple[_Layout, tuple[HeadSeries, ...]]:
        take: list[int] = []
        members: list[HeadSeries] = []
        fresh: list[HeadSeries] = []
        seen: set[Labels] = set()
        for position, labels in enumerate(row.labels):
            if labels in seen:
                self.counters["duplicate"] += 1
                continue
            seen.add(labels)
            series = self._find_or_create(labels, row.target)
            if series is None:
                continue
            if series.target != row.target or not series.places:
                series.target = row.target
                fresh.append(series)
            take.append(position)
            members.append(series)
        version = self._version
        columns = self._columns(block, members)
        identity = np.empty(len(members), SAMPLE_DTYPE)
        identity["metric"] = [series.metric for series in members]
        identity["series"] = [series.id for series in members]
        shared = tuple(
            position for position, series in enumerate(members) if series.single is not None or len(series.places) > 1
        )
        layout = _Layout(row.labels, np.array(take, np.intp), columns, identity, shared)
        # A series that was refused may be taken when others have gone: look again next time.
        if len(take) == len(row.labels):
            self._layouts[row.target] = layout
        if self._version != version and any(len(series.places) > 1 for series in members):
            # The other targets do not know yet that they share a series.
            for target in [target for target in self._layouts if target != row.target]:
                del self._layouts[target]
        return layout, tuple(fresh)

    def _columns(self, block: TargetBlock, members: Sequence[HeadSeries]) -> NDArray[np.intp]:
        columns = np.empty(len(members), np.intp)
        missing: list[int] = []
        for position, series in enumerate(members):
            for home, column in series.places:
                if home is block:
                    columns[position] = column
                    break
            else:
                missing.append(position)
        if missing:
            added = block.add_columns([self._numbers[members[position].labels] for position in missing])
            for position, column in zip(missing, added.tolist(), strict=True):
                members[position].places.append((block, column))
                columns[position] = column
            self._version += 1
        return columns

    def _find_or_create(self, labels: Labels, target: str) -> HeadSeries | None:
        number = self._numbers.get(labels)
        return self._create(labels, target) if number is None else self._series[number]

    def _create(self, labels: Labels, target: str) -> HeadSeries | None:
        if len(self._series) >= self.max_series:
            self.counters["refused_series"] += 1
            return None
        number, self._next = self._next, self._next + 1
        series = HeadSeries(labels, series_id(labels), metric_id(labels.name), target)
        self._series[number] = series
        self._numbers[labels] = number
        self._index.add(number, labels)
        self._version += 1
        return series

    # --- forgetting ------------------------------------------------------------------------

    def advance(self, now_ms: int) -> None:
        """Forget what is older than the retention at ``now_ms``, and more when memory is short."""
        self._forget(now_ms - self.retention_ms)
        while self.nbytes > self.max_bytes and now_ms - self.floor_ms > 300_000:
            self.counters["early_evictions"] += 1
            self._forget(self.floor_ms + (now_ms - self.floor_ms) // 4)

    def set_back(self, now_ms: int) -> None:
        """Forget what lies after ``now_ms``, to which the clock was set back.

        Every true sample would be refused as older until the clock has caught up, and rules would see the past.
        """
        for block in self._blocks.values():
            block.drop_after(now_ms)
        for series in self._series.values():
            if series.single is not None:
                series.single.drop_after(now_ms)
            if series.beside is not None:
                series.beside.drop_after(now_ms)
        self.floor_ms = min(self.floor_ms, now_ms)
        self._let_go()

    def _forget(self, floor_ms: int) -> None:
        if floor_ms > self.floor_ms:
            self.floor_ms = floor_ms
            self._let_go()

    def _let_go(self) -> None:
        """Drop samples before the floor, and series that have none."""
        floor_ms = self.floor_ms
        ended: set[int] = set()
        for target, block in list(self._blocks.items()):
            block.drop_before(floor_ms)
            ended |= self._drop_columns(block, floor_ms)
            if not any(number >= 0 for number in block.series):
                del self._blocks[target]
        for number, series in self._series.items():
            if series.single is not None:
                series.single.drop_before(floor_ms)
                if not series.single.count:
                    series.single = None
                    ended.add(number)
            if series.beside is not None:
                series.beside.drop_before(floor_ms)
                if series.beside.empty:
                    series.beside = None
                    self._version += 1
        for number in ended:
            series = self._series[number]
            if not series.places and series.single is None:
                del self._series[number], self._numbers[series.labels]
                self._index.remove(number)
        if ended:
            self._version += 1
            self._layouts.clear()

    def _drop_columns(self, block: TargetBlock, floor_ms: int) -> set[int]:
        """Take leave of series without a sample since ``floor_ms``; returns their numbers."""
        ended: set[int] = set()
        for column in np.flatnonzero(block.last_ms[: len(block.series)] < floor_ms).tolist():
            number = block.series[column]
            if number >= 0:
                ended.add(number)
                block.series[column] = -1
                series = self._series[number]
                series.places = [place for place in series.places if place[0] is not block]
        live = [column for column, number in enumerate(block.series) if number >= 0]
        if live and len(live) < 0.75 * len(block.series):
            block.keep_columns(np.array(live, np.intp))
            for column, number in enumerate(block.series):
                series = self._series[number]
                series.places = [(home, column if home is block else old) for home, old in series.places]
            self._version += 1
            self._layouts.clear()
        return ended

    # --- reading ---------------------------------------------------------------------------

    def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, most: int | None = None
    ) -> list[SeriesBlock]:
        """Samples of matching series in the closed range; each series in one block, no block without a sample.

        The arrays are views or copies that later appends leave alone, except that an absent cell of
        the newest row may be filled. Cells are counted before they are gathered.

        Raises:
            TooManySamplesError: there are more than ``most``.
        """
        found: list[SeriesBlock] = []
        for _ in self.select_in_parts(found, matchers, start_ms, end_ms, most=most):
            pass
        return found

    def select_in_parts(
        self,
        found: list[SeriesBlock],
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        *,
        most: int | None = None,
    ) -> Iterator[None]:
        """:meth:`select` into ``found``, with a yield after every few thousand series of their own: a hundred thousand
        take a second, in which an event loop has other things to do. What is appended meanwhile may be seen or not;
        when ``floor_ms`` rises above ``start_ms`` meanwhile, the oldest samples may be missing."""
        loaded = 0
        start_ms = max(start_ms, self.floor_ms)
        selection = self._selection(tuple(matchers))
        for block, all_columns, all_labels in selection.blocks:
            low, high = _bounds(block.timestamps, start_ms, end_ms)
            if low == high:
                continue
            columns, labels = all_columns, all_labels
            alive = block.spans(columns, start_ms, end_ms)
            if not alive.all():
                columns = columns[alive]
                labels = tuple(label for label, yes in zip(labels, alive, strict=True) if yes)
            if not len(columns):
                continue
            loaded = _within(loaded + (high - low) * len(columns), most)
            values = _gather(block.values[low:high], columns)
            # A column's newest sample in the range proves the block is not empty; else look.
            if not (block.last_ms[columns] <= end_ms).any() and is_absent(values).all():
                continue
            found.append(SeriesBlock(labels, block.timestamps[low:high], values))
        singles: list[tuple[Labels, NDArray[np.int64], NDArray[np.float64]]] = []
        for number, series in enumerate(selection.singles, 1):
            if series.places or (series.single is not None and series.single.overlaps(start_ms, end_ms)):
                timestamps, values = series.samples(start_ms, end_ms)
                loaded = _within(loaded + len(timestamps), most)
                if len(timestamps):
                    singles.append((series.labels, timestamps, values))
            if number % _SINGLES_AT_ONCE == 0:
                yield
        found += group_singles(singles)
        if selection.beside:
            found[:] = [with_beside(block, selection.beside) for block in found]

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of matching series with a sample in the closed range."""
        start_ms = max(start_ms, self.floor_ms)
        selection = self._selection(tuple(matchers))
        found: list[Labels] = []
        for block, columns, labels in selection.blocks:
            low, high = _bounds(block.timestamps, start_ms, end_ms)
            if low == high:
                continue
            yes = (block.last_ms[columns] >= start_ms) & (block.last_ms[columns] <= end_ms)
            # Others were seen after the range: they are looked for in it from its end, a few rows at a time. All
            # values of a day would take gigabytes.
            open_ = np.flatnonzero(~yes & block.spans(columns, start_ms, end_ms))
            for row in range(high, low, -_ROWS_AT_ONCE):
                if not len(open_):
                    break
                values = block.values[max(low, row - _ROWS_AT_ONCE) : row][:, columns[open_]]
                seen = np.any(~is_absent(values), axis=0)
                yes[open_[seen]] = True
                open_ = open_[~seen]
            found += labels if yes.all() else [one for one, there in zip(labels, yes.tolist(), strict=True) if there]
        found += [one.labels for one in selection.singles if len(one.samples(start_ms, end_ms)[0])]
        return found

    def _selection(self, matchers: tuple[Matcher, ...]) -> _Selection:
        selection = self._selections.get(matchers)
        if selection is not None and selection.version == self._version:
            self._selections.move_to_end(matchers)
            return selection
        by_block: dict[int, tuple[TargetBlock, list[int], list[Labels]]] = {}
        singles: list[HeadSeries] = []
        beside: dict[Labels, BesideFloats] = {}
        numbers = self._index.select(matchers)
        for number in numbers:
            series = self._series[number]
            if series.beside is not None:
                beside[series.labels] = series.beside
            if series.single is not None or len(series.places) != 1:
                singles.append(series)
                continue
            block, column = series.places[0]
            _, columns, labels = by_block.setdefault(id(block), (block, [], []))
            columns.append(column)
            labels.append(series.labels)
        blocks = [(block, np.array(columns, np.intp), tuple(labels)) for block, columns, labels in by_block.values()]
        if selection is not None:
            self._selected -= self._selections.pop(matchers).size
        selection = self._selections[matchers] = _Selection(self._version, blocks, singles, beside, 1 + len(numbers))
        self._selected += selection.size
        while self._selected > _MAX_SELECTED:
            self._selected -= self._selections.popitem(last=False)[1].size
        return selection


def _within(count: int, most: int | None) -> int:
    if most is not None and count > most:
        raise TooManySamplesError(f"more than {most} samples match: narrow the range or the matchers")
    return count


def _bounds(timestamps: NDArray[np.int64], start_ms: int, end_ms: int) -> tuple[int, int]:
    return (
        int(timestamps.searchsorted(start_ms, "left")),
        int(timestamps.searchsorted(end_ms, "right")) if end_ms >= start_ms else 0,
    )


def _gather(values: NDArray[np.float64], columns: NDArray[np.intp]) -> NDArray[np.float64]:
    first, last = int(columns[0]), int(columns[-1])
    if last - first + 1 == len(columns) and (np.diff(columns) == 1).all():
        return values[:, first : last + 1]
    return values[:, columns]


def _bits(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(values).view(np.uint64)


def with_beside(block: SeriesBlock, beside: Mapping[Labels, BesideFloats]) -> SeriesBlock:
    """The block with the histograms and starts of its series."""
    columns = [(column, beside[labels]) for column, labels in enumerate(block.labels) if labels in beside]
    if not columns:
        return block
    first, last = int(block.timestamps[0]), int(block.timestamps[-1])
    packed: dict[tuple[int, int], bytes] = {}
    starts: dict[int, list[tuple[int, int]]] = {}
    for column, one in columns:
        times, histograms = one.histograms(first, last)
        if times:
            rows = np.searchsorted(block.timestamps, times).tolist()
            packed.update(zip(zip(rows, [column] * len(rows), strict=True), histograms, strict=True))
        if known := one.starts(first, last):
            starts[column] = known
    return SeriesBlock(block.labels, block.timestamps, block.values, PackedHistograms(packed), starts)
