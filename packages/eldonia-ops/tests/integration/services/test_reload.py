"""A configuration that changes while everything runs: what stays the same does not notice."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from service_world import MINUTE, ROUTING, RULES, SECOND, alert, open_world

from eldonia_ops.app.modules import Inert
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import ProbeResult, StateTransaction
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.rules import RuleGroupState
from eldonia_ops.services.recovery import Recoverable
from eldonia_ops.storage.state.errors import StateError

OTHER = """
  - name: other
    interval: 1m
    rules:
      - record: job:errors:sum
        expr: sum by (job) (errors)
      - alert: AnyError
        expr: errors > 0
        labels: {severity: warning, service: other}
"""


async def test_a_pending_alert_fires_when_it_would_have_fired() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(3 * MINUTE + 20 * SECOND)
        [pending] = await world.alerts.current()
        assert pending.state == "pending"
        changed = RULES.replace("errors at", "so many errors:").replace("for: 5m", "for: 4m")
        await world.reload(rules=changed + OTHER)
        [same] = [view for view in await world.alerts.current() if view.alert.name == "HighErrorRate"]
        assert same.alert.starts_at == pending.alert.starts_at
        await world.pass_time(3 * MINUTE)
        [firing] = [view for view in await world.alerts.current() if view.alert.name == "HighErrorRate"]
        assert (firing.state, firing.alert.annotations["summary"]) == ("firing", "so many errors: 9")
        assert firing.alert.starts_at == pending.alert.starts_at + 4 * MINUTE


async def test_a_longer_for_ends_the_alert_and_its_incident_until_it_is_due_again() -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(8 * MINUTE)
        assert (await world.incident()).status.value == "open"
        await world.reload(rules=RULES.replace("for: 5m", "for: 20m"))
        [view] = await world.alerts.current()
        assert view.state == "pending"
        assert "alert.resolved" in await world.kinds()
        await world.pass_time(9 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["pending"]
        await world.pass_time(8 * MINUTE)
        assert [view.state for view in await world.alerts.current()] == ["firing"]


async def test_a_removed_group_ends_its_alerts_and_its_series() -> None:
    async with open_world(rules=RULES + OTHER) as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.pass_time(3 * MINUTE)
        assert {view.alert.name for view in await world.alerts.current()} == {"AnyError", "HighErrorRate"}
        assert (await world.queries.instant("job:errors:sum")).series
        await world.reload(rules=RULES)
        assert {view.alert.name for view in await world.alerts.current()} == {"HighErrorRate"}
        for query in ("job:errors:sum", 'ALERTS{alertname="AnyError"}'):
            assert not (await world.queries.instant(query)).series
        assert (await world.queries.instant('ALERTS{alertname="HighErrorRate"}')).series
        stored = await world.state.read(lambda tx: tx.machines.load_all("rule_group", RuleGroupState))
        assert set(stored) == {"rules.yml;shop"}
        await world.reload(rules=RULES + OTHER)
        await world.pass_time(MINUTE)
        assert {view.alert.name for view in await world.alerts.current()} == {"AnyError", "HighErrorRate"}


async def test_groups_keep_their_turn_and_another_interval_begins_at_once() -> None:
    async with open_world(rules=RULES + OTHER) as world:
        await world.start()
        await world.pass_time(2 * MINUTE)
        before = {group.name: group.last_evaluation_at for group in world.alerts.rules()}
        await world.pass_time(30 * SECOND)
        await world.reload(
            rules=(RULES + OTHER).replace("name: other\n    interval: 1m", "name: other\n    interval: 10s")
        )
        await world.pass_time(60 * SECOND)
        after = {group.name: group.last_evaluation_at for group in world.alerts.rules()}
        assert (after["shop"] - before["shop"]) % MINUTE == 0
        assert world.clock.now() - after["other"] < 10 * SECOND
        assert world.evaluation.missed == 0


async def test_a_reload_of_a_hundred_rules_misses_no_evaluation() -> None:
    def rules(threshold: int) -> str:
        groups = "groups:\n"
        for group in range(10):
            groups += f"  - name: g{group}\n    interval: 10s\n    rules:\n"
            for rule in range(10):
                # Every second group changes.
                limit = threshold if group % 2 else 5
                groups += f"      - {{record: 'r:{group}:{rule}', expr: 'errors > {limit}'}}\n"
        return groups

    async with open_world(rules=rules(1)) as world:
        evaluated: dict[str, list[int]] = {}
        insert = world.telemetry.metrics.insert_row

        async def noting(row: Any) -> dict[str, int]:
            evaluated.setdefault(row.target, []).append(row.timestamp_ms)
            return await insert(row)

        world.telemetry.metrics.insert_row = noting  # type: ignore[method-assign]
        await world.start()
        world.measure("errors", 9.0, job="shop")
        world.scrape_every = 5 * SECOND
        await world.pass_time(MINUTE)
        for threshold in range(2, 8):
            await world.reload(rules=rules(threshold))
            await world.pass_time(7 * SECOND)
        await world.pass_time(MINUTE)
        assert world.evaluation.missed == 0
        assert len(evaluated) == 100
        for turns in evaluated.values():
            gaps = {after - before for before, after in itertools.pairwise(turns)}
            assert gaps == {10 * SECOND}


async def test_a_group_of_alerts_keeps_its_timers_and_what_it_sent() -> None:
    async with open_world(rules="") as world:
        await world.start()
        await world.alerts.receive([alert("DiskFull", severity="warning")])
        await world.pass_time(MINUTE)
        assert len(world.receivers.at("team")) == 1
        groups = await world.state.read(lambda tx: tx.groups.all())
        more = ROUTING.replace("  routes:\n", "  routes:\n    - {matchers: ['team=\"x\"'], receiver: vendor}\n")
        await world.reload(
            routing=more.replace("receivers:", "receivers:\n  - {name: new, slack_configs: [{channel: '#n'}]}", 1)
        )
        moved = await world.state.read(lambda tx: tx.groups.all())
        [before], [after] = groups.values(), moved.values()
        assert (after.flush_at, after.flushed_at, after.log) == (before.flush_at, before.flushed_at, before.log)
        await world.pass_time(3 * 60 * MINUTE)
        assert sent_alerts(world) == ["team"]  # until the repeat interval
        await world.pass_time(2 * 60 * MINUTE)
        assert sent_alerts(world) == ["team", "team"]


def sent_alerts(world: Any) -> list[str]:
    return [outgoing.receiver for _, outgoing in world.receivers.arrived if outgoing.purpose == "alert"]


async def test_alerts_go_where_the_new_routing_says() -> None:
    async with open_world(rules="") as world:
        await world.start()
        await world.alerts.receive([alert("DiskFull", severity="warning")])
        await world.reload(
            routing=ROUTING.replace(
                "{matchers: ['severity=~\".+\"'], receiver: team}", "{matchers: ['severity=~\".+\"'], receiver: vendor}"
            )
        )
        await world.pass_time(MINUTE)
        assert [len(world.receivers.at(name)) for name in ("team", "vendor")] == [0, 1]
        assert [view.receivers for view in await world.alerts.current()] == [("vendor",)]


async def test_an_equal_configuration_writes_nothing() -> None:
    async with open_world(rules=RULES + OTHER) as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.alerts.receive([alert("DiskFull")])
        await world.pass_time(7 * MINUTE)

        def everything(tx: StateTransaction) -> tuple[Any, ...]:
            states = tx.machines.load_all("rule_group", RuleGroupState)
            return tx.alerts.all(), tx.groups.all(), states, tx.outbox.find(limit=100), tx.ledger.find(limit=1000)

        before = await world.state.read(everything)
        await world.reload()
        await world.reload(rules="# a comment\n" + RULES + OTHER)
        assert await world.state.read(everything) == before


class Restarts:
    def __init__(self) -> None:
        self.count = 0

    async def restart(self) -> str:
        self.count += 1
        return "restarted"


async def failing(world: Any, minutes: int) -> None:
    for _ in range(4 * minutes):
        await world.recovery.on_probe("health", ProbeResult(False, 0.1, detail="down"), world.clock.now())
        await world.pass_time(15 * SECOND)


async def test_recovery_keeps_its_attempts_and_a_removed_service_ends_its_alerts() -> None:
    policy = RecoveryPolicy(max_attempts=5)
    shop, other = Recoverable("shop", "health", policy, Restarts()), Recoverable("x", "y", policy, Restarts())
    async with open_world(rules="", recoverables=[shop]) as world:
        await world.start()
        await failing(world, 2)
        [before] = await world.recovery.status()
        assert before.attempts >= 1
        await world.reload(recoverables=[replace(shop, policy=replace(policy, max_attempts=2)), other])
        [after, _] = await world.recovery.status()
        assert (after.attempts, after.max_attempts, after.state) == (before.attempts, 2, before.state)
        await failing(world, 6)
        assert {"ServiceDown", "RecoveryFailed"} <= {view.alert.name for view in await world.alerts.current()}
        await world.reload(recoverables=[other])
        assert await world.alerts.current() == []
        assert [view.service for view in await world.recovery.status()] == ["x"]
        await world.recovery.on_probe("health", ProbeResult(False, 0.1, detail="down"), world.clock.now())
        await world.reload(recoverables=[other, shop])
        assert [(view.service, view.attempts) for view in await world.recovery.status()] == [("x", 0), ("shop", 0)]


async def test_labels_of_recovery_alerts_follow_their_policy() -> None:
    shop = Recoverable("shop", "health", RecoveryPolicy(max_attempts=0), Restarts())
    async with open_world(rules="", recoverables=[shop]) as world:
        await world.start()
        await failing(world, 3)
        labelled = replace(shop, policy=replace(shop.policy, labels=Labels({"team": "a"})))
        await world.reload(recoverables=[labelled])
        assert {view.alert.labels.get("team") for view in await world.alerts.current()} == {"a"}


async def test_what_failed_and_is_gone_fails_no_more() -> None:
    async with open_world(rules=RULES + OTHER) as world:
        await world.start()
        await world.pass_time(2 * MINUTE)
        watch = world.loops.item("rule AnyError of group other")
        for _ in range(3):
            watch.failed(ValueError())
        await world.clock.settle()
        assert "PlatformLoopFailing" in {view.alert.name for view in await world.alerts.current()}
        await world.reload(rules=RULES)
        assert world.loops.failing() == []
        assert "PlatformLoopFailing" not in {view.alert.name for view in await world.alerts.current()}
        assert "rule group other of rules.yml" not in {loop.name for loop in world.loops.all()}


class Refusing(Inert):
    """Cannot follow the first time that it is asked to."""

    name = "refusing"

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def apply(self, configuration: Any) -> None:
        self.calls.append(configuration)
        if len(self.calls) == 1:
            raise StateError("the disk is full")


@pytest.mark.parametrize("first", [True, False])
async def test_what_fails_half_way_leaves_the_configuration_before_in_force(first: bool) -> None:
    async with open_world() as world:
        await world.start()
        world.measure("errors", 9.0, job="shop")
        await world.alerts.receive([alert("DiskFull", severity="warning")])
        await world.pass_time(3 * MINUTE)
        before = await world.state.read(lambda tx: (tx.groups.all(), tx.alerts.all()))
        refusing, in_force = Refusing(), world.configuration
        # The last of the list is asked first, the first last.
        world.modules.insert(len(world.modules) if first else 0, refusing)
        with pytest.raises(StateError):
            await world.reload(
                rules=OTHER.replace("\n", "\ngroups:\n", 1),
                routing=ROUTING.replace("receiver: team}", "receiver: vendor}"),
            )
        assert refusing.calls[1] is in_force
        assert world.configuration is in_force
        if first:
            assert await world.state.read(lambda tx: (tx.groups.all(), tx.alerts.all())) == before
        assert [group.name for group in world.alerts.rules()] == ["shop"]
        await world.pass_time(6 * MINUTE)
        assert "vendor" not in sent_alerts(world)
        assert {view.receivers for view in await world.alerts.current()} >= {("team",)}
