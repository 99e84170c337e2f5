"""The health of the platform's loops: which of them fail repeatedly.

A loop notes the end of each turn here. What follows from it is elsewhere: ``/-/ready`` is red while a loop is
failing, :class:`~eldonia_ops.services.supervision.SupervisionService` raises an alert about it, and the platform's
own metrics count its failures.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from eldonia_ops.services.own_metrics import OwnMetrics

_LONGEST_NAME: Final = 200
FAILING_AFTER: Final = 3
"""Failures in a row after which a loop counts as failing: one alone is a locked database or a restarted server."""


@dataclass(slots=True)
class Loop:
    """One loop, or with ``item`` a part of one.

    ``failures`` counts since the start, ``in_row`` since the last success; ``ended``: it will not go on by itself.
    ``error`` is the kind of the last failure, since the words of an exception may hold a secret. ``succeeded_at`` is
    when a turn last went well (Unix ms), 0 for never.
    """

    name: str
    item: bool = False
    failures: int = 0
    in_row: int = 0
    ended: bool = False
    error: str = ""
    succeeded_at: int = 0

    @property
    def failing(self) -> bool:
        """Whether it fails again and again."""
        return self.ended or self.in_row >= FAILING_AFTER


class LoopWatch:
    """What one loop, or one item of a loop, notes about itself; ``name`` is the one that is shown."""

    def __init__(self, loops: "Loops", name: str, *, item: bool) -> None:
        self._loops = loops
        self.name = "".join(one if one.isprintable() else "\ufffd" for one in name[:_LONGEST_NAME])
        self._item = item

    @property
    def in_row(self) -> int:
        """Failures since the last success."""
        loop = self._loops.find(self.name)
        return loop.in_row if loop else 0

    def known(self) -> Loop:
        """The loop, known from now on."""
        return self._loops.known(self.name, item=self._item)

    def succeeded(self) -> None:
        """Note that a turn went well."""
        loop = self._loops.find(self.name)
        if loop is None:
            return
        loop.succeeded_at = self._loops.now()
        if loop.in_row:
            was, loop.in_row = loop.failing, 0
            if self._item and loop.item:
                self._loops.forget(self.name)
            if was:
                self._loops.on_change()

    def failed(self, error: BaseException) -> None:
        """Note that a turn failed."""
        loop = self.known()
        was = loop.failing
        loop.failures += 1
        loop.in_row += 1
        loop.error = type(error).__name__
        if was is not loop.failing:
            self._loops.on_change()

    def ended(self, error: BaseException) -> None:
        """Note that the loop is over although it was not stopped."""
        loop = self.known()
        loop.failures += 1
        loop.ended = True
        loop.error = type(error).__name__
        self._loops.on_change()


def _wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000


class Loops:
    """All loops by their names, and those of their items that fail: rules, files, incidents, receivers. Names are
    shown to every user. ``on_change`` is called when one begins or ceases to count as failing. ``metrics`` counts and
    times what the loops do."""

    def __init__(self, now: Callable[[], int] = _wall_clock_ms) -> None:
        self._loops: dict[str, Loop] = {}
        self.now = now
        self.metrics = OwnMetrics()
        self.on_change: Callable[[], None] = lambda: None

    def watch(self, name: str) -> LoopWatch:
        """What the loop of this name notes its turns in; known from now on."""
        watch = LoopWatch(self, name, item=False)
        watch.known()
        return watch

    def item(self, name: str) -> LoopWatch:
        """The same for an item of a loop, which is known only as long as it fails: there may be any number."""
        return LoopWatch(self, name, item=True)

    def all(self) -> list[Loop]:
        """Every loop, in the order in which they became known."""
        return list(self._loops.values())

    def failing(self) -> list[Loop]:
        """Those that fail again and again."""
        return [loop for loop in self._loops.values() if loop.failing]

    def find(self, name: str) -> Loop | None:
        """The loop of this name, if it is known."""
        return self._loops.get(name)

    def known(self, name: str, *, item: bool = False) -> Loop:
        """The loop of this name, known from now on."""
        return self._loops.setdefault(name, Loop(name, item))

    def forget(self, name: str) -> None:
        """Forget an item that fails no more, or a loop that is no more."""
        gone = self._loops.pop(name, None)
        if gone is not None and gone.failing:
            self.on_change()
