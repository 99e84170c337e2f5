"""Rule groups: their faults stay their own, and what is in memory is what was committed."""

import itertools
import logging
from collections import Counter
from typing import Any

import numpy as np
import pytest
from service_world import MINUTE, RULES, SECOND, open_world

from eldonia_ops.model.samples import SampleRow
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.queries import QueryService
from eldonia_ops.storage.state.errors import StateError

BOTH = """
groups:
  - name: shop
    interval: 1m
    rules:
      - record: job:errors:sum
        expr: sum(errors)
      - alert: Many
        expr: job:errors:sum > 5
        labels: {severity: critical, service: shop}
  - name: broken
    interval: 1m
    rules:
      - alert: Faulty
        expr: errors * on(job) group_right other
        labels: {severity: critical}
      - alert: Sound
        expr: errors > 5
        labels: {severity: warning, service: other}
"""


async def test_a_rule_sees_what_an_earlier_rule_of_its_group_has_just_recorded() -> None:
    async with open_world(rules=BOTH) as world:
        await world.start()
        world.measure("errors", 3.0, job="a")
        world.measure("errors", 4.0, job="b")
        await world.pass_time(2 * MINUTE)
        assert {view.alert.name for view in await world.alerts.current()} == {"Many"}


async def test_a_rule_that_fails_says_so_and_leaves_the_others_of_its_group_alone() -> None:
    async with open_world(rules=BOTH) as world:
        await world.start()
        world.measure("errors", 9.0, job="a", instance="1")
        world.measure("errors", 9.0, job="a", instance="2")
        world.measure("other", 1.0, job="a")
        await world.pass_time(2 * MINUTE)
        rules = {rule.name: rule for group in world.alerts.rules() for rule in group.rules}
        assert rules["Faulty"].health == "err"
        assert "many-to-many" in rules["Faulty"].last_error or "group_right" in rules["Faulty"].last_error
        assert rules["Sound"].health == "ok"
        assert rules["Sound"].state == "firing"


async def test_a_fault_of_our_own_in_one_rule_leaves_the_others_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_world(rules=BOTH) as world:
        evaluate = world.queries.evaluate

        async def faulty(wanted: Any) -> Any:
            if len(wanted.fetches) == 2:
                raise RuntimeError("a fault of our own")
            return await evaluate(wanted)

        monkeypatch.setattr(world.queries, "evaluate", faulty)
        await world.start()
        world.measure("errors", 9.0, job="a")
        with caplog.at_level(logging.CRITICAL):
            await world.pass_time(2 * MINUTE)
        rules = {rule.name: rule for group in world.alerts.rules() for rule in group.rules}
        assert (rules["Faulty"].health, rules["Faulty"].last_error) == ("err", "a fault of our own")
        assert rules["Sound"].state == "firing"


async def test_alerts_fire_on_time_although_no_rule_result_can_be_stored(caplog: pytest.LogCaptureFixture) -> None:
    async with open_world(rules=RULES) as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(MINUTE)
        # The disk is full: what is scraped still reaches the head in memory, our results are not stored.
        labels = tuple(world.metrics)
        world.telemetry.break_down("no space left on device")
        with caplog.at_level(logging.CRITICAL):
            for _ in range(7):
                row = SampleRow("job/instance", world.clock.now(), labels, np.array([9.0]))
                world.telemetry.metrics.head.append_row(row)
                await world.pass_time(MINUTE)
        assert world.evaluation.unstored > 0
        assert [view.state for view in await world.alerts.current()] == ["firing"]
        assert len(world.receivers.at("pager")) == 1


async def test_what_could_not_be_committed_is_done_again_and_nothing_of_it_is_remembered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(3 * MINUTE)
        write, world.evaluation._state = world.state.write, _Failing(world.state)  # type: ignore[assignment]
        with caplog.at_level(logging.CRITICAL):
            await world.pass_time(5 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["pending"], "memory follows the store"
        assert await world.incidents.find() == []
        world.evaluation._state = world.state
        assert write == world.state.write
        await world.pass_time(2 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["firing"]
        assert (await world.incident()).detected_at > 0
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1


class _Failing:
    """A store whose disk is full."""

    def __init__(self, state: Any) -> None:
        self.read = state.read

    async def write(self, work: Any) -> None:
        raise StateError("the state database failed: disk is full")


async def test_the_state_of_a_group_and_its_alerts_commit_together_or_not_at_all(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(4 * MINUTE)

        def breaks(tx: StateTransaction, *_: object) -> None:
            raise StateError("in the middle of the transaction")

        with monkeypatch.context() as patch, caplog.at_level(logging.CRITICAL):
            patch.setattr(world.intake, "accept", breaks)
            await world.pass_time(3 * MINUTE)
        await world.restart()
        assert await world.incidents.find() == []
        await world.pass_time(3 * MINUTE)
        assert (await world.incident()).severity == "critical"
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("pager")) == 1


async def test_the_wait_before_a_restart_counts_and_the_time_of_the_outage_does_not() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0)
        await world.pass_time(4 * MINUTE)
        await world.restart(down_for=10 * MINUTE)
        await world.pass_time(70 * SECOND)
        assert [view.state for view in await world.alerts.current()] == ["pending"]
        await world.pass_time(2 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["firing"]


async def test_an_evaluation_that_takes_too_long_leaves_turns_out_and_counts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_world() as world:
        evaluate = world.queries.evaluate
        at: list[int] = []

        async def slow(wanted: Any) -> Any:
            at.append(wanted.start_ms)
            if len(at) == 2:
                await world.clock.sleep_until(world.clock.now() + 210 * SECOND)
            return await evaluate(wanted)

        monkeypatch.setattr(world.queries, "evaluate", slow)
        await world.start()
        await world.pass_time(8 * MINUTE)
        assert world.evaluation.missed == 2
        steps = [later - earlier for earlier, later in itertools.pairwise(at)]
        assert steps[:2] == [MINUTE, 3 * MINUTE], "the latest turn, not one that is long past"
        assert all(step % MINUTE == 0 for step in steps), "always on its own grid"
        assert len(set(at)) == len(at)


async def test_values_and_the_rules_own_view_are_shown() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(8 * MINUTE)
        (view,) = await world.alerts.current()
        assert (view.value, view.incident_reference) == (9.0, "INC-1")
        (group,) = world.alerts.rules()
        (rule,) = group.rules
        assert (group.name, group.interval_seconds, rule.type, rule.state) == ("shop", 60.0, "alerting", "firing")
        assert rule.alerts[0].value == 9.0
        result = await world.queries.instant('ALERTS{alertstate="firing"}')
        assert [series.labels["alertname"] for series in result.series] == ["HighErrorRate"]


ASKING = """
groups:
  - name: shop
    interval: 1m
    rules:
      - record: job:errors:sum
        expr: sum by (job) (errors)
      - alert: Many
        expr: errors > 5
        labels:
          severity: critical
          service: shop
          tier: '{{ with query "tier" }}{{ . | first | label "tier" }}{{ end }}'
        annotations:
          summary: '{{ query "job:errors:sum" | first | value }} in all'
          capacity: '{{ printf "capacity{instance=%q}" $labels.instance | query | first | value }}'
          broken: '{{ query "sum(" | first | value }}'
          text: '{{ query `"words"` | first | value }}'
          none: '{{ range query "nothing" }}x{{ else }}none{{ end }}'
"""


async def test_the_templates_of_a_rule_query_at_the_instant_of_its_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world(rules=ASKING) as world:
        evaluate = world.queries.evaluate
        asked: Counter[int] = Counter()

        async def counted(wanted: Any) -> Any:
            asked[wanted.start_ms] += 1
            return await evaluate(wanted)

        monkeypatch.setattr(world.queries, "evaluate", counted)
        await world.start()
        world.measure("tier", 1.0, tier="gold")
        for number in range(300):
            world.measure("errors", 9.0, instance=str(number))
            world.measure("capacity", 10.0 + number % 2, instance=str(number))
        await world.pass_time(2 * MINUTE)
        views = await world.alerts.current()
        assert len(views) == 300
        assert {view.alert.labels["tier"] for view in views} == {"gold"}
        found = {view.alert.labels["instance"]: view.alert.annotations for view in views}
        # The sum is what the rule before this one recorded at the very same instant.
        assert {item["summary"] for item in found.values()} == {"2700 in all"}
        assert [found[number]["capacity"] for number in ("0", "1")] == ["10", "11"]
        assert {item["none"] for item in found.values()} == {"none"}
        assert found["0"]["broken"].startswith("<error expanding template: template:1:4: error calling query: ")
        assert "not an instant vector" in found["0"]["text"]
        # Two rules, the four constant queries that parse, and one for each instance: each once.
        assert max(asked.values()) == 2 + 4 + 300


async def test_the_queries_of_one_rules_templates_together_take_no_longer_than_one_may(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_world(rules=ASKING) as world:
        monkeypatch.setattr(QueryService, "timeout_seconds", 0.0)
        await world.start()
        world.measure("errors", 9.0, instance="a")
        await world.pass_time(2 * MINUTE)
        (view,) = await world.alerts.current()
        assert view.state == "firing"
        assert view.alert.annotations["summary"].endswith(
            "error calling query: the queries of this rule's templates took longer than 0 s>"
        )
