"""Counters, gauges and histograms with labels of bounded cardinality.

Nothing here raises for what an application does with a metric: a wrong label set, a negative
increment, a name that is taken are counted (see :mod:`eldonia_telemetry.dropped_data`) and otherwise
ignored. A family keeps at most ``max_series`` label sets; later ones share one whose labels all
read ``other``.
"""

import math
import re
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from time import time as unix_seconds
from typing import Any, Final, Generic, TypeVar

from eldonia_telemetry import dropped_data

DEFAULT_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds, as Prometheus' clients have them."""
MAX_SERIES: Final = 1000
MAX_LABEL_VALUE: Final = 256
OVERFLOW: Final = "other"

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation in the flesh: its value, the trace it belongs to (32 hex digits), Unix seconds."""

    value: float
    trace_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """One sample: the family's name plus ``suffix``, label pairs in order, the value, a trace behind it."""

    suffix: str
    labels: tuple[tuple[str, str], ...]
    value: float
    exemplar: Exemplar | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A family at one moment. ``type`` is counter, gauge or histogram; a counter's name ends in ``_total``."""

    name: str
    type: str
    help: str
    lines: Sequence[Line]


def _number(value: object) -> float | None:
    """What an application gives for a number (Decimal, Fraction, NumPy's) as one; None, counted, if it is none."""
    try:
        return float(value)  # type: ignore[arg-type]
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("metric", "value is not a number", error)
        return None


def _finite(value: object) -> float | None:
    """The same for what goes into a sum, which a NaN would make unusable."""
    number = _number(value)
    if number is None or math.isfinite(number):
        return number
    dropped_data.count("metric", "value is not finite")
    return None


def _described(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001  telemetry never raises into its host
        return type(value).__name__


def _labels(name: str, given: Any) -> list[str]:
    try:
        return [label if isinstance(label, str) else _described(label) for label in given or ()]
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("metric", f"labels of {name} are no names", error)
        return []


class CounterSeries:
    """One counter: a total that only grows."""

    __slots__ = ("_lock", "value")

    def __init__(self, family: "Family[Any]") -> None:
        self._lock = family.lock
        self.begin()

    def begin(self) -> None:
        """Start at 0."""
        self.value = 0.0

    def inc(self, amount: float = 1) -> None:
        """Add ``amount``, which must not be negative."""
        if type(amount) is not int:
            finite = _finite(amount)
            if finite is None:
                return
            amount = finite
        if amount < 0:
            dropped_data.count("metric", "negative increment of a counter")
            return
        with self._lock:
            self.value += amount

    def lines(self, labels: tuple[tuple[str, str], ...]) -> Iterator[Line]:
        """The series' samples."""
        yield Line("", labels, self.value)


class GaugeSeries:
    """One gauge: a value that goes up and down."""

    __slots__ = ("_function", "_lock", "value")

    def __init__(self, family: "Family[Any]") -> None:
        self._lock = family.lock
        self.value = 0.0
        self._function: Callable[[], float] | None = None

    def begin(self) -> None:
        """Nothing: what a gauge says is as true in a child."""

    def set(self, value: float) -> None:
        """Set the value."""
        number = _number(value)
        if number is not None:
            self.value = number

    def inc(self, amount: float = 1) -> None:
        """Add ``amount``."""
        finite = _finite(amount)
        if finite is not None:
            with self._lock:
                self.value += finite

    def dec(self, amount: float = 1) -> None:
        """Subtract ``amount``."""
        finite = _finite(amount)
        if finite is not None:
            with self._lock:
                self.value -= finite

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask ``function`` for the value at every scrape."""
        self._function = function

    def lines(self, labels: tuple[tuple[str, str], ...]) -> Iterator[Line]:
        """The series' samples."""
        if self._function is not None:
            try:
                self.value = float(self._function())
            except Exception as error:  # noqa: BLE001  one gauge must not break the scrape
                dropped_data.count("metric", "gauge function failed", error)
                return
        yield Line("", labels, self.value)


class HistogramSeries:
    """One histogram: counts of observations in buckets, and their sum."""

    __slots__ = ("_bounds", "_exemplars", "_lock", "buckets", "sum")

    def __init__(self, family: "Family[Any]") -> None:
        self._lock = family.lock
        self._bounds = family.bounds
        self.begin()

    def begin(self) -> None:
        """Start with no observations."""
        self.buckets = [0] * (len(self._bounds) + 1)
        self.sum = 0.0
        self._exemplars: dict[int, tuple[float, str, float]] = {}

    @property
    def count(self) -> int:
        """How many observations there were."""
        return sum(self.buckets)

    def observe(self, value: float, trace_id: str | None = None) -> None:
        """Count one observation; ``trace_id`` becomes its bucket's exemplar (shown in OpenMetrics)."""
        finite = _finite(value)
        if finite is None:
            return
        value = finite
        index = bisect_left(self._bounds, value)
        with self._lock:
            self.buckets[index] += 1
            self.sum += value
        if trace_id is not None:
            self._exemplars[index] = (value, trace_id, unix_seconds())

    def observe_all(self, observations: Iterable[tuple[float, str | None, float]]) -> None:
        """Count observations made before: each a value, its trace if it has one, and its Unix seconds."""
        bounds, buckets = self._bounds, self.buckets
        with self._lock:
            for observation in observations:
                value, trace_id, _ = observation
                index = bisect_left(bounds, value)
                buckets[index] += 1
                self.sum += value
                if trace_id is not None:
                    self._exemplars[index] = observation  # type: ignore[assignment]

    @contextmanager
    def time(self) -> Iterator[None]:
        """Observe the seconds that a ``with`` block takes."""
        start = perf_counter()
        try:
            yield
        finally:
            self.observe(perf_counter() - start)

    def lines(self, labels: tuple[tuple[str, str], ...]) -> Iterator[Line]:
        """The series' samples, cumulative as the exposition wants them."""
        with self._lock:
            buckets, total = list(self.buckets), self.sum
        running = 0
        for index, (bound, number) in enumerate(zip((*self._bounds, math.inf), buckets, strict=True)):
            running += number
            kept = self._exemplars.get(index)
            exemplar = None if kept is None else Exemplar(*kept)
            yield Line("_bucket", (*labels, ("le", "+Inf" if bound == math.inf else repr(bound))), running, exemplar)
        yield Line("_sum", labels, total)
        yield Line("_count", labels, running)


S = TypeVar("S", CounterSeries, GaugeSeries, HistogramSeries)


class Family(Generic[S]):
    """A metric with all its label sets. Made by :class:`Registry`."""

    type: str = ""

    def __init__(
        self,
        name: str,
        help: str,
        labels: Sequence[str],
        make: "Callable[[Family[S]], S]",
        *,
        bounds: tuple[float, ...] = (),
        max_series: int = MAX_SERIES,
    ) -> None:
        self.name = name
        self.help = help
        self.label_names = tuple(labels)
        self.bounds = bounds
        self.lock = threading.Lock()
        self._make = make
        self._max_series = max_series
        self._series: dict[tuple[str, ...], S] = {}
        self._lost = make(self)
        if not self.label_names:
            self._series[()] = make(self)

    def labels(self, *values: object, **named: object) -> S:
        """The series of one label set, by position or by name; made at 0 when new.

        Calling it ahead of the first event is good practice: ``rate`` sees only series that exist.
        """
        try:
            if named:
                if len(values) + len(named) != len(self.label_names):
                    raise KeyError(", ".join(named))
                values = (*values, *(named[name] for name in self.label_names[len(values) :]))
            series = self._series.get(values)  # type: ignore[arg-type]
            return series if series is not None else self._add(values)
        except Exception as error:  # noqa: BLE001  telemetry never raises into its host
            dropped_data.count("metric", f"wrong labels for {self.name}", error)
            return self._lost

    def _add(self, given: tuple[object, ...]) -> S:
        if len(given) != len(self.label_names):
            raise KeyError(f"{len(given)} label values for {len(self.label_names)} names")
        key = tuple(str(value)[:MAX_LABEL_VALUE] for value in given)
        with self.lock:
            series = self._series.get(key)
            if series is None:
                full = len(self._series) >= self._max_series
                if full:
                    key = (OVERFLOW,) * len(self.label_names)
                    series = self._series.get(key)
                if series is None:
                    series = self._series[key] = self._make(self)
            else:
                full = False
        if full:
            dropped_data.count("metric", f"too many label sets of {self.name}")
        return series

    def snapshot(self) -> Snapshot:
        """All samples now."""
        with self.lock:
            series = list(self._series.items())
        lines: list[Line] = []
        for key, one in series:
            lines.extend(one.lines(tuple(zip(self.label_names, key, strict=True))))
        return Snapshot(self.name, self.type, self.help, lines)


class Counter(Family[CounterSeries]):
    """A family of counters; its name ends in ``_total``."""

    type = "counter"

    def inc(self, amount: float = 1) -> None:
        """Add to the counter that has no labels."""
        self.labels().inc(amount)


class Gauge(Family[GaugeSeries]):
    """A family of gauges."""

    type = "gauge"

    def set(self, value: float) -> None:
        """Set the gauge that has no labels."""
        self.labels().set(value)

    def inc(self, amount: float = 1) -> None:
        """Add to the gauge that has no labels."""
        self.labels().inc(amount)

    def dec(self, amount: float = 1) -> None:
        """Subtract from the gauge that has no labels."""
        self.labels().dec(amount)

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask ``function`` for the value of the gauge without labels at every scrape."""
        self.labels().set_function(function)


class Histogram(Family[HistogramSeries]):
    """A family of histograms."""

    type = "histogram"

    def observe(self, value: float, trace_id: str | None = None) -> None:
        """Count one observation in the histogram that has no labels."""
        self.labels().observe(value, trace_id)

    def time(self) -> Any:
        """Observe the seconds that a ``with`` block takes, without labels."""
        return self.labels().time()


F = TypeVar("F", Counter, Gauge, Histogram)


class Registry:
    """The families of a process. Asking twice for a name gives the same family."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._families: dict[str, Counter | Gauge | Histogram] = {}
        self._collectors: list[Callable[[], Iterable[Snapshot]]] = []
        self._settling: list[Callable[[], None]] = []

    def counter(
        self, name: str, help: str = "", labels: Sequence[str] = (), *, max_series: int = MAX_SERIES
    ) -> Counter:
        """A counter; ``_total`` is added to the name where it is missing."""
        name = name if isinstance(name, str) else _described(name)
        name = name if name.endswith("_total") else f"{name}_total"
        return self._get(Counter, name, help, labels, make=CounterSeries, max_series=max_series)

    def gauge(self, name: str, help: str = "", labels: Sequence[str] = (), *, max_series: int = MAX_SERIES) -> Gauge:
        """A gauge."""
        return self._get(Gauge, name, help, labels, make=GaugeSeries, max_series=max_series)

    def histogram(
        self,
        name: str,
        help: str = "",
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = DEFAULT_BUCKETS,
        max_series: int = MAX_SERIES,
    ) -> Histogram:
        """A histogram; ``buckets`` are upper bounds (``+Inf`` is added)."""
        bounds = tuple(sorted({float(b) for b in buckets if math.isfinite(b)}))
        return self._get(Histogram, name, help, labels, make=HistogramSeries, bounds=bounds, max_series=max_series)

    def register(self, collector: Callable[[], Iterable[Snapshot]]) -> None:
        """Ask ``collector`` for more families at every scrape."""
        with self._lock:
            self._collectors.append(collector)

    def settle_before(self, flush: Callable[[], None]) -> None:
        """Call ``settle`` before every snapshot, to put into the series what was gathered elsewhere."""
        with self._lock:
            self._settling.append(flush)

    def snapshot(self) -> list[Snapshot]:
        """All families now, sorted by name."""
        for flush in self._settling:
            flush()
        with self._lock:
            families = list(self._families.values())
            collectors = list(self._collectors)
        result = [family.snapshot() for family in families]
        for collector in collectors:
            try:
                result.extend(collector())
            except Exception as error:  # noqa: BLE001  one collector must not break the scrape
                dropped_data.count("metric", "collector failed", error)
        return sorted(result, key=lambda snapshot: snapshot.name)

    def value(self, name: str, labels: Mapping[str, str] | None = None) -> float | None:
        """One sample by its full name (``x_total``, ``x_bucket``, …) and exact labels; None when there is none."""
        wanted = dict(labels or {})
        for snapshot in self.snapshot():
            if name.startswith(snapshot.name):
                for line in snapshot.lines:
                    if snapshot.name + line.suffix == name and dict(line.labels) == wanted:
                        return line.value
        return None

    def after_fork(self) -> None:
        """Replace the locks, which another thread may have held, and count from 0: what was counted is the parent's."""
        self._lock = threading.Lock()
        for family in self._families.values():
            family.lock = threading.Lock()
            for series in (*family._series.values(), family._lost):
                series._lock = family.lock
                series.begin()

    def _get(
        self,
        kind: type[F],
        name: str,
        help: str,
        labels: Sequence[str],
        *,
        make: Any,
        bounds: tuple[float, ...] = (),
        max_series: int,
    ) -> F:
        name = name if isinstance(name, str) else _described(name)
        if not _NAME.fullmatch(name):
            dropped_data.count("metric", "invalid metric name, characters replaced", ValueError(repr(name)))
            name = re.sub(r"[^a-zA-Z0-9_:]", "_", name) or "_"
            name = name if _NAME.fullmatch(name) else f"_{name}"
        labels = _labels(name, labels)
        good = [label for label in labels if _LABEL.fullmatch(label) and not label.startswith("__") and label != "le"]
        if len(good) != len(labels):
            dropped_data.count("metric", f"invalid label name in {name}", ValueError(repr(list(labels))))
            good = [f"label_{number}" for number in range(len(labels))]
        with self._lock:
            known = self._families.get(name)
            if isinstance(known, kind) and known.label_names == tuple(good):
                return known
            family = kind(name, help, good, make, bounds=bounds, max_series=max_series)
            if known is None:
                self._families[name] = family
            else:  # the first one stays; this one works but is not shown
                dropped_data.count("metric", f"{name} is registered with another type or other labels")
            return family
