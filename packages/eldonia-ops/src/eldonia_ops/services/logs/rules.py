"""Evaluates rules whose expression is a search of logs, and previews them."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import LogQuery, LogStore
from eldonia_ops.rules.log_expression import LogExpression
from eldonia_ops.rules.preview import firings
from eldonia_ops.search.aggregates import MAX_ROWS, Aggregate, AggregateRow, AggregateRows
from eldonia_ops.search.pipes.items import Item, passed, rows_of
from eldonia_ops.search.pipes.pipeline import TIME_COLUMN, Timechart
from eldonia_ops.search.pipes.plan import Width, aggregate_of
from eldonia_ops.search.time_steps import ByTime, start_of
from eldonia_ops.services.logs.pipelines import PipelineResult, run_pipeline, starts_of

_NS: Final = 1_000_000
_SHORTEST_STEP: Final = 60_000


@dataclass(frozen=True, slots=True)
class LogRulePreview:
    """What a rule would have done: when it would have fired, how many series it had, the highest value at each step."""

    firing: tuple[tuple[int, int], ...]
    series: int
    step_ms: int
    points: tuple[tuple[int, float], ...]


class LogRules:
    """Searches of logs as expressions of rules."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs

    async def evaluate(self, expression: LogExpression, at: int) -> list[tuple[Labels, float]]:
        """The vector at an instant (Unix ms): of the records of the range before it.

        Raises:
            TelemetryError: the store refused or failed.
            ValueError: there are too many series.
        """
        query = LogQuery((at - expression.range_ms) * _NS, at * _NS)
        found = await run_pipeline(self._logs, query, expression.pipeline, _width(expression))
        return expression.vector(_newest(found, query))

    async def preview(self, expression: LogExpression, start: int, end: int, for_ms: int) -> LogRulePreview:
        """What a rule would have done between two instants (Unix ms): looked at once in each of its ranges.

        Raises:
            TelemetryError: the store refused or failed.
            ValueError: there are too many series.
        """
        step = max(expression.range_ms, _SHORTEST_STEP)
        before, counting, after = expression.pipeline.split()
        if counting is None:
            return LogRulePreview((), 0, step, ())
        width = Width(step * _NS)
        stages = aggregate_of(counting, width)
        groups = stages.groups[1:] if isinstance(counting, Timechart) else stages.groups
        # One statement for all: what the rule counts, counted in each range of time.
        aggregate = Aggregate((ByTime(step * _NS), *groups), stages.metrics, limit=MAX_ROWS)
        query = LogQuery(start * _NS, end * _NS, search=expression.pipeline.search)
        answer = await self._logs.log_aggregate(query, aggregate, before)
        by_time: dict[int, list[AggregateRow]] = {}
        for row in answer.rows:
            if isinstance(row.keys[0], int):
                by_time.setdefault(row.keys[0], []).append(row)
        instants: dict[Labels, list[int]] = {}
        points: dict[int, float] = {}
        for begun, rows in sorted(by_time.items()):
            at = begun // _NS + step
            kept = rows if isinstance(counting, Timechart) else [replace(row, keys=row.keys[1:]) for row in rows]
            some = AggregateRows(kept, len(kept), sum(row.count for row in kept))
            for labels, value in expression.vector(_values(passed(rows_of(counting, some), after, width))):
                instants.setdefault(labels, []).append(at)
                if math.isfinite(value):
                    points[at] = max(value, points.get(at, -math.inf))
        fired = [one for some in instants.values() for one in firings(some, step, for_ms)]
        return LogRulePreview(tuple(sorted(fired)), len(instants), step, tuple(sorted(points.items())))


def _width(expression: LogExpression) -> Width:
    return Width(max(1, expression.range_ms * _NS // 5))


def _newest(found: PipelineResult, query: LogQuery) -> Iterable[Mapping[str, Any]]:
    """The rows; of a timechart those of the newest bucket that has ended within the range."""
    stage = found.timechart
    if stage is None:
        return _values(found.items)
    starts = starts_of(stage, query, found.width)
    ended = start_of(found.width.buckets(stage), query.until_ns) // _NS > starts[-1]
    wanted = starts[-1] if ended or len(starts) == 1 else starts[-2]
    return _values(item for item in found.items if item.values.get(TIME_COLUMN) == wanted)


def _values(items: Iterable[Item] | Sequence[Item]) -> Iterable[Mapping[str, Any]]:
    return [item.values for item in items]
