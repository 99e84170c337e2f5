"""Which rows of the outbox are delivered next: a copy in memory of what the outbox says, arranged for asking.

Rows of one ``order_key`` go out in the order of their ids. Each integration has so many places; urgent rows take them
first, and causes take turns. A place is free as soon as the receiver has answered; the row keeps those behind it
waiting until the outcome is written, and no more than so many rows are unwritten at once.
Nothing here is stored: after a start all pending rows are put in again.
"""

import heapq
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from itertools import zip_longest
from typing import TypeAlias

from eldonia_ops.alerting.turns import Turns
from eldonia_ops.ports import QueuedRow

Target: TypeAlias = tuple[str, str, int]
"""``(receiver, integration, index)``."""


def target_of(row: QueuedRow) -> Target:
    """The integration that a row is for."""
    return row.receiver, row.integration, row.index


class DeliveryQueue:
    """Rows wait here for their predecessors, for their time and for a place, in this order."""

    def __init__(self, *, at_once: int, each: int, unwritten: int = 100) -> None:
        self._at_once = at_once
        self._each = each
        self._unwritten = unwritten
        self._answered: set[int] = set()
        self._known: dict[int, QueuedRow] = {}
        self._queues: dict[str, deque[int]] = {}
        self._later: list[tuple[int, int]] = []
        self._ready: dict[Target, Turns[int]] = {}
        self._busy: Counter[Target] = Counter()
        self._under_way: set[int] = set()

    def __len__(self) -> int:
        return len(self._known)

    def add(self, rows: Iterable[QueuedRow]) -> None:
        """Rows that are new; known ones are passed over."""
        for row in rows:
            if row.id in self._known:
                continue
            self._known[row.id] = row
            queue = self._queues.setdefault(row.order_key, deque())
            queue.append(row.id)
            if len(queue) == 1:
                self._wait(row)

    def revive(self, row: QueuedRow) -> None:
        """A person asked for a row to be tried now, given up or not."""
        if row.id not in self._known:
            # Those behind it may have gone out: it does not hold them up again.
            self._known[row.id] = row
            self._wait(row)
        elif not self._is_taken(row.id):
            self._known[row.id] = row
            if self._queues.get(row.order_key, deque([row.id]))[0] == row.id:
                self._wait(row)

    @property
    def ready(self) -> bool:
        """Whether rows wait for nothing but a place."""
        return bool(self._ready)

    def take(self, now: int, *, at_once: int | None = None) -> list[QueuedRow]:
        """The rows to deliver now, as many as there are places for; each has its place until :meth:`answered` or
        :meth:`end`. ``at_once`` bounds them this time to fewer than usual."""
        most = self._at_once if at_once is None else min(at_once, self._at_once)
        while self._later and self._later[0][0] <= now:
            at, id = heapq.heappop(self._later)
            row = self._known.get(id)
            if row is not None and row.next_attempt_at == at and not self._is_taken(id):
                self._ready.setdefault(target_of(row), Turns()).put(id, urgent=row.urgent, cause=row.cause)
        taken: list[QueuedRow] = []
        for target, turns in list(self._ready.items()):
            while (
                turns
                and self._busy[target] < self._each
                and len(self._under_way) < most
                and len(self._answered) < self._unwritten
            ):
                row = self._known.get(turns.take())
                if row is None or row.id in self._under_way or row.id in self._answered:
                    continue
                self._under_way.add(row.id)
                self._busy[target] += 1
                taken.append(row)
            if not turns:
                del self._ready[target]
            else:  # integrations take turns for the places of all
                self._ready[target] = self._ready.pop(target)
        return taken

    def upcoming(self, count: int) -> list[int]:
        """Ids of rows that wait for nothing but a place: those that would be taken first, as many of each integration
        as of the others."""
        some = [turns.upcoming(count) for turns in self._ready.values()]
        return [id for round in zip_longest(*some) for id in round if id is not None][:count]

    def answered(self, id: int) -> None:
        """The receiver of a row has answered, or could not be reached: its place is free before :meth:`end`."""
        if id not in self._under_way:
            return
        self._under_way.discard(id)
        self._answered.add(id)
        target = target_of(self._known[id])
        self._busy[target] -= 1
        if not self._busy[target]:
            del self._busy[target]

    def end(self, id: int, next_attempt_at: int | None) -> None:
        """A delivery has ended: it is tried again at an instant, or (None) done with."""
        row = self._known[id]
        self.answered(id)
        self._answered.discard(id)
        if next_attempt_at is not None:
            self._known[id] = changed = replace(row, next_attempt_at=next_attempt_at)
            self._wait(changed)
            return
        del self._known[id]
        queue = self._queues.get(row.order_key)
        if queue and queue[0] == id:
            queue.popleft()
            if queue:
                self._wait(self._known[queue[0]])
            else:
                del self._queues[row.order_key]

    def next_at(self) -> int | None:
        """The earliest instant at which a row that waits for its time may be tried, or None."""
        return self._later[0][0] if self._later else None

    def bring_forward(self, now: int, longest: int) -> list[int]:
        """After the clock was set back: nothing waits longer than ``longest`` ms; returns the ids that changed."""
        late = [row for row in self._known.values() if row.next_attempt_at > now + longest]
        for row in late:
            self._known[row.id] = changed = replace(row, next_attempt_at=now)
            if not self._is_taken(row.id) and self._queues.get(row.order_key, deque([row.id]))[0] == row.id:
                self._wait(changed)
        return [row.id for row in late]

    def _is_taken(self, id: int) -> bool:
        return id in self._under_way or id in self._answered

    def _wait(self, row: QueuedRow) -> None:
        heapq.heappush(self._later, (row.next_attempt_at, row.id))
