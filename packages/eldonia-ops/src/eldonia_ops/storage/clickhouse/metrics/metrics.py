"""Metric samples: the head for the last hours, the database for all of them."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.model.samples import AnySample, MetricMetadata, SampleRow, SeriesBlock
from eldonia_ops.ports import TelemetryError, TelemetryLimitError, TooManySamplesError
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.identity import metric_id
from eldonia_ops.storage.clickhouse.journal.group_commit import GroupCommit
from eldonia_ops.storage.clickhouse.journal.journal import METRICS, Journal, JournaledTable, ReadingEngine
from eldonia_ops.storage.clickhouse.journal.presence import ranges
from eldonia_ops.storage.clickhouse.metrics.head import NO_STARTS, SAMPLE_DTYPE, Accepted, Head, HeadSeries
from eldonia_ops.storage.clickhouse.metrics.histograms import BesideSamples, attach, has_histograms
from eldonia_ops.storage.clickhouse.metrics.join import group_singles, join, matrix
from eldonia_ops.storage.clickhouse.metrics.sample_records import (
    SampleRecord,
    decode_record,
    encode_record,
    of_samples,
    together,
)
from eldonia_ops.storage.clickhouse.metrics.series_index import metric_name
from eldonia_ops.storage.clickhouse.metrics.stored_series import DAY_MS, StoredSeries
from eldonia_ops.storage.clickhouse.schema import SERIES_MARGIN_DAYS, decode_rows, rows
from eldonia_ops.storage.wal import Record

_log = logging.getLogger(__name__)

BLOCK_SECONDS: Final = 30.0
"""How long samples wait for company on their way into the database. The head shows them at once."""

MAX_SERIES: Final = 100_000
MAX_SAMPLES: Final = 20_000_000
MAX_UNSAVED: Final = 2_000_000
MAX_FAMILIES: Final = 50_000
_T = TypeVar("_T")
_MANY: Final = 2_000
_APPENDED_AT_ONCE: Final = 2_000
_ADVANCE_EVERY_MS: Final = 30_000
_SET_BACK_MS: Final = 1_000
_ENDED_KEPT: Final = 10_000
_RELOAD_ROWS: Final = 500_000
_READ_DTYPE: Final = np.dtype([("series", "<u8"), ("timestamp", "<i8"), ("value", "<f8")])
_PLACE_DTYPE: Final = np.dtype([("series", "<u8"), ("timestamp", "<i8")])
_CLOSE_MS: Final = 60_000
_COLUMNS: Final = ("metric", "series", "timestamp", "value")
_SERIES_COLUMNS: Final = ("id", "metric", "name", "labels", "target", "updated")
_METADATA_COLUMNS: Final = ("name", "type", "help", "unit", "updated")
_IN_RANGE: Final = (
    "timestamp >= fromUnixTimestamp64Milli({start:Int64}) AND timestamp <= fromUnixTimestamp64Milli({end:Int64})"
)
_REFUSED: Final = {
    "out_of_order": "a sample that is older than the newest of its series",
    "duplicate": "another value for an instant that has one already",
    "out_of_bounds": "a time that cannot be stored",
    "refused_series": "a new series beyond limits.series",
}
_EARLIEST_MS: Final = 0
_LATEST_MS: Final = 9_000_000_000_000  # what DateTime64 can compare with is limited; this is the year 2255


class Metrics:
    """The metric side of the telemetry store. ``now_ms`` gives the wall clock; ``max_samples`` is how many samples
    one :meth:`select` may read from the database, never more than :data:`MAX_SAMPLES`."""

    def __init__(
        self,
        engine: Engine,
        head: Head,
        journal: Journal | None = None,
        *,
        now_ms: Callable[[], int],
        commit_delay_seconds: float = 0.1,
        max_samples: int = MAX_SAMPLES,
    ) -> None:
        self.head = head
        self.lost_samples = 0
        self._stored = self._engine = engine
        self._now_ms = now_ms
        self._max_samples = min(max_samples, MAX_SAMPLES)
        self._advanced_at = 0
        self._latest = 0
        self._stored_series = StoredSeries()
        self._unstored_series: dict[int, HeadSeries] = {}
        self._unsaved: list[Accepted] = []
        self._unlogged: list[Accepted] = []
        self._logged_series: set[int] = set()
        self._recovered_series: list[bytes] = []
        self._metadata: dict[str, MetricMetadata] = {}
        self._journaled: JournaledTable[Accepted] | None = None
        if journal is not None:
            self._journaled = journal.table(
                METRICS,
                "samples",
                self._store_block,
                self._recover,
                weight=_weight,
                delay_seconds=BLOCK_SECONDS,
                max_waiting=MAX_UNSAVED,
            )
            self._engine = ReadingEngine(engine, self._journaled.flush)
        self._beside = BesideSamples(self._engine)
        self._commit = GroupCommit[Accepted](
            self._store if journal is None else self._append,
            delay_seconds=commit_delay_seconds if journal is None else 0.0,
            max_rows=50_000,
            max_waiting=MAX_UNSAVED,
            weight=_weight,
            retry_apart=False,
        )

    async def open(self) -> None:
        """Fill the head with the last hours, so that rules have their windows after a restart."""
        found = await rows(self._engine, "SELECT name, type, help, unit FROM metric_metadata FINAL")
        self._metadata = {row["name"]: msgspec.convert(row, MetricMetadata) for row in found}
        await self._beside.open()
        self._latest = self._now_ms()  # a clock that is ahead may be set back before the first insert
        await self._reload()

    # --- writing ---------------------------------------------------------------------------

    async def insert_row(self, row: SampleRow) -> Mapping[str, int]:
        """Append one scrape: visible at once, durable on return. Returns what was refused, by reason."""
        self._look_at_the_clock()
        before = self._refused()
        accepted = self.head.append_row(row)
        refused = self._refused_since(before)
        await self._accept(accepted)
        return refused

    async def insert_samples(self, samples: Sequence[AnySample]) -> Mapping[str, int]:
        """Append samples with timestamps of their own. Returns what was refused, by reason.

        Many are appended in parts, between which the event loop goes on. A caller that is cancelled meanwhile ends
        nothing: what the head has must be stored, since it would be taken for known if it came again.
        """
        if len(samples) <= _APPENDED_AT_ONCE:
            refused, accepted = self._append_part(samples)
            await self._accept(accepted)
            return refused
        return await asyncio.shield(asyncio.ensure_future(self._insert_in_parts(samples)))

    async def _insert_in_parts(self, samples: Sequence[AnySample]) -> Mapping[str, int]:
        refused: Counter[str] = Counter()
        parts: list[Accepted] = []
        ordered = sorted(samples, key=lambda sample: sample.timestamp_ms)
        for start in range(0, len(ordered), _APPENDED_AT_ONCE):
            if start:
                await asyncio.sleep(0)
            reasons, accepted = self._append_part(ordered[start : start + _APPENDED_AT_ONCE])
            refused.update(reasons)
            parts.append(accepted)
        series = {item.id: item for part in parts for item in part.series}
        await self._accept(
            Accepted(
                np.concatenate([part.samples for part in parts]),
                tuple(series.values()),
                tuple(one for part in parts for one in part.histograms),
                np.concatenate([part.starts for part in parts]),
            )
        )
        return refused

    def _append_part(self, samples: Sequence[AnySample]) -> tuple[Mapping[str, int], Accepted]:
        self._look_at_the_clock()
        before = self._refused()
        accepted = self.head.append_samples(samples)
        return self._refused_since(before), accepted

    def _refused(self) -> list[int]:
        return [self.head.counters[name] for name in _REFUSED]

    def _refused_since(self, before: list[int]) -> Mapping[str, int]:
        # Nothing else appends meanwhile: between the two looks nothing is awaited.
        after = self._refused()
        if before == after:
            return {}
        found = zip(_REFUSED.values(), before, after, strict=True)
        return {reason: now - then for reason, then, now in found if now > then}

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember what changed."""
        changed = {item.name: item for item in metadata if self._metadata.get(item.name) != item}
        if len(self._metadata) + len(changed) > MAX_FAMILIES:
            changed = {name: item for name, item in changed.items() if name in self._metadata}
        if not changed:
            return
        updated = _instant(self._now_ms())
        lines = [
            msgspec.json.encode(
                {
                    "name": clean(item.name),
                    "type": item.type.value,
                    "help": clean(item.help),
                    "unit": clean(item.unit),
                    "updated": updated,
                }
            )
            for item in changed.values()
        ]
        await self._engine.insert("metric_metadata", _METADATA_COLUMNS, "JSONEachRow", b"\n".join(lines))
        self._metadata |= changed

    async def close(self) -> None:
        """Store what was accepted."""
        await self._commit.close()
        if self._unsaved or self._unlogged:
            try:
                if self._unlogged:
                    await self._store_block(self._unlogged)
                else:
                    await self._store([])
            except TelemetryError as error:
                _log.error("%d samples could not be stored: %s", self.unsaved, error)

    @property
    def unsaved(self) -> int:
        """Samples that are not durable, because an earlier attempt failed; the next one takes them along."""
        return sum(map(_weight, self._unsaved)) + sum(map(_weight, self._unlogged))

    def _look_at_the_clock(self) -> None:
        now = self._now_ms()
        if now < self._latest - _SET_BACK_MS:
            _log.warning("the clock was set back by %.0f s; later samples count no more", (self._latest - now) / 1000)
            self.head.set_back(now)
            self._stored_series.set_back(now)
            self._latest = self._advanced_at = now
        self._latest = max(self._latest, now)
        if now - self._advanced_at >= _ADVANCE_EVERY_MS:
            self._advanced_at = now
            self.head.advance(now)
            self._renew_series(now)

    def _renew_series(self, now: int) -> None:
        """Have the rows of live series written again with the next samples when they are a day old.

        Series that have ended are let go of: their rows expire, and are written anew should they come back.
        """
        if due := self._stored_series.due(now):
            live = {series.id: series for series in self.head.find(due)}
            self._unstored_series = live | self._unstored_series
            self._stored_series.forget(due - live.keys())
        if len(self._stored_series) > 2 * self.head.series_count + _ENDED_KEPT:
            self._stored_series.keep(self.head.ids())

    async def _accept(self, accepted: Accepted) -> None:
        # Samples that were known already still wait for whatever insert has them under way.
        if len(accepted.samples) or self._unsaved or self._unlogged or not self._commit.idle:
            await self._commit.submit([accepted])

    async def _append(self, batches: Sequence[Accepted]) -> None:
        """Log what was accepted, with the rows of the series that neither the log nor the database has.

        Samples are in the head already and would be taken for known if they came again, so after a failure they stay
        here until they are logged.
        """
        self._unlogged += [batch for batch in batches if len(batch.samples)]
        unlogged = self._unlogged
        if not unlogged or self._journaled is None:
            return
        now = self._now_ms()
        series = {
            item.id: item
            for batch in unlogged
            for item in batch.series
            if item.id not in self._logged_series and self._stored_series.lacks(item, now)
        }
        everything = together(unlogged)
        payload = encode_record(_series_lines(list(series.values()), now), everything)
        try:
            await self._journaled.submit(everything, payload)
        except TelemetryError:
            while self.unsaved > MAX_UNSAVED:
                self.lost_samples += len(self._unlogged.pop(0).samples)
            raise
        self._unlogged = []
        self._logged_series |= series.keys()

    async def _store_block(self, batches: Sequence[Accepted]) -> None:
        """What the log has goes to the database; what is refused is offered again."""
        now = self._now_ms()
        self._note_series(batches, now)
        if self._recovered_series:
            await self._engine.insert("series", _SERIES_COLUMNS, "JSONEachRow", b"\n".join(self._recovered_series))
            self._recovered_series = []
        if self._unstored_series:
            await self._store_series(list(self._unstored_series.values()), now)
        await self._insert(batches)

    async def _insert(self, batches: Sequence[Accepted]) -> None:
        # What is beside the samples first: where a sample is found after a crash, so is its histogram.
        await self._beside.insert(batches)
        samples = np.concatenate([batch.samples for batch in batches])
        await self._engine.insert("samples", _COLUMNS, "RowBinary", samples.tobytes())

    async def _recover(self, records: Sequence[Record]) -> list[tuple[int, Accepted]]:
        """Of the samples of an earlier run those that the database does not have; rows of series are written again."""
        lines: list[bytes] = []
        pieces: list[tuple[int, SampleRecord]] = []
        for record in records:
            found = decode_record(record.payload)
            lines += found.series
            pieces.append((record.sequence, found))
        samples = np.concatenate([piece.samples for _, piece in pieces]) if pieces else np.empty(0, SAMPLE_DTYPE)
        if not len(samples):
            return []
        stored = [np.empty(0, _PLACE_DTYPE)]
        for start, end in ranges(samples["timestamp"].tolist(), _CLOSE_MS):
            stored.append(await self._places(start, end))
        missing = samples[_missing(samples, np.concatenate(stored))]
        if not len(missing):
            return []
        # Rows of series are stored before their samples: where all samples are there, so are they.
        self._recovered_series += lines
        histograms = tuple(row for _, piece in pieces for row in of_samples(piece, missing))
        starts = np.concatenate([NO_STARTS, *(piece.starts for _, piece in pieces)])
        return [(pieces[0][0], Accepted(missing, (), histograms, starts))]

    async def _places(self, start: int, end: int) -> NDArray[np.void]:
        """Series and instant of each stored sample in a closed range."""
        sql = f"SELECT series, timestamp FROM samples WHERE {_IN_RANGE}"  # noqa: S608
        try:
            body = await self._stored.query(sql, _range(start, end), format="RowBinary")
        except TelemetryLimitError:
            body = b""  # a sample that is stored twice is read once
        return np.frombuffer(body, _PLACE_DTYPE)

    async def _store(self, batches: Sequence[Accepted]) -> None:
        # Samples are in the head already and would be taken for known if they came again, so after a
        # failure they stay here until an insert succeeds.
        self._unsaved += [batch for batch in batches if len(batch.samples)]
        now = self._now_ms()
        self._note_series(batches, now)
        try:
            if self._unstored_series:
                await self._store_series(list(self._unstored_series.values()), now)
            if self._unsaved:
                await self._insert(self._unsaved)
                self._unsaved = []
        except TelemetryError:
            while self.unsaved > MAX_UNSAVED:
                self.lost_samples += len(self._unsaved.pop(0).samples)
            raise

    def _note_series(self, batches: Sequence[Accepted], now: int) -> None:
        for batch in batches:
            for series in batch.series:
                if self._stored_series.lacks(series, now):
                    self._unstored_series[series.id] = series

    async def _store_series(self, series: list[HeadSeries], now: int) -> None:
        lines = _series_lines(series, now)
        targets = {item.id: item.target for item in series}
        await self._engine.insert("series", _SERIES_COLUMNS, "JSONEachRow", b"\n".join(lines))
        self._stored_series.note(targets, min(now, self._now_ms()))  # the clock may have been set back meanwhile
        for item in series:
            self._unstored_series.pop(item.id, None)
            self._logged_series.discard(item.id)

    # --- reading ---------------------------------------------------------------------------

    async def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, most: int | None = None
    ) -> list[SeriesBlock]:
        """Samples in the closed range, from the head alone where it reaches far enough back."""

        def left(blocks: list[SeriesBlock]) -> int | None:
            return None if most is None else most - sum(block.values.size for block in blocks)

        floor = self.head.floor_ms
        if start_ms >= floor:
            return await self._from_head(matchers, start_ms, end_ms, most)
        older = await self._stored_samples(matchers, start_ms, min(end_ms, floor - 1), most)
        # The head may have let go of its oldest rows while the database was asked; they are stored by then.
        if self.head.floor_ms > floor and end_ms >= floor:
            between = await self._stored_samples(matchers, floor, min(end_ms, self.head.floor_ms - 1), left(older))
            older = join(older, between)
        if end_ms < floor:
            return older
        return join(older, self.head.select(matchers, max(floor, start_ms), end_ms, most=left(older)))

    async def _from_head(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, most: int | None
    ) -> list[SeriesBlock]:
        found: list[SeriesBlock] = []
        for _ in self.head.select_in_parts(found, matchers, start_ms, end_ms, most=most):
            await asyncio.sleep(0)
        # The head may have let go of its oldest rows meanwhile.
        return found if start_ms >= self.head.floor_ms else await self.select(matchers, start_ms, end_ms, most=most)

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets with a sample in the closed range, sorted."""
        found = await self._found(matchers, start_ms, end_ms)
        return await _aside(len(found), lambda: sorted(found))

    async def _found(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> set[Labels]:
        floor = self.head.floor_ms
        found: set[Labels] = set()
        if start_ms < floor:
            where, parameters = _series_conditions(matchers, start_ms)
            within = f"{_IN_RANGE} AND {_metric_condition(matchers, where, parameters)}"
            sql = (
                f"SELECT DISTINCT name, labels FROM series WHERE {where} "  # noqa: S608
                f"AND id IN (SELECT DISTINCT series FROM samples WHERE {within}) LIMIT {MAX_SERIES + 1}"
            )
            parameters |= _range(start_ms, min(end_ms, floor - 1))
            found.update(_labels(row) for row in await self._limited(sql, parameters))
        found.update(self.head.series(matchers, start_ms, end_ms))
        return found

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Label names on matching series, sorted."""
        series = await self._found(matchers, start_ms, end_ms)
        return await _aside(len(series), lambda: sorted({name for labels in series for name in labels}))

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Values of a label on matching series, sorted."""
        series = await self._found(matchers, start_ms, end_ms)
        return await _aside(len(series), lambda: sorted({labels.get(name, "") for labels in series} - {""}))

    async def metadata(self) -> list[MetricMetadata]:
        """Metric families, sorted by name."""
        return [self._metadata[name] for name in sorted(self._metadata)]

    async def _limited(self, sql: str, parameters: dict[str, Parameter]) -> list[dict[str, Any]]:
        found = decode_rows(await self._engine.query(sql, parameters))
        if len(found) > MAX_SERIES:
            raise TelemetryLimitError(f"more than {MAX_SERIES} series match: add label matchers")
        return found

    async def _stored_samples(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, most: int | None
    ) -> list[SeriesBlock]:
        bound = self._max_samples if most is None else max(0, min(self._max_samples, most))
        where, parameters = _series_conditions(matchers, start_ms)
        found = await self._limited(
            f"SELECT id, name, labels, target FROM series FINAL WHERE {where} ORDER BY name, labels "  # noqa: S608
            f"LIMIT {MAX_SERIES + 1}",
            parameters,
        )
        if not found:
            return []
        metric = _metric_condition(matchers, where, parameters)
        body = await self._engine.query(
            f"SELECT series, timestamp, value FROM samples WHERE {_IN_RANGE} AND {metric} "  # noqa: S608
            f"AND series IN (SELECT id FROM series WHERE {where}) LIMIT {bound + 1}",
            parameters | _range(start_ms, end_ms),
            format="RowBinary",
        )
        samples = np.frombuffer(body, _READ_DTYPE)
        if len(samples) > bound:
            kind = TooManySamplesError if bound == most else TelemetryLimitError
            raise kind(f"more than {bound} samples match: narrow the range or the matchers")
        blocks = _blocks(found, samples)
        if not self._beside.any_starts and not has_histograms(samples["value"]):
            return blocks
        condition = f"{metric} AND series IN (SELECT id FROM series WHERE {where})"  # noqa: S608
        names = {row["id"]: _labels(row) for row in found}
        histograms = await self._beside.histograms(condition, parameters, start_ms, end_ms)
        return attach(blocks, names, histograms, await self._beside.starts(condition, parameters, start_ms, end_ms))

    async def _reload(self) -> None:
        # Up to the present: samples from the time of a clock that was fast would keep the true ones out.
        start, end = self.head.floor_ms, self._now_ms()
        found = await rows(
            self._engine,
            "SELECT id, name, labels, target, toUnixTimestamp64Milli(updated) AS written FROM series FINAL WHERE id IN "  # noqa: S608
            f"(SELECT DISTINCT series FROM samples WHERE {_IN_RANGE}) "
            f"ORDER BY name, labels LIMIT {self.head.max_series}",
            _range(start, end),
        )
        for written, group in groupby(sorted(found, key=_written), key=_written):
            self._stored_series.note({row["id"]: row["target"] for row in group}, min(written, end))
        counts = await rows(
            self._engine,
            "SELECT toUnixTimestamp(toStartOfMinute(timestamp)) * 1000 AS minute, count() AS count "  # noqa: S608
            f"FROM samples WHERE {_IN_RANGE} GROUP BY minute ORDER BY minute",
            _range(start, end),
        )
        # Piece by piece: all of it at once would take twice the memory of the head.
        pieces: list[int] = []
        gathered = _RELOAD_ROWS
        for row in counts:
            if gathered + row["count"] > _RELOAD_ROWS:
                pieces.append(max(start, row["minute"]))
                gathered = 0
            gathered += row["count"]
        names = {row["id"]: _labels(row) for row in found}
        for begin, until in pairwise([*pieces, end + 1]):
            body = await self._engine.query(
                f"SELECT series, timestamp, value FROM samples WHERE {_IN_RANGE}",  # noqa: S608
                _range(begin, until - 1),
                format="RowBinary",
            )
            samples = np.frombuffer(body, _READ_DTYPE)
            for target, blocks in _by_target(found, samples):
                for block in blocks:
                    if target:
                        self.head.load(target, block)
                        continue
                    for column, labels in enumerate(block.labels):
                        self.head.load_single(labels, block.timestamps, block.values[:, column])
            if has_histograms(samples["value"]):
                for id, some in (await self._beside.histograms("1", {}, begin, until - 1)).items():
                    if id in names:
                        self.head.load_histograms(names[id], some)
        for id, known in (await self._beside.starts("1", {}, start, end)).items():
            if id in names:
                self.head.load_starts(names[id], known)
        self.head.advance(self._now_ms())


def _series_lines(series: Sequence[HeadSeries], now: int) -> list[bytes]:
    return [
        msgspec.json.encode(
            {
                "id": item.id,
                "metric": item.metric,
                "name": clean(item.labels.name),
                "labels": {clean(key): clean(value) for key, value in item.labels.pairs if key != METRIC_NAME},
                "target": clean(item.target),
                # A sample from a clock that is ahead expires later, and so must its row.
                "updated": _instant(max(now, item.newest_ms)),
            }
        )
        for item in series
    ]


def _weight(accepted: Accepted) -> int:
    return len(accepted.samples)


def _missing(samples: NDArray[np.void], stored: NDArray[np.void]) -> NDArray[np.intp]:
    """Positions of the samples whose series and instant are not among those stored; of equal ones the first."""
    count = len(samples)
    _, series = np.unique(np.concatenate([samples["series"], stored["series"]]), return_inverse=True)
    instants = np.concatenate([samples["timestamp"], stored["timestamp"]])
    instants = instants - instants.min()
    # One number for each pair, exactly: 2**30 series and 2,000 years have room in it.
    places = series.astype(np.int64) * (int(instants.max()) + 1) + instants
    fresh, first = np.unique(places[:count], return_index=True)
    return np.sort(first[~np.isin(fresh, places[count:])])


async def _aside(count: int, work: Callable[[], list[_T]]) -> list[_T]:
    """Work on label sets, which never change: on a thread if there are many, so that alerting goes on meanwhile."""
    return await asyncio.to_thread(work) if count > _MANY else work()


def _blocks(series: list[dict[str, Any]], samples: NDArray[np.void]) -> list[SeriesBlock]:
    return [block for _, blocks in _by_target(series, samples) for block in blocks]


def _by_target(series: list[dict[str, Any]], samples: NDArray[np.void]) -> list[tuple[str, list[SeriesBlock]]]:
    """Loose samples as blocks: one for each target; series without a target by their timestamps."""
    if not len(samples) or not series:
        return []
    ids = np.array([row["id"] for row in series], np.uint64)
    labels = [_labels(row) for row in series]
    order = np.argsort(ids)
    place = np.minimum(np.searchsorted(ids[order], samples["series"]), len(ids) - 1)
    known = ids[order][place] == samples["series"]  # a series may be too new for the list, or over its limit
    samples, owner = samples[known], order[place[known]]
    targets = sorted({row["target"] for row in series})
    number = {target: index for index, target in enumerate(targets)}
    target_of = np.array([number[row["target"]] for row in series])
    # One pass sorts by target; within a target the order of arrival stays.
    by_target = np.argsort(target_of[owner], kind="stable")
    samples, owner = samples[by_target], owner[by_target]
    edges = np.searchsorted(target_of[owner], np.arange(len(targets) + 1))
    found: list[tuple[str, list[SeriesBlock]]] = []
    for index, target in enumerate(targets):
        low, high = edges[index], edges[index + 1]
        if low == high:
            continue
        part, members = samples[low:high], owner[low:high]
        if target:
            present, columns = np.unique(members, return_inverse=True)
            names = [labels[member] for member in present.tolist()]
            found.append((target, [matrix(names, columns, part["timestamp"], part["value"])]))
            continue
        by_series = np.lexsort((part["timestamp"], members))
        part, members = part[by_series], members[by_series]
        starts = np.flatnonzero(np.diff(members, prepend=-1))
        singles = []
        for begin, end in zip(starts, [*starts[1:], len(part)], strict=True):
            timestamps, first = np.unique(part["timestamp"][begin:end], return_index=True)
            singles.append((labels[members[begin]], timestamps, part["value"][begin:end][first]))
        found.append((target, group_singles(singles)))
    return found


def _written(row: dict[str, Any]) -> int:
    return row["written"]


def _labels(row: dict[str, Any]) -> Labels:
    return Labels({METRIC_NAME: row["name"], **row["labels"]})


def _series_conditions(matchers: Sequence[Matcher], start_ms: int) -> tuple[str, dict[str, Parameter]]:
    """Conditions on the series table. A label that is missing reads as the empty string there as well.

    Series that ended before ``start_ms`` are left out: rows of those with samples are renewed daily.
    """
    parts = ["updated >= fromUnixTimestamp64Milli({alive:Int64})"]
    earliest = min(max(start_ms, _EARLIEST_MS), _LATEST_MS) - SERIES_MARGIN_DAYS * DAY_MS
    parameters: dict[str, Parameter] = {"alive": max(earliest, _EARLIEST_MS)}
    for number, matcher in enumerate(matchers):
        value = f"{{value{number}:String}}"
        parameters[f"value{number}"] = matcher.value
        if matcher.name == METRIC_NAME:
            subject = "name"
        else:
            subject = f"labels[{{label{number}:String}}]"
            parameters[f"label{number}"] = matcher.name
        match matcher.op:
            case MatchOp.EQUAL:
                parts.append(f"{subject} = {value}")
            case MatchOp.NOT_EQUAL:
                parts.append(f"{subject} != {value}")
            case MatchOp.REGEX | MatchOp.NOT_REGEX:
                parameters[f"value{number}"] = f"^(?s:{matcher.value})$"
                negation = "" if matcher.op is MatchOp.REGEX else "NOT "
                parts.append(f"{negation}match({subject}, {value})")
    return " AND ".join(parts), parameters


def _metric_condition(matchers: Sequence[Matcher], where: str, parameters: dict[str, Parameter]) -> str:
    if name := metric_name(matchers):
        parameters["metric"] = metric_id(name)
        return "metric = {metric:UInt64}"
    return f"metric IN (SELECT metric FROM series WHERE {where})"  # noqa: S608


def _range(start_ms: int, end_ms: int) -> dict[str, Parameter]:
    return {"start": max(start_ms, _EARLIEST_MS), "end": min(max(end_ms, -1), _LATEST_MS)}


def _instant(ms: int) -> str:
    return f"{ms // 1000:010d}.{ms % 1000:03d}"
