"""Queries of a dashboard: side by side, equal ones once, each with its own outcome, and none left when no one waits."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from fake_platform import FakePlatform

from eldonia_ops.dashboards.document import Annotation, Variable
from eldonia_ops.dashboards.selection import Selection
from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.labels import Labels
from eldonia_ops.services.api import QueryError, QueryResult, Series
from eldonia_ops.services.changes import Changes
from eldonia_ops.services.dashboards.annotations import DashboardAnnotations
from eldonia_ops.services.dashboards.queries import Ask, DashboardQueries, Occasion
from eldonia_ops.services.dashboards.variables import DashboardVariables

START, END = 1_000_000_000, 1_003_600_000


class Recorder:
    """Queries that answer with two series, fail, or hang, and remember what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.running = self.most = self.cancelled = 0
        self.begun = asyncio.Event()

    async def range(self, query: str, start_ms: int, end_ms: int, step_ms: int, **_: Any) -> QueryResult:
        self.asked.append((query, start_ms, end_ms, step_ms))
        return await self._answer(query, [start_ms, start_ms + step_ms])

    async def instant(self, query: str, at_ms: int | None = None, **_: Any) -> QueryResult:
        self.asked.append((query, at_ms))
        return await self._answer(query, [at_ms or 0])

    async def _answer(self, query: str, instants: list[int]) -> QueryResult:
        self.running += 1
        self.begun.set()
        self.most = max(self.most, self.running)
        try:
            await (asyncio.Event().wait() if query == "hang" else asyncio.sleep(0.001))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
        if query.startswith("bad"):
            raise QueryError("no such thing", 4)
        series = [Series(Labels({"i": name, "j": "x"}), [(at, 1.0) for at in instants]) for name in "ab"]
        return QueryResult("matrix", series, warnings=("careful",) if query == "warn" else ())

    def matcher_sets(self, selectors: list[str]) -> list[tuple[Any, ...]]:
        if "{{" in selectors[0]:
            raise QueryError("not a selector", 3)
        return [()]


def occasion(**more: Any) -> Occasion:
    return Occasion(START, END, **{"points": 100, **more})


async def run(*asks: Ask, queries: Recorder | None = None, **more: Any) -> tuple[list[Any], Recorder]:
    recorder = queries or Recorder()
    service = DashboardQueries(recorder, FakePlatform().telemetry, side_by_side=2)  # type: ignore[arg-type]
    return await service.run(asks, occasion(**more)), recorder


async def test_each_has_its_own_outcome_in_the_order_of_the_queries() -> None:
    answers, _ = await run(
        Ask("x", legend="{{i}}"), Ask("bad $v", selections={"v": Selection(values=("yy",))}), Ask("warn")
    )
    assert [one.error is None for one in answers] == [True, False, True]
    assert [column.name for column in answers[0].columns.series] == ["a", "b"]
    assert answers[1].error.position == 4
    assert (answers[1].expr, answers[2].warnings) == ("bad yy", ("careful",))


async def test_equal_expressions_run_once() -> None:
    answers, recorder = await run(
        Ask("x{i=~'$v'}", legend="one"),
        Ask("x{i=~'$v'}", legend="two {{i}}"),
        Ask("x{i=~'a'}"),
        selections={"v": Selection(values=("a",))},
    )
    assert len(recorder.asked) == 1
    assert [one.shared for one in answers] == [False, True, True]
    assert [one.columns.series[0].name for one in answers] == ["one", "two a", "a"]


async def test_no_more_than_some_run_at_once() -> None:
    _, recorder = await run(*(Ask(f"x{number}") for number in range(9)))
    assert (recorder.most, len(recorder.asked)) == (2, 9)


async def test_what_runs_ends_when_no_one_waits() -> None:
    recorder = Recorder()
    task = asyncio.create_task(run(Ask("hang"), Ask("x"), queries=recorder))
    await recorder.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert recorder.running == 0
    assert recorder.cancelled >= 1


async def test_steps_ranges_and_the_variables_of_both() -> None:
    answers, recorder = await run(
        Ask("rate(x[$__rate_interval]) $__interval"),
        Ask("y $__interval", interval="5m"),
        Ask("z", instant=True),
        Ask("w", time_from="30m", time_shift="1h", max_points=10),
        Ask("v $__interval", interval="$i", selections={"i": Selection(values=("10m",))}),
    )
    assert recorder.asked[0] == ("rate(x[1m]) 30s", 999_990_000, 1_003_590_000, 30_000)
    assert recorder.asked[1][0::3] == ("y 5m", 300_000)
    assert recorder.asked[2] == ("z", END)
    assert recorder.asked[3][1:] == (998_160_000, 999_960_000, 120_000)
    assert recorder.asked[4][0::3] == ("v 10m", 600_000)
    assert [one.step for one in answers][2] == 0
    assert len(answers[2].columns.timestamps) == 1


async def test_logs_and_traces() -> None:
    platform = FakePlatform()
    service = DashboardQueries(platform.queries, platform.telemetry)
    now = platform.now()
    answers = await service.run(
        [
            Ask("level:error", language="logs"),
            Ask("", language="logs", format="records", limit=3),
            Ask("a:(", language="logs"),
            Ask("duration>1ms", language="traces"),
            Ask("nonsense", language="traces"),
        ],
        Occasion(now - 3_600_000, now, points=60),
    )
    assert [one.kind for one in answers] == ["series", "logs", "series", "traces", "traces"]
    assert [column.name for column in answers[0].columns.series] in (["error"], [])
    assert len(answers[1].records) == 3
    assert answers[2].error is not None
    assert answers[2].error.position >= 0
    assert answers[4].error is not None


async def test_counts_of_logs_are_series_and_tables() -> None:
    platform = FakePlatform()
    service = DashboardQueries(platform.queries, platform.telemetry)
    now = platform.now()
    answers = await service.run(
        [
            Ask("* | timechart count() by level", language="logs"),
            Ask("* | timechart 10m count(), uniq(user_id) as users", language="logs"),
            Ask("* | stats count() as n, uniq(user_id) as users by service", language="logs", format="table"),
            Ask("* | top 2 service", language="logs", format="records"),
            Ask("* | dedup service", language="logs", format="records"),
            Ask("* | dedup service", language="logs"),
            Ask("* | statz", language="logs"),
        ],
        Occasion(now - 3_600_000, now, points=60),
    )
    levels, several, rows, refused, records, numbers, wrong = answers
    assert {column.labels["level"] for column in levels.columns.series} >= {"error", "info"}
    assert 50 <= len(levels.columns.timestamps) <= 70
    assert {column.labels["metric"] for column in several.columns.series} == {"count", "users"}
    assert len(several.columns.timestamps) in (6, 7)
    assert all(len(column.values) == 1 for column in rows.columns.series)
    assert {column.labels["metric"] for column in rows.columns.series} == {"n", "users"}
    assert refused.error is not None
    assert "counts them" in refused.error.message
    assert len({one.service for one in records.records}) == len(records.records)
    assert numbers.error is not None
    assert wrong.error is not None
    assert wrong.error.position == 4


async def test_variables_are_resolved_in_their_order() -> None:
    asked: list[tuple[str, Any]] = []

    class Metrics:
        async def label_values(self, name: str, matchers: Any, start: int, end: int) -> list[str]:
            asked.append((name, matchers))
            return ["b", "a"]

    class Selectors(Recorder):
        def matcher_sets(self, selectors: list[str]) -> list[tuple[Any, ...]]:
            super().matcher_sets(selectors)
            return [tuple(selectors)]

    service = DashboardVariables(Selectors(), Metrics())  # type: ignore[arg-type]
    some = [
        Variable(name="second", query="label_values(up{a=~'$first'}, s)"),
        Variable(name="first", query="label_values(up, f)", multi=True, sort="alphabetical"),
        Variable(name="wrong", query="label_values(up{{, s)"),
        Variable(name="auto", type="interval", options=("1m",), auto_count=60, default=("auto",)),
        Variable(name="x", query="$y"),
        Variable(name="y", query="$x"),
    ]
    found = await service.resolve(some, {"first": ["b", "a"]}, START, END)
    assert [one.name for one in found] == [one.name for one in some]
    assert asked == [("f", ("up",)), ("s", ("up{a=~'(b|a)'}",))]
    assert [option.value for option in found[1].options] == ["a", "b"]
    assert found[0].selection.values == ("b",)
    assert found[2].error is not None
    assert found[2].error.position == len("label_values(") + 3
    assert found[3].selection == Selection(values=("1m",), text="auto")
    assert found[4].error is not None
    asked.clear()
    await service.resolve(some, {"first": ["a"]}, START, END, only=["second"])
    assert [name for name, _ in asked] == ["s"]


async def test_annotations() -> None:
    platform = FakePlatform()
    now = platform.now()
    change = platform.state.stored_changes["c1"]
    platform.state.stored_changes["c1"] = replace(change, at=now - 1_000)
    own = Change("own", now - 500, ChangeKind.CONFIGURATION, "", "added oldcert (probes)", by="admin")
    platform.state.stored_changes["own"] = own
    platform.state.stored_changes["theirs"] = replace(own, id="theirs", service="nginx", title="more workers")
    service = DashboardAnnotations(platform.queries, platform.telemetry, platform.incidents, Changes(platform.state))
    marked = await service.find(
        [
            Annotation(name="i", source="incidents"),
            Annotation(name="none", source="incidents", query="no-such-service-at-all"),
            Annotation(name="d", source="deploys", query="level:error"),
            Annotation(name="wrong", source="deploys", query="a:("),
            Annotation(name="reported", source="deploys"),
            Annotation(name="p", query="up", title="{{instance}}"),
            Annotation(name="c", source="configuration"),
            Annotation(name="c", source="configuration", query="no such"),
        ],
        now - 7 * 86_400_000,
        now,
        {},
        15_000,
    )
    assert marked[0].events
    assert all(one.url.startswith("/incidents/INC-") for one in marked[0].events)
    assert marked[1].events == ()
    assert marked[2].events
    assert marked[3].error
    assert ("shop 2.4.1", ("deploy", "shop")) in [(one.title, one.tags) for one in marked[4].events]
    assert [list(one.events) == sorted(one.events, key=lambda event: event.time) for one in marked] == [True] * 8
    assert "more workers" in [one.title for one in marked[4].events]
    assert "added oldcert (probes)" not in [one.title for one in marked[4].events], "that is no deploy"
    assert [one.title for one in marked[6].events] == ["added oldcert (probes)"]
    assert marked[7].events == ()
