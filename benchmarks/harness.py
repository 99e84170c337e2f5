"""How things are timed: contenders take turns (A B A B …), so that a noisy moment hits all of them alike.

Each figure is a median over the rounds, with the lowest and the highest beside it. pyperf was looked
at: it runs one benchmark after the other in processes of their own, which is steadier on a quiet
machine but lets drift on a shared one fall on one side alone, and it knows no servers or databases.
"""

import gc
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Contender:
    """Something to time: ``run`` does ``amount`` units of work, ``before`` (not timed) prepares each run."""

    name: str
    run: Callable[[], object]
    amount: int = 1
    before: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class AsyncContender:
    """The same for a coroutine function."""

    name: str
    run: Callable[[], Awaitable[object]]
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the ends of some measurements."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Of at least one value."""
        return cls(median(values), min(values), max(values))

    def map(self, change: Callable[[float], float]) -> "Spread":
        """Each part changed; the ends stay in order."""
        ends = sorted((change(self.low), change(self.high)))
        return Spread(change(self.middle), *ends)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. ``unit`` follows the numbers; ``ratio`` says how it compares ('' for nothing)."""

    name: str
    spread: Spread
    unit: str
    ratio: str = ""


@dataclass(slots=True)
class Table:
    """What one benchmark found. ``notes`` are sentences that a reader needs in order to judge it."""

    title: str
    rows: list[Row] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def alternate(contenders: Sequence[Contender], *, rounds: int) -> dict[str, Spread]:
    """Seconds per unit of work of each contender, by name. One round beforehand is not counted."""
    seconds: dict[str, list[float]] = {item.name: [] for item in contenders}
    for turn in range(rounds + 1):
        # Every other round runs backwards: being first or last is no advantage.
        for item in contenders if turn % 2 == 0 else contenders[::-1]:
            if item.before is not None:
                item.before()
            gc.collect()
            started = time.perf_counter()
            item.run()
            elapsed = time.perf_counter() - started
            if turn:
                seconds[item.name].append(elapsed / item.amount)
    return {name: Spread.of(values) for name, values in seconds.items()}


async def alternate_async(
    contenders: Sequence[AsyncContender], *, rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, Spread]:
    """The same for coroutine functions, in the running event loop, by a ``clock`` of seconds."""
    seconds: dict[str, list[float]] = {item.name: [] for item in contenders}
    for turn in range(rounds + 1):
        for item in contenders if turn % 2 == 0 else contenders[::-1]:
            gc.collect()
            started = clock()
            await item.run()
            elapsed = clock() - started
            if turn:
                seconds[item.name].append(elapsed / item.amount)
    return {name: Spread.of(values) for name, values in seconds.items()}


def rates(title: str, found: dict[str, Spread], unit: str, *, ours: str = "", notes: Sequence[str] = ()) -> Table:
    """A table of units per second; ``ours`` (default: the first) is what the others are compared with."""
    rows = [
        Row(name, spread.map(lambda seconds: 1 / seconds), f"{unit}/s", _against(name, spread, found, ours))
        for name, spread in found.items()
    ]
    return Table(title, rows, list(notes))


def durations(title: str, found: dict[str, Spread], unit: str, *, ours: str = "", notes: Sequence[str] = ()) -> Table:
    """A table of times: ``unit`` is ``ns``, ``µs``, ``ms`` or ``s``, and may go on (``µs a record``)."""
    scale = {"ns": 1e9, "µs": 1e6, "ms": 1e3, "s": 1.0}[unit.split(" ", 1)[0]]
    rows = [
        Row(name, spread.map(lambda seconds: seconds * scale), unit, _against(name, spread, found, ours))
        for name, spread in found.items()
    ]
    return Table(title, rows, list(notes))


def latencies(name: str, seconds: Sequence[float]) -> list[Row]:
    """Median (with the ends) and 95th percentile of single events, in milliseconds."""
    ordered = sorted(seconds)
    p95 = ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)] * 1e3
    middle = Spread.of(ordered).map(lambda value: value * 1e3)
    return [Row(f"{name}, median", middle, "ms"), Row(f"{name}, p95", Spread(p95, p95, p95), "ms")]


def _against(name: str, spread: Spread, found: dict[str, Spread], ours: str) -> str:
    reference = ours or next(iter(found))
    if name == reference or reference not in found:
        return ""
    times = spread.middle / found[reference].middle
    return f"takes {number(times)} × as long" if times >= 1 else f"takes {number(times)} of the time"


def number(value: float) -> str:
    """Three significant figures, thousands apart."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, 2 - math.floor(math.log10(abs(value))))
    rounded = round(value, 2 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{places}f}"
