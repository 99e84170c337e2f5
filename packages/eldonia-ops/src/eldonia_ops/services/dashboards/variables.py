"""The options of a dashboard's variables, resolved in the order in which they use one another."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from eldonia_ops.dashboards.document import Option, Variable
from eldonia_ops.dashboards.interpolate import Target, builtin_values, interpolate, span
from eldonia_ops.dashboards.legends import written
from eldonia_ops.dashboards.selection import Selection, Selections
from eldonia_ops.dashboards.times import step_for
from eldonia_ops.dashboards.variables import (
    AUTO,
    MOST_OPTIONS,
    PatternError,
    affected,
    dependencies,
    in_order,
    options_of,
    pattern_of,
    selected,
    source_of,
    written_options,
)
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.ports import MetricStore, TelemetryError
from eldonia_ops.services.api import Queries, QueryError

_SIDE_BY_SIDE: Final = 4


@dataclass(frozen=True, slots=True)
class VariableError:
    """Why the options of a variable are not known; ``position`` counts in its query, -1 for no place."""

    message: str
    position: int = -1


@dataclass(frozen=True, slots=True)
class Resolved:
    """A variable with its options and what is chosen of them."""

    name: str
    options: tuple[Option, ...]
    selection: Selection
    error: VariableError | None = None


class DashboardVariables:
    """Resolves variables over the metrics of a platform."""

    def __init__(self, queries: Queries, metrics: MetricStore) -> None:
        self._queries = queries
        self._metrics = metrics

    async def resolve(
        self,
        variables: Sequence[Variable],
        wanted: Mapping[str, Sequence[str]],
        start: int,
        end: int,
        *,
        only: Collection[str] = (),
        scrape_interval: int = 15_000,
        dashboard: str = "",
        user: str = "",
    ) -> list[Resolved]:
        """Every variable in the order of the dashboard. With ``only``, those and what depends on them are looked up;
        of the others the values that are wanted count, without options."""
        step = step_for(end - start, 1_000, scrape_interval)
        builtins = builtin_values(
            start=start, end=end, step=step, scrape_interval=scrape_interval, dashboard=dashboard, user=user
        )
        ordered, circles = in_order(variables)
        circular = {name for circle in circles for name in circle}
        looked_up = affected(variables, only) if only else {one.name for one in variables}
        names = {one.name for one in variables}
        found: dict[str, Resolved] = {}
        waiting = list(ordered)
        places = asyncio.Semaphore(_SIDE_BY_SIDE)
        while waiting:
            ready = [
                one for one in waiting if all(name in found or name in circular for name in dependencies(one, names))
            ] or waiting
            chosen = {name: one.selection for name, one in found.items()}
            made = await asyncio.gather(
                *(
                    self._one(
                        one,
                        wanted.get(one.name),
                        chosen,
                        builtins,
                        (start, end),
                        places,
                        look=one.name in looked_up,
                        circular=one.name in circular,
                    )
                    for one in ready
                )
            )
            found |= {one.name: one for one in made}
            waiting = [one for one in waiting if one.name not in found]
        return [found[one.name] for one in variables]

    async def _one(
        self,
        variable: Variable,
        wanted: Sequence[str] | None,
        chosen: Selections,
        builtins: Mapping[str, str],
        within: tuple[int, int],
        places: asyncio.Semaphore,
        *,
        look: bool,
        circular: bool,
    ) -> Resolved:
        options: list[Option] | None = written_options(variable)
        error: VariableError | None = None
        if variable.type == "query":
            options = None
            if circular:
                error = VariableError("it and another variable use one another")
            elif look:
                async with places:
                    options, error = await self._options(variable, chosen, builtins, within)
        selection = selected(variable, options, wanted)
        if variable.type == "interval" and selection.values == (AUTO,):
            selection = _automatic(variable, within)
        return Resolved(variable.name, tuple(options or ()), selection, error)

    async def _options(
        self, variable: Variable, chosen: Selections, builtins: Mapping[str, str], within: tuple[int, int]
    ) -> tuple[list[Option] | None, VariableError | None]:
        made = interpolate(variable.query, chosen, builtins, Target.PROMQL)
        source = source_of(made.text)
        if source is None:
            return [], VariableError("the variable has no query")
        regex = interpolate(variable.regex, chosen, builtins).text
        try:
            texts = await self._texts(source.kind, source.expr, source.label, within)
            filtered = variable if regex == variable.regex else _with_regex(variable, regex)
            return await asyncio.to_thread(options_of, texts, filtered), None
        except (QueryError, PatternError) as error:
            position = getattr(error, "position", -1)
            shift = made.text.find(source.expr) if position >= 0 and source.expr else 0
            return None, VariableError(str(error), made.origin(position + max(0, shift)) if position >= 0 else -1)
        except TelemetryError as error:
            return None, VariableError(str(error))

    async def _texts(self, kind: str, expr: str, label: str, within: tuple[int, int]) -> list[str]:
        start, end = within
        if kind == "query_result":
            return await self._results(expr, end)
        if kind == "metrics":
            pattern = pattern_of(expr)
            names = await self._metrics.label_values("__name__", (), start, end)
            return [name for name in names if pattern is None or pattern.search(name)]
        matchers = self._queries.matcher_sets([expr])[0] if expr else ()
        match kind:
            case "label_values":
                return (await self._metrics.label_values(label, matchers, start, end))[: 10 * MOST_OPTIONS]
            case "label_names":
                return await self._metrics.label_names(matchers, start, end)
        series = await self._metrics.series(matchers, start, end)
        return [written(dict(labels.pairs)) for labels in series[: 10 * MOST_OPTIONS]]

    async def _results(self, expr: str, at: int) -> list[str]:
        """``name{label="value"} 1 1700000000000``, as Grafana writes them."""
        result = await self._queries.instant(expr, at)
        found: list[str] = []
        for series in result.series:
            for instant, value in series.points:
                number = f"{value:.12g}"
                labels = written(dict(series.labels.pairs))
                found.append(f"{labels or '{}'} {number} {instant}" if result.type != "scalar" else number)
        return found


def _with_regex(variable: Variable, regex: str) -> Variable:
    return replace(variable, regex=regex)


def _automatic(variable: Variable, within: tuple[int, int]) -> Selection:
    """The step of the choice ``auto``."""
    try:
        least = parse_duration(variable.auto_min) if variable.auto_min else 0
    except ValueError:
        least = 0
    step = step_for(within[1] - within[0], variable.auto_count or 30, max(least, 1_000))
    return Selection(values=(span(step),), text=AUTO)
