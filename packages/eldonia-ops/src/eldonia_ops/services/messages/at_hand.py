"""Messages that wait and need not be read before they are delivered."""

from collections.abc import Iterable
from typing import Final

from eldonia_ops.model.alerts import Outgoing

_MOST_ALERTS: Final = 10_000


class MessagesAtHand:
    """Rows of the outbox by id, those about ten thousand alerts at most: what a row holds never changes, but for its
    delivery state."""

    def __init__(self) -> None:
        self._rows: dict[int, Outgoing] = {}
        self._alerts = 0

    def __contains__(self, id: int) -> bool:
        return id in self._rows

    @property
    def full(self) -> bool:
        """Whether there is no room for another one."""
        return self._alerts >= _MOST_ALERTS

    def keep(self, rows: Iterable[Outgoing]) -> None:
        """Keep rows as far as there is room; the others are read when they have a place."""
        for row in rows:
            if not self.full and row.id not in self._rows:
                self._rows[row.id] = row
                self._alerts += _weight(row)

    def pop(self, id: int) -> Outgoing | None:
        """A row that is kept, which it is no longer."""
        row = self._rows.pop(id, None)
        if row is not None:
            self._alerts -= _weight(row)
        return row

    def clear(self) -> None:
        """Keep none of them."""
        self._rows, self._alerts = {}, 0


def _weight(row: Outgoing) -> int:
    return max(1, len(row.fingerprints))
