"""The tables beside the samples: native histograms, and since when the counts of a sample count.

Both have rows only where there is something to say. A row is looked for with the samples that it belongs to, by series
and instant; a repetition after a crash may have stored it twice, and it is read once.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import HISTOGRAM_NAN_BITS, SeriesBlock
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.metrics.beside_floats import START_KNOWN_MS, BesideFloats
from eldonia_ops.storage.clickhouse.metrics.head import HISTOGRAM_HEADER, Accepted, with_beside
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import split_histograms
from eldonia_ops.storage.clickhouse.schema import rows

HISTOGRAM_COLUMNS: Final = ("metric", "series", "timestamp", "count", "sum", "layout", "counts")
START_COLUMNS: Final = ("metric", "series", "timestamp", "start")
_START_DTYPE: Final = np.dtype([("series", "<u8"), ("timestamp", "<i8"), ("start", "<i8")])
_EARLIEST_MS: Final = 0
_IN_RANGE: Final = (
    "timestamp >= fromUnixTimestamp64Milli({first:Int64}) AND timestamp <= fromUnixTimestamp64Milli({last:Int64})"
)

Histograms = Mapping[int, Sequence[tuple[int, bytes]]]
"""By the id of a series: instants (Unix ms, ascending) and histograms, packed."""

Starts = Mapping[int, Sequence[tuple[int, int]]]
"""By the id of a series: from which instant on (Unix ms, ascending) its samples count since which other."""


class BesideSamples:
    """Both tables. ``any_starts`` says whether there is a start at all: most platforms have none."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.any_starts = False

    async def open(self) -> None:
        """Look whether there are starts."""
        found = await rows(self._engine, "SELECT count() AS count FROM sample_starts")
        self.any_starts = found[0]["count"] > 0

    async def insert(self, batches: Iterable[Accepted]) -> None:
        """Store what some batches have beside their samples."""
        histograms: list[bytes] = []
        starts: list[bytes] = []
        for batch in batches:
            histograms += batch.histograms
            if len(batch.starts):
                starts.append(batch.starts.tobytes())
        if histograms:
            await self._engine.insert("histograms", HISTOGRAM_COLUMNS, "RowBinary", b"".join(histograms))
        if starts:
            await self._engine.insert("sample_starts", START_COLUMNS, "RowBinary", b"".join(starts))
            self.any_starts = True

    async def histograms(
        self, condition: str, parameters: Mapping[str, Parameter], start_ms: int, end_ms: int
    ) -> Histograms:
        """The histograms of the series of a condition in a closed range."""
        body = await self._engine.query(
            f"SELECT {', '.join(HISTOGRAM_COLUMNS)} FROM histograms "  # noqa: S608
            f"WHERE {_IN_RANGE} AND {condition} ORDER BY series, timestamp",
            {**parameters, "first": max(_EARLIEST_MS, start_ms), "last": max(_EARLIEST_MS, end_ms)},
            format="RowBinary",
        )
        found: dict[int, dict[int, bytes]] = {}
        for header, packed in split_histograms(body, HISTOGRAM_HEADER.size):
            _, series, at = HISTOGRAM_HEADER.unpack(header)
            found.setdefault(series, {})[at] = packed
        return {series: list(some.items()) for series, some in found.items()}

    async def starts(self, condition: str, parameters: Mapping[str, Parameter], start_ms: int, end_ms: int) -> Starts:
        """The starts that count in a closed range, of the series of a condition."""
        if not self.any_starts:
            return {}
        body = await self._engine.query(
            f"SELECT series, timestamp, start FROM sample_starts WHERE {_IN_RANGE} AND {condition} "  # noqa: S608
            "ORDER BY series, timestamp",
            {**parameters, "first": max(_EARLIEST_MS, start_ms - START_KNOWN_MS), "last": max(_EARLIEST_MS, end_ms)},
            format="RowBinary",
        )
        found: dict[int, list[tuple[int, int]]] = {}
        for series, at, start in np.frombuffer(body, _START_DTYPE).tolist():
            found.setdefault(series, []).append((at, start))
        return found


def has_histograms(values: NDArray[np.float64]) -> bool:
    """Whether one of some stored values marks a histogram."""
    return bool((np.ascontiguousarray(values).view(np.uint64) == np.uint64(HISTOGRAM_NAN_BITS)).any())


def attach(
    blocks: Iterable[SeriesBlock], names: Mapping[int, Labels], histograms: Histograms, starts: Starts
) -> list[SeriesBlock]:
    """Blocks of stored samples with what was found beside them."""
    beside: dict[Labels, BesideFloats] = {}
    for id in histograms.keys() | starts.keys():
        if id in names:
            one = beside[names[id]] = BesideFloats()
            for at, packed in histograms.get(id, ()):
                one.add(at, packed)
            for at, start in starts.get(id, ()):
                one.note_start(at, start)
    return [with_beside(block, beside) for block in blocks]
