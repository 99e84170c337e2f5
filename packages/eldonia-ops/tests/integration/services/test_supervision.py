"""One bad item stops no neighbour; a loop that fails again and again is seen, and raises an alert until it works."""

import asyncio
from typing import Any

import pytest
from service_world import MINUTE, SECOND, SteppedClock, World, alert, open_world, security_record

from eldonia_ops.alerting.loop_failing import LOOP_FAILING, loop_failing
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.incidents import Incident
from eldonia_ops.ports import ProbeResult
from eldonia_ops.recovery.policy import RecoveryPolicy
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.loops import FAILING_AFTER, Loops
from eldonia_ops.services.recovery import Recoverable
from eldonia_ops.services.rules import evaluation as evaluation_module
from eldonia_ops.services.service_loop import CALM_MS, supervise

SECRET = "hunter2"

TWO_RULES = """
groups:
  - name: shop
    interval: 1m
    rules:
      - {alert: Bad, expr: errors > 5, labels: {severity: critical, service: a}}
      - {alert: Good, expr: errors > 5, labels: {severity: critical, service: b}}
  - name: other
    interval: 1m
    rules:
      - {alert: Elsewhere, expr: errors > 5, labels: {severity: critical, service: c}}
"""


async def failing_alerts(world: World) -> list[Alert]:
    now = world.clock.now()
    found = await world.state.read(lambda tx: tx.alerts.all())
    return [one for one in found if one.name == LOOP_FAILING and not one.resolved(now)]


async def firing(world: World) -> set[str]:
    return {view.alert.name for view in await world.alerts.current() if view.state == "firing"}


async def test_a_loop_that_fails_again_and_again_is_failing_until_a_turn_lasts() -> None:
    clock, loops = SteppedClock(), Loops()
    broken = True
    changes: list[list[str]] = []
    loops.on_change = lambda: changes.append([loop.name for loop in loops.failing()])

    async def turn() -> None:
        if broken:
            raise ValueError(SECRET)
        await clock.sleep_until(clock.now() + 1_000 * MINUTE)

    task = asyncio.create_task(supervise("example", clock, turn, loops))
    await clock.advance(SECOND // 2)
    assert loops.failing() == []
    await clock.advance(4 * SECOND)
    assert [(loop.name, loop.in_row, loop.error) for loop in loops.failing()] == [("example", 3, "ValueError")]
    broken = False
    await clock.advance(4 * SECOND + CALM_MS)
    task.cancel()
    assert loops.failing() == []
    assert changes == [["example"], []]
    assert [loop.failures for loop in loops.all()] == [FAILING_AFTER]


async def test_a_failure_now_and_then_is_none_of_a_loop() -> None:
    clock, loops = SteppedClock(), Loops()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns % 2:
            raise ValueError
        await clock.sleep_until(clock.now() + SECOND)

    task = asyncio.create_task(supervise("example", clock, turn, loops))
    await clock.advance(MINUTE)
    task.cancel()
    assert turns > 20
    assert loops.failing() == []


async def test_a_loop_under_way_can_be_stopped_after_a_failure() -> None:
    clock, loops = SteppedClock(), Loops()
    turns = 0

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise ValueError
        await asyncio.Event().wait()

    task = asyncio.create_task(supervise("example", clock, turn, loops))
    await clock.advance(5 * SECOND)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("service", ["delivery", "incidents", "security", "recovery"])
async def test_a_failing_service_raises_one_alert_that_ends_when_it_works(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_world(rules="") as world:

        async def broken() -> None:
            raise RuntimeError(SECRET)

        victim = getattr(world, service)
        works = victim._turn
        victim._turn = broken
        await world.start()
        await world.pass_time(2 * MINUTE)
        (up,) = await failing_alerts(world)
        assert up.labels["loop"] in ("delivery", "escalation", "security", "recovery")
        assert SECRET not in str(up)
        assert [loop.name for loop in world.loops.failing()] == [up.labels["loop"]]
        # The same loops as before, so the turn is taken from where they look for it.
        monkeypatch.setattr(type(victim), "_turn", lambda self: works())
        await world.restart()
        await world.pass_time(3 * MINUTE)
        assert await failing_alerts(world) == []
        assert world.loops.failing() == []


async def test_an_alert_from_before_a_start_is_kept_while_its_loop_still_fails() -> None:
    async with open_world(rules="") as world:
        now = world.clock.now()
        await world.alerts.receive([loop_failing("delivery", "OSError", now), loop_failing("gone", "OSError", now)])

        async def broken() -> None:
            raise RuntimeError

        world.delivery._turn = broken  # type: ignore[method-assign]
        await world.start()
        await world.pass_time(5 * MINUTE)
        assert [one.labels["loop"] for one in await failing_alerts(world)] == ["delivery"]
        assert [one.starts_at for one in await failing_alerts(world)] == [now]


async def test_a_rule_that_breaks_us_stops_neither_its_group_nor_others(monkeypatch: pytest.MonkeyPatch) -> None:
    works = evaluation_module.evaluate_rule

    def breaking(group: Any, rule: Any, state: Any, outcome: Any, *rest: Any, **settings: Any) -> Any:
        if rule.name == "Bad" and not isinstance(outcome, Exception):
            raise KeyError(SECRET)
        return works(group, rule, state, outcome, *rest, **settings)

    monkeypatch.setattr(evaluation_module, "evaluate_rule", breaking)
    async with open_world(rules=TWO_RULES) as world:
        world.measure("errors", 9)
        await world.start()
        await world.pass_time(4 * MINUTE)
        assert await firing(world) == {"Good", "Elsewhere", LOOP_FAILING}
        assert [loop.name for loop in world.loops.failing()] == ["rule Bad of group shop"]
        (bad,) = [rule for group in world.evaluation.views() for rule in group.rules if rule.name == "Bad"]
        assert (bad.health, bad.last_error) == ("err", "a fault of our own: KeyError")
        monkeypatch.setattr(evaluation_module, "evaluate_rule", works)
        await world.pass_time(2 * MINUTE)
        assert world.loops.failing() == []
        assert await firing(world) == {"Bad", "Good", "Elsewhere"}


async def test_an_alert_that_cannot_be_taken_in_stops_no_other_of_its_group() -> None:
    async with open_world(rules=TWO_RULES) as world:
        works = world.intake.accept

        def breaking(tx: Any, changes: Any, now: int) -> None:
            if any(change.alert.name == "Bad" for change in changes):
                raise KeyError
            works(tx, changes, now)

        world.intake.accept = breaking  # type: ignore[method-assign]
        world.measure("errors", 9)
        await world.start()
        await world.pass_time(5 * MINUTE)
        assert await firing(world) == {"Good", "Elsewhere", LOOP_FAILING}
        health = {rule.name: rule.health for group in world.evaluation.views() for rule in group.rules}
        assert health == {"Bad": "err", "Good": "ok", "Elsewhere": "ok"}


async def test_an_incident_that_cannot_be_escalated_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    works = IncidentTransactions.step

    def breaking(self: IncidentTransactions, tx: Any, incident: Incident, event: Any, now: int) -> Any:
        if incident.service == "bad" and type(event).__name__ == "Deadline":
            raise KeyError
        return works(self, tx, incident, event, now)

    async with open_world(rules="") as world:
        await world.start()
        await world.alerts.receive([alert("Bad", service="bad"), alert("Good", service="good")])
        await world.clock.settle()
        monkeypatch.setattr(IncidentTransactions, "step", breaking)
        await world.pass_time(60 * MINUTE)
        by_service = {one.service: one for one in await world.incidents.find() if one.service in ("good", "bad")}
        escalated = {
            service: any(entry.kind.startswith("escalat") for entry in (await world.incidents.get(one.id))[1])
            for service, one in by_service.items()
        }
        assert escalated == {"good": True, "bad": False}
        assert [loop.name for loop in world.loops.failing()] == [f"escalation of {by_service['bad'].reference}"]


async def test_a_security_event_that_breaks_us_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_world(rules="") as world:
        await world.start()
        works = world.security._derive

        def breaking(events: Any) -> Any:
            if any(event.ip_address == "203.0.113.66" for event in events):
                raise KeyError
            return works(events)

        world.security._derive = breaking  # type: ignore[method-assign]
        records = [security_record(world.clock, number) for number in range(20)]
        bad = security_record(world.clock, 99, address="203.0.113.66")
        await world.ingest.logs([*records[:10], bad, *records[10:]])
        assert len(await world.security.find()) >= 1


async def test_a_service_whose_recovery_breaks_us_stops_no_other() -> None:
    class Nothing:
        async def restart(self) -> str:
            return "restarted"

    policy = RecoveryPolicy()
    items = [Recoverable(name, f"probe-{name}", policy, Nothing()) for name in ("bad", "good")]
    async with open_world(rules="", recoverables=items) as world:
        await world.start()
        works = world.recovery._apply

        async def breaking(service: str, event: Any) -> None:
            if service == "bad" and type(event).__name__ == "RecoveryTick":
                raise KeyError
            await works(service, event)

        world.recovery._apply = breaking  # type: ignore[method-assign]
        seen: set[str] = set()
        for _ in range(40):
            for name in ("bad", "good"):
                await world.recovery.on_probe(f"probe-{name}", ProbeResult(False, 0.1, "down"), world.clock.now())
            await world.pass_time(15 * SECOND)
            seen |= {loop.name for loop in world.loops.failing()}
        attempts = {view.service: view.attempts for view in await world.recovery.status()}
        assert attempts["good"] > 0
        assert seen == {"recovery of bad"}


def test_what_only_fails_is_known_only_while_it_fails_and_a_name_is_one_line() -> None:
    loops = Loops()
    watch = loops.item("tail of /var/log/a\nb")
    watch.succeeded()
    assert loops.all() == []
    for _ in range(FAILING_AFTER):
        watch.failed(OSError(SECRET))
    assert [(loop.name, loop.error) for loop in loops.failing()] == [("tail of /var/log/a\ufffdb", "OSError")]
    watch.succeeded()
    assert loops.all() == []
