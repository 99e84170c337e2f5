"""Objectives: what was attained, what is left of the error budget, and how both came about."""

import math
from collections.abc import Sequence
from typing import Final

from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.api import NotFoundError, ObjectivePoint, ObjectiveView, QueryError
from eldonia_ops.services.queries import QueryService
from eldonia_ops.slo import budget
from eldonia_ops.slo.generate import scaled_window, selector
from eldonia_ops.slo.objectives import Objective

_WATCHED = "objective_watched_since"
_HISTORY_POINTS: Final = 200


class ObjectiveReports:
    """Reports on objectives from the ratios that their rules record. ``speed`` divides their windows."""

    def __init__(
        self, clock: Clock, state: StateStore, queries: QueryService, objectives: Sequence[Objective], speed: float
    ) -> None:
        self._clock = clock
        self._state = state
        self._queries = queries
        self._objectives = objectives
        self._speed = speed
        self._since: dict[str, int] = {}

    async def reconfigure(self, objectives: Sequence[Objective]) -> None:
        """Report on other objectives. One that is new is watched from now on."""
        self._objectives = objectives
        await self.resume()

    async def resume(self) -> None:
        """Remember since when each objective has been watched."""
        now = self._clock.now()

        def work(tx: StateTransaction) -> dict[str, int]:
            known = tx.machines.load_all(_WATCHED, int)
            for objective in self._objectives:
                if objective.name not in known:
                    tx.machines.save(_WATCHED, objective.name, now)
            return {objective.name: known.get(objective.name, now) for objective in self._objectives}

        self._since = await self._state.write(work)

    async def all(self) -> list[ObjectiveView]:
        """Objectives with what is left of their error budgets."""
        return [await self._objective(objective) for objective in self._objectives]

    async def _objective(self, objective: Objective) -> ObjectiveView:
        window = scaled_window(objective.window_ms, self._speed)
        hour = scaled_window(3_600_000, self._speed)
        watched = self._watched(objective, window)
        bad = await self._value(selector(objective, window))
        short = await self._value(selector(objective, hour))
        return ObjectiveView(
            name=objective.name,
            service=objective.service,
            target=objective.target,
            window_seconds=window / 1000,
            measured_seconds=watched / 1000,
            availability=None if bad is None else 1 - budget.over_window(bad, watched, window),
            budget_remaining=None
            if bad is None
            else budget.remaining(budget.over_window(bad, watched, window), objective.target),
            burn_rate=None if short is None else budget.burn_rate(short, objective.target),
            measured_availability=None if bad is None else 1 - bad,
        )

    def _watched(self, objective: Objective, window: int) -> int:
        now = self._clock.now()
        return min(window, max(0, now - self._since.get(objective.name, now)))

    async def history(self, name: str) -> list[ObjectivePoint]:
        """An objective from when it was first watched, at most over its window, until now."""
        objective = next((one for one in self._objectives if one.name == name), None)
        if objective is None:
            raise NotFoundError(f"no objective is called {name[:80]!r}")
        window = scaled_window(objective.window_ms, self._speed)
        hour = scaled_window(3_600_000, self._speed)
        now, watched = self._clock.now(), self._watched(objective, window)
        step = max(1_000, watched // _HISTORY_POINTS)
        start = now - watched
        bad, short = await self._ratios(selector(objective, window), start, now, step), {}
        if bad:
            short = await self._ratios(selector(objective, hour), start, now, step)
        found: list[ObjectivePoint] = []
        for at in range(start, now + 1, step):
            ratio, quick = bad.get(at), short.get(at)
            whole = None if ratio is None else budget.over_window(ratio, at - start, window)
            found.append(
                ObjectivePoint(
                    at,
                    None if whole is None else 1 - whole,
                    None if whole is None else budget.remaining(whole, objective.target),
                    None if quick is None else budget.burn_rate(quick, objective.target),
                )
            )
        return found

    async def _ratios(self, query: str, start: int, end: int, step: int) -> dict[int, float]:
        try:
            result = await self._queries.range(query, start, end, step)
        except QueryError:
            return {}
        points = result.series[0].points if result.series else []
        return {at: min(1.0, max(0.0, value)) for at, value in points if not math.isnan(value)}

    async def _value(self, query: str) -> float | None:
        try:
            result = await self._queries.instant(query)
        except QueryError:
            return None
        value = result.series[0].points[-1][1] if result.series and result.series[0].points else None
        return None if value is None or math.isnan(value) else min(1.0, max(0.0, value))
