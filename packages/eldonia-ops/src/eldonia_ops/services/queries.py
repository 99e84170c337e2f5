"""PromQL over the telemetry store, off the event loop and within limits."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from time import perf_counter

from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import SeriesBlock
from eldonia_ops.ports import Clock, MetricStore, TelemetryError
from eldonia_ops.promql import (
    DEFAULT_LOOKBACK_MS,
    EvaluationError,
    LimitError,
    Plan,
    PromQLError,
    Result,
    evaluate,
    format_expr,
    parse,
    parse_selector,
    plan,
)
from eldonia_ops.services.api import QueryError, QueryResult, QueryStats, Series


class QueryService:
    """Implements :class:`~eldonia_ops.services.api.Queries`.

    At most ``concurrency`` queries of people are evaluated at once, on threads of their own, so that however
    heavy they are they take none from the rules. ``timeout_seconds`` bounds each, its wait for a place included, and
    ``max_samples`` what each of them, and each rule, may load (as Prometheus' ``--query.max-samples``).
    """

    def __init__(
        self,
        clock: Clock,
        metrics: MetricStore,
        *,
        concurrency: int = 4,
        timeout_seconds: float = 30.0,
        max_samples: int = 50_000_000,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._places = asyncio.Semaphore(concurrency)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix="query")
        self._timeout_seconds = timeout_seconds
        self._max_samples = max_samples

    @property
    def timeout_seconds(self) -> float:
        """How long one query may take."""
        return self._timeout_seconds

    async def instant(
        self, query: str, at_ms: int | None = None, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at one instant (default: now)."""
        at = self._clock.now() if at_ms is None else at_ms
        return await self._answer(query, at, at, 0, lookback_ms, timeout_ms)

    async def range(
        self, query: str, start_ms: int, end_ms: int, step_ms: int, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        """Evaluate at every step of a range."""
        if step_ms <= 0:
            raise QueryError("zero or negative query resolution step widths are not accepted")
        return await self._answer(query, start_ms, end_ms, step_ms, lookback_ms, timeout_ms)

    def format(self, query: str) -> str:
        """The query in canonical spelling."""
        try:
            return format_expr(parse(query))
        except PromQLError as error:
            raise _query_error(error) from None

    def matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Matcher, ...]]:
        """Parse plain selectors."""
        found: list[tuple[Matcher, ...]] = []
        for text in selectors:
            try:
                found.append(tuple(parse_selector(text)))
            except PromQLError as error:
                raise _query_error(error) from None
        return found

    async def evaluate(self, wanted: Plan) -> Result:
        """Fetch what a plan asks for and compute it, on the threads that rules use.

        Raises:
            PromQLError: the evaluation fails or exceeds a limit, of time too: a rule that computes for hours
                would keep its whole group from being evaluated.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return (await self._compute(wanted, None))[0]
        except TimeoutError:
            raise LimitError(f"took longer than {self._timeout_seconds:g} s") from None

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _compute(self, wanted: Plan, threads: Executor | None) -> tuple[Result, QueryStats]:
        begun = perf_counter()
        data: list[list[SeriesBlock]] = []
        loaded = 0
        for fetch in wanted.fetches:
            blocks = await self._metrics.select(fetch.matchers, fetch.start_ms, fetch.end_ms)
            loaded += sum(block.values.size for block in blocks)
            if loaded > self._max_samples:
                message = f"query would load more than {self._max_samples:,} samples (limits.query_samples)"
                raise LimitError(f"{message}; narrow the range or the selector")
            data.append(blocks)
        fetched = perf_counter()
        abandoned = threading.Event()

        def proceed() -> None:
            if abandoned.is_set():
                raise LimitError("the client no longer waits for this query")

        try:
            work = partial(evaluate, wanted, data, proceed)
            result = await asyncio.get_running_loop().run_in_executor(threads, work)
            held = sum(len(block.timestamps) * len(block.labels) for blocks in data for block in blocks)
            return result, QueryStats(0.0, fetched - begun, perf_counter() - fetched, result.samples, held)
        finally:
            # When time is up the thread has to be stopped: it would go on computing, and keep its place, for hours.
            abandoned.set()

    async def _answer(
        self, query: str, start_ms: int, end_ms: int, step_ms: int, lookback_ms: int, timeout_ms: int
    ) -> QueryResult:
        seconds = min(self._timeout_seconds, timeout_ms / 1000) if timeout_ms > 0 else self._timeout_seconds
        try:
            wanted = plan(parse(query), start_ms, end_ms, step_ms, lookback_ms or DEFAULT_LOOKBACK_MS)
            asked = perf_counter()
            async with asyncio.timeout(seconds), self._places:
                waited = perf_counter() - asked
                result, stats = await self._compute(wanted, self._threads)
        except PromQLError as error:
            raise _query_error(error) from None
        except TelemetryError as error:
            raise QueryError(str(error), kind="execution") from None
        except TimeoutError:
            message = f"query timed out after {seconds:g} s; narrow the range or the selector"
            raise QueryError(message, kind="timeout") from None
        return QueryResult(
            result.type.value,
            [Series(series.labels, series.points, series.histogram_points) for series in result.series],
            result.text,
            tuple(one.render(query) for one in result.annotations if one.warning),
            tuple(one.render(query) for one in result.annotations if not one.warning),
            replace(stats, wait_seconds=waited),
        )


def _query_error(error: PromQLError) -> QueryError:
    kind = "execution" if isinstance(error, (EvaluationError, LimitError)) else "bad_data"
    return QueryError(str(error), error.position, kind)
