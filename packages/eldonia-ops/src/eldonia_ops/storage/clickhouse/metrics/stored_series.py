"""Which series the database has a row of, and when those rows have to be written again.

A row expires when it has not been renewed for as long as samples are kept and ``schema.SERIES_MARGIN_DAYS`` more. So
the rows of series with samples are renewed daily, a few at a time, and no sample is stored whose series has a row older
than two days. Nothing here waits, reads a clock or does I/O.
"""

from collections.abc import Collection, Mapping
from typing import Final

from eldonia_ops.storage.clickhouse.metrics.head import HeadSeries

DAY_MS: Final = 86_400_000
RENEW_AFTER_MS: Final = DAY_MS
OVERDUE_AFTER_MS: Final = 2 * DAY_MS
RENEWED_AT_ONCE: Final = 2_000


class StoredSeries:
    """The target and the age of the row of each series, by series id, the oldest first."""

    def __init__(self) -> None:
        self._rows: dict[int, tuple[str, int]] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def lacks(self, series: HeadSeries, now_ms: int) -> bool:
        """Whether a row has to be written before a sample of the series is."""
        row = self._rows.get(series.id)
        return row is None or row[0] != series.target or now_ms - row[1] >= OVERDUE_AFTER_MS

    def note(self, targets: Mapping[int, str], at_ms: int) -> None:
        """Rows were written at an instant not earlier than any noted before."""
        shared = {target: (target, at_ms) for target in targets.values()}
        for id, target in targets.items():
            self._rows.pop(id, None)  # to the end
            self._rows[id] = shared[target]

    def due(self, now_ms: int) -> set[int]:
        """Ids whose rows are a day old: some of them, and all that are overdue."""
        found: set[int] = set()
        for id, (_, written_ms) in self._rows.items():
            age = now_ms - written_ms
            if age < RENEW_AFTER_MS or (age < OVERDUE_AFTER_MS and len(found) >= RENEWED_AT_ONCE):
                break
            found.add(id)
        return found

    def forget(self, ids: Collection[int]) -> None:
        """Let go of series; should one come back, its row is written once more."""
        for id in ids:
            self._rows.pop(id, None)

    def keep(self, ids: Collection[int]) -> None:
        """Let go of all others."""
        self._rows = {id: row for id, row in self._rows.items() if id in ids}

    def set_back(self, now_ms: int) -> None:
        """The clock was set back: no row counts as written after ``now_ms``, so all are renewed within a day."""
        self._rows = {id: (target, min(at_ms, now_ms)) for id, (target, at_ms) in self._rows.items()}
