"""PromQL over the telemetry store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram


@dataclass(frozen=True, slots=True)
class Series:
    """One series of a result: points are ``(Unix milliseconds, value)``, ascending; histograms beside the floats."""

    labels: Labels
    points: list[tuple[int, float]]
    histograms: list[tuple[int, NativeHistogram]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class QueryStats:
    """What a query took: seconds of waiting for its turn, of fetching and of computing.

    ``samples`` is how many samples its selectors looked at, summed over the steps; ``peak`` how many it held at once.
    """

    wait_seconds: float = 0.0
    fetch_seconds: float = 0.0
    compute_seconds: float = 0.0
    samples: int = 0
    peak: int = 0


@dataclass(frozen=True, slots=True)
class QueryResult:
    """``type`` is ``vector``, ``matrix``, ``scalar`` or ``string``.

    A vector's series have one point each; a scalar is one series without labels; ``text`` is the string.
    """

    type: str
    series: list[Series] = field(default_factory=list)
    text: str = ""
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    stats: QueryStats = QueryStats()


class Queries(Protocol):
    """PromQL over the telemetry store."""

    async def instant(
        self, query: str, at_ms: int | None = None, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at one instant (default: now).

        ``lookback_ms`` is how old a sample may be to count (0: five minutes); ``timeout_ms`` may shorten the time
        that a query may take, and never lengthens it.

        Raises:
            QueryError: the query is malformed or exceeds a limit.
        """
        ...

    async def range(
        self, query: str, start_ms: int, end_ms: int, step_ms: int, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at ``start, start + step, ... <= end``; at most 11,000 steps.

        Raises:
            QueryError: the query is malformed or exceeds a limit.
        """
        ...

    def format(self, query: str) -> str:
        """The query in canonical spelling.

        Raises:
            QueryError: the query is malformed.
        """
        ...

    def matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Any, ...]]:
        """Parse ``match[]`` parameters into tuples of :class:`~eldonia_ops.model.matchers.Matcher`.

        Raises:
            QueryError: one of them is not a plain selector.
        """
        ...
