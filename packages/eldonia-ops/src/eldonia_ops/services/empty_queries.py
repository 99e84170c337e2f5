"""Why a query has no result: the questions of :mod:`eldonia_ops.promql.emptiness`, answered by the stores."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import is_absent, is_stale
from eldonia_ops.ports import MetricStore, TelemetryError, TooManySamplesError
from eldonia_ops.promql import PromQLError, format_expr, parse, plan
from eldonia_ops.promql.emptiness import (
    Finding,
    IntervalOf,
    LastSample,
    Outcome,
    Question,
    ResultOf,
    SeriesIn,
    ValuesOf,
    explain,
)
from eldonia_ops.services.api import Queries, QueryError, QueryResult, Series

_MINUTE: Final = 60_000
_LOOKS_BACK: Final = tuple(minutes * _MINUTE for minutes in (10, 120, 1_440, 10_080, 57_600, 576_000))
_HALVINGS: Final = 8
_MOST_QUESTIONS: Final = 100
_MOST_SERIES: Final = 2_000
_MOST_STEPS: Final = 300
_MOST_SAMPLES: Final = 200_000
_SECONDS: Final = 20.0
_AT_ONCE: Final = 2


class EmptyQueries:
    """Finds out why queries are empty: it reads the store as queries of people do, a bounded number of times."""

    def __init__(self, now: Callable[[], int], queries: Queries, metrics: MetricStore) -> None:
        self._now = now
        self._queries = queries
        self._metrics = metrics
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def explain(self, query: str, start_ms: int, end_ms: int, step_ms: int) -> list[Finding]:
        """Why a query over a range (``step_ms`` 0: at ``end_ms``) has no result; nothing where it has one.

        Raises:
            QueryError: the query cannot be read, or the answer takes too long.
        """
        if step_ms == 0:
            start_ms = end_ms
        elif (end_ms - start_ms) // step_ms > _MOST_STEPS:
            step_ms = -(-(end_ms - start_ms) // _MOST_STEPS)
        try:
            search = explain(query, plan(parse(query), start_ms, end_ms, step_ms))
            async with asyncio.timeout(_SECONDS), self._places:
                answer: Any = None
                for _ in range(_MOST_QUESTIONS):
                    try:
                        question = search.send(answer)
                    except StopIteration as done:
                        return done.value
                    answer = await self._answer(question, start_ms, end_ms, step_ms)
        except PromQLError as error:
            raise QueryError(str(error), error.position) from None
        except TelemetryError as error:
            raise QueryError(str(error), kind="execution") from None
        except TimeoutError:
            raise QueryError(f"this could not be found out within {_SECONDS:g} s", kind="timeout") from None
        raise QueryError("the query has too many parts to say which of them is empty", kind="execution")

    async def _answer(self, question: Question, start_ms: int, end_ms: int, step_ms: int) -> Any:
        match question:
            case SeriesIn(matchers, start, end):
                return (await self._metrics.series(matchers, max(0, start), end))[:_MOST_SERIES]
            case ValuesOf(label, matchers):
                return await self._metrics.label_values(label, matchers, 0, self._now())
            case LastSample(matchers):
                return await self._last(matchers)
            case IntervalOf(matchers, start, end):
                return await self._interval(matchers, max(0, start), end)
            case ResultOf(expr):
                found = await self._result(format_expr(expr), start_ms, end_ms, step_ms)
                return [_outcome(one) for one in found.series[:_MOST_SERIES]]

    async def _result(self, part: str, start_ms: int, end_ms: int, step_ms: int) -> QueryResult:
        """What a part of the query yields.

        Raises:
            QueryError: it fails; its place is none of the whole query.
        """
        try:
            if step_ms == 0:
                return await self._queries.instant(part, end_ms)
            return await self._queries.range(part, start_ms, end_ms, step_ms)
        except QueryError as error:
            raise QueryError(str(error), kind=error.kind, hint=error.hint) from None

    async def _last(self, matchers: Sequence[Matcher]) -> int | None:
        """When the last sample was, within some percent of how long ago it was."""
        now = self._now()
        nearer = 0
        for back in _LOOKS_BACK:
            if await self._metrics.series(matchers, max(0, now - back), now):
                break
            nearer = back
        else:
            return None
        low, high = nearer, back
        for _ in range(_HALVINGS):
            middle = (low + high) // 2
            if await self._metrics.series(matchers, max(0, now - middle), now - low):
                high = middle
            else:
                low = middle
        return now - high

    async def _interval(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> int | None:
        """The median time between the samples of a series, from a longer range where this one has too few."""
        for wider in (0, 30 * _MINUTE, 360 * _MINUTE):
            try:
                blocks = await self._metrics.select(matchers, max(0, start_ms - wider), end_ms, most=_MOST_SAMPLES)
            except TooManySamplesError:
                return None
            gaps = [gap for block in blocks for gap in _gaps(block.timestamps, block.values)]
            if gaps:
                return int(np.median(gaps))
        return None


def _gaps(timestamps: Any, values: Any) -> list[int]:
    found: list[int] = []
    for column in range(min(values.shape[1], 20)):
        cells = values[:, column]
        times = timestamps[~(is_stale(cells) | is_absent(cells))]
        found += np.diff(times).tolist()
    return found


def _outcome(series: Series) -> Outcome:
    numbers = [float(value) for _, value in series.points if not math.isnan(value)]
    if not numbers:
        # A native histogram is a result although it is no number.
        empty = 0.0 if series.histograms else math.nan
        return Outcome(Labels(series.labels), empty, empty)
    return Outcome(Labels(series.labels), min(numbers), max(numbers))
