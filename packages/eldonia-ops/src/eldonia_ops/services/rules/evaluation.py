"""Evaluates rule groups, each at its interval. States, alerts and incidents commit together."""

import asyncio
import contextlib
import logging
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import STALE_NAN, AnySample, HistogramSample, Sample, SampleRow
from eldonia_ops.ports import Clock, MetricStore, StateStore, StateTransaction, TelemetryError
from eldonia_ops.promql import Plan, PromQLError
from eldonia_ops.rules import (
    ActiveAlert,
    AlertingRule,
    AlertState,
    Answer,
    GroupMemory,
    Outcome,
    Reloaded,
    Rule,
    RuleEffects,
    RuleGroup,
    RuleGroupState,
    RuleHealth,
    RuleState,
    TickSettings,
    evaluate_rule,
    numbers,
    reload,
    resume,
    rule_plan,
    sequential,
    template_plan,
)
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.api import AlertView, RuleGroupView, RuleView
from eldonia_ops.services.incidents.transactions import AlertChange
from eldonia_ops.services.logs.rules import LogRules
from eldonia_ops.services.loops import Loops, LoopWatch
from eldonia_ops.services.metric_declarations import RULE_EVALUATION
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.service_loop import supervise
from eldonia_ops.template import QuerySample

log = logging.getLogger("eldonia_ops.services.rules.evaluation")

_KIND = "rule_group"
_MANY_SERIES = 200

T = TypeVar("T")


@dataclass(slots=True)
class _Running:
    """One group with what is remembered of it; ``seconds`` are durations of the last evaluation.

    ``lock`` is held during an evaluation, and while other rules take the place of these.
    """

    group: RuleGroup
    in_order: bool
    state: RuleGroupState = field(default_factory=RuleGroupState)
    written: dict[str, frozenset[Labels]] = field(default_factory=dict)
    seconds: float = 0.0
    rule_seconds: dict[str, float] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    task: asyncio.Task[None] | None = None

    @property
    def key(self) -> str:
        """What the group is known by."""
        return self.group.key

    @property
    def loop_name(self) -> str:
        """What its loop is called."""
        return f"rule group {self.group.name} of {Path(self.group.file).name}"


class EvaluationService:
    """Evaluates rule groups.

    ``missed`` counts evaluations skipped because the previous one took too long, ``unstored`` rule results
    that the telemetry store did not take: alerting goes on without them.
    """

    def __init__(
        self,
        clock: Clock,
        state: StateStore,
        metrics: MetricStore,
        queries: QueryService,
        intake: AlertIntake,
        groups: Sequence[RuleGroup],
        settings: TickSettings,
        loops: Loops | None = None,
        logs: LogRules | None = None,
    ) -> None:
        self._clock = clock
        self._logs = logs
        self._state = state
        self._metrics = metrics
        self._queries = queries
        self._intake = intake
        self._settings = settings
        self._loops = loops or Loops()
        self._running = [_Running(group, sequential(group)) for group in groups]
        self._tasks: asyncio.TaskGroup | None = None
        self.missed = 0
        self.unstored = 0
        self.evaluations = 0

    async def resume(self) -> None:
        """Load the states of all groups. Their firing alerts get time to be found firing again: the router must not
        end them because nothing was sent while the platform was down."""
        now = self._clock.now()
        stored = await self._state.read(lambda tx: tx.machines.load_all(_KIND, RuleGroupState))
        firing: dict[str, int] = {}
        for running in self._running:
            interval = running.group.interval_ms or self._settings.default_interval_ms
            patience = self._resolve_after_ms(interval)
            running.state = resume(
                running.group, stored.get(running.key, RuleGroupState()), now, default_interval_ms=interval
            )
            for rule in running.state.rules.values():
                for fingerprint, alert in rule.alerts.items():
                    if alert.state is AlertState.FIRING:
                        firing[fingerprint] = now + patience

        def work(tx: StateTransaction) -> None:
            for fingerprint, until in firing.items():
                alert = tx.alerts.get(fingerprint)
                if alert is not None and alert.ends_at < until:
                    tx.alerts.put(replace(alert, ends_at=until))

        if firing:
            await self._state.write(work)

    def _resolve_after_ms(self, interval: int) -> int:
        """How long the router keeps an alert up that we do not send again (ms)."""
        return 4 * max(interval, self._settings.resend_delay_ms)

    async def run(self) -> None:
        """Evaluate every group in its interval until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                for running in self._running:
                    running.task = tasks.create_task(self._run_group(running))
                await asyncio.Event().wait()  # other groups may come
            finally:
                self._tasks = None

    async def reconfigure(self, groups: Sequence[RuleGroup], settings: TickSettings) -> None:
        """Let other groups take the place of those that run. What is the same in both goes on as it is; see
        :func:`eldonia_ops.rules.reload.reload`. Of what is no more, alerts end and series become stale.

        Raises:
            StateError: nothing has changed.
        """
        wanted = {group.key: group for group in groups}
        async with contextlib.AsyncExitStack() as stack:
            for running in self._running:
                if wanted.get(running.key) != running.group:
                    await stack.enter_async_context(running.lock)
            now = self._clock.now()
            memory = {running.key: GroupMemory(running.state, running.written) for running in self._running}
            before = [running.group for running in self._running]
            reloaded = reload(before, groups, memory, now, render=settings.render)
            if reloaded.changed or reloaded.removed or reloaded.ended:
                await self._state.write(lambda tx: self._store_reloaded(tx, reloaded, now))
            # From here on nothing fails: memory follows what is stored.
            self._settings = settings
            self._take_over(groups, reloaded)
        if reloaded.ended:
            self._intake.wake()
        for key, series in reloaded.stale.items():
            await self._store(key, tuple(Sample(labels, now, STALE_NAN) for labels in sorted(series)), now)

    def _store_reloaded(self, tx: StateTransaction, reloaded: Reloaded, now: int) -> None:
        for key in reloaded.removed:
            tx.machines.delete(_KIND, key)
        for key in reloaded.changed:
            tx.machines.save(_KIND, key, reloaded.memory[key].state)
        self._intake.accept(tx, [AlertChange(alert, False) for alert in reloaded.ended], now)

    def _take_over(self, groups: Sequence[RuleGroup], reloaded: Reloaded) -> None:
        """Put the groups in the place of those that run; loops of groups that stay are not touched."""
        known = {running.key: running for running in self._running}
        before = _watched(running.group for running in self._running)
        self._running = []
        for group in groups:
            running = known.pop(group.key, None) or _Running(group, sequential(group))
            self._running.append(running)
            # An equal group may be under evaluation at this moment: its memory is its own.
            if running.group != group or running.task is None:
                if running.group.interval_ms != group.interval_ms and running.task is not None:
                    running.task.cancel()
                    running.task = None
                memory = reloaded.memory[group.key]
                running.group, running.in_order = group, sequential(group)
                running.state, running.written = memory.state, dict(memory.written)
                keys = {key for key, _ in group.keyed_rules()}
                running.rule_seconds = {key: value for key, value in running.rule_seconds.items() if key in keys}
            if running.task is None and self._tasks is not None:
                running.task = self._tasks.create_task(self._run_group(running))
        for gone in known.values():
            if gone.task is not None:
                gone.task.cancel()
            self._loops.forget(gone.loop_name)
        for name in before - _watched(groups):  # what fails no more because it is no more
            self._loops.forget(self._loops.item(name).name)

    async def _run_group(self, running: _Running) -> None:
        interval = running.group.interval_ms or self._settings.default_interval_ms
        # Spread groups over the interval, each always at the same place, so that they do not all run at once.
        offset = zlib.crc32(running.key.encode()) % interval
        due = next_turn(self._clock.now(), interval, offset)

        async def turn() -> None:
            nonlocal due
            before = self._clock.now()
            await self._clock.sleep_until(due)
            now = self._clock.now()
            upcoming = next_turn(now, interval, offset)
            if now < due:  # the clock was set back
                due = upcoming
                return
            self.missed += (upcoming - due) // interval - 1
            overslept, due = before < due < now - self._resolve_after_ms(interval), upcoming
            if overslept:
                # The machine slept. Nothing has been measured yet, so every alert would seem to be over: like after
                # a restart, look when it has.
                self.missed += 1
                running.state = resume(running.group, running.state, now, default_interval_ms=interval)
                return
            # The latest turn, however late we are: what is found for an instant long past is over already.
            await self.evaluate(running, upcoming - interval)

        await supervise(running.loop_name, self._clock, turn, self._loops)

    async def evaluate(self, running: _Running, at: int) -> None:
        """One evaluation of one group at an instant (Unix ms)."""
        async with running.lock:
            await self._evaluate(running, at)

    async def _evaluate(self, running: _Running, at: int) -> None:
        started = time.perf_counter()
        group = running.group
        running.state = running.state.on_the_clock_of(at, group.interval_ms or self._settings.default_interval_ms)
        states: dict[str, RuleState] = {}
        written: dict[str, frozenset[Labels]] = {}
        alerts: dict[str, tuple[Alert, ...]] = {}
        stored: list[asyncio.Task[None]] = []
        for key, rule in group.keyed_rules():
            rule_started = time.perf_counter()
            outcome = await self._result(group, rule, at)
            effects = await self._judged(running, key, rule, outcome, at)
            states[key], written[key] = effects.state, effects.written
            alerts[key] = effects.alerts
            if effects.samples:
                stored.append(asyncio.create_task(self._store(key, effects.samples, at)))
                if running.in_order:
                    await stored[-1]
            running.rule_seconds[key] = time.perf_counter() - rule_started
        after = running.state.with_rules(states, at)
        try:
            running.state = await self._commit_all(running, after, alerts)
            # From here on memory says what the state store says, whatever becomes of the samples.
        finally:
            running.written = written
            if stored:
                await asyncio.wait(stored)
        running.seconds = time.perf_counter() - started
        self._loops.metrics.observe(RULE_EVALUATION, running.seconds)
        self.evaluations += 1

    async def _judged(self, running: _Running, key: str, rule: Rule, outcome: Outcome, at: int) -> RuleEffects:
        """What the result of one rule leads to. A fault of our own makes this rule fail, and no other."""
        written = running.written.get(key, frozenset())
        judge = partial(evaluate_rule, running.group, rule, running.state.rule(key))
        watch = self._loops.item(_rule_name(running.group, rule))
        try:
            answers = await self._answers(rule, outcome, at)
            settings = replace(self._settings, render=self._settings.render.knowing(answers))
            effects = await _aside(outcome, partial(judge, outcome, at, written=written, settings=settings))
            watch.succeeded()
            return effects
        except Exception as error:
            watch.failed(error)
            log.exception("rule %s of group %s", rule.name, running.group.name)
            return judge(RuntimeError(f"a fault of our own: {type(error).__name__}"), at, written=written)

    async def _result(self, group: RuleGroup, rule: Rule, at: int) -> Outcome:
        """What the expression of a rule yields at an instant."""
        what = f"rule {rule.name} of group {group.name}"
        if rule.logs is None:
            return await self._outcome(partial(rule_plan, group, rule, at), what)
        if self._logs is None:
            return ValueError("there are no logs here to search")
        try:
            return await self._logs.evaluate(rule.logs, at - group.query_offset_ms)
        except (TelemetryError, ValueError) as error:
            return error
        except Exception as error:
            log.exception("%s", what)
            return error

    async def _outcome(self, wanted: Callable[[], Plan], what: str) -> Outcome:
        try:
            return (await self._queries.evaluate(wanted())).values
        except (PromQLError, TelemetryError, ValueError) as error:
            return error
        except Exception as error:
            # A fault of our own in one rule must not silence the other rules of its group.
            log.exception("%s", what)
            return error

    async def _answers(self, rule: Rule, outcome: Outcome, at: int) -> Mapping[str, Answer]:
        """What the queries in a rule's templates yield at an instant, each asked once however many alerts want it.

        All of them together may take as long as one query: what is not known by then is an error in the text.
        """
        answers: dict[str, Answer] = {}
        texts = rule.querying_texts if isinstance(rule, AlertingRule) else ()
        if not texts or isinstance(outcome, Exception):
            return answers
        patience = self._queries.timeout_seconds
        until = time.monotonic() + patience
        render = self._settings.render.knowing(answers)
        while wanted := await _aside(outcome, partial(render.unanswered, texts, numbers(outcome))):
            for expression in wanted:
                if time.monotonic() < until:
                    answers[expression] = await self._answer(expression, at)
                else:
                    answers[expression] = f"the queries of this rule's templates took longer than {patience:g} s"
        return answers

    async def _answer(self, expression: str, at: int) -> Answer:
        wanted = partial(template_plan, expression, at, speed=self._settings.speed)
        found = await self._outcome(wanted, f"the query {expression} in a template")
        if isinstance(found, Exception):
            return str(found)
        return [QuerySample(labels, value) for labels, value in found if isinstance(value, float)]

    async def _store(self, key: str, samples: Sequence[AnySample], at: int) -> None:
        """Samples of one rule share their timestamp, so those with floats form a row of a block of their own."""
        floats = [sample for sample in samples if isinstance(sample, Sample)]
        histograms = [sample for sample in samples if isinstance(sample, HistogramSample)]
        values = np.array([sample.value for sample in floats], dtype=np.float64)
        row = SampleRow(f"rule;{key}", at, tuple(sample.labels for sample in floats), values)
        try:
            if floats:
                await self._metrics.insert_row(row)
            if histograms:
                await self._metrics.insert_samples(histograms)
        except Exception:
            # A full disk must not keep alerts from firing: their states do not depend on these samples.
            self.unstored += 1
            log.exception("the results of rule %s were not stored", key)

    async def _commit_all(
        self, running: _Running, after: RuleGroupState, alerts: Mapping[str, Sequence[Alert]]
    ) -> RuleGroupState:
        """Commit a group; if that fails, each of its rules by itself, so that one alert that cannot be taken in keeps
        no other from being raised. Returns the state that is stored."""
        try:
            await self._commit(running, after, [alert for some in alerts.values() for alert in some])
            for _, rule in running.group.keyed_rules():
                self._alerts_of(running, rule).succeeded()
            return after
        except Exception:
            log.exception("rule group %s is not stored; each rule is tried by itself", running.group.name)
        await self._state.write(lambda tx: None)  # raises if it is the store that fails, and not a rule
        state = running.state
        for key, rule in running.group.keyed_rules():
            watch = self._alerts_of(running, rule)
            changed = state.with_rules({**state.rules, key: after.rule(key)}, after.last_evaluation_at)
            try:
                await self._commit(running, changed, alerts[key])
                state = changed
                watch.succeeded()
            except Exception as error:
                watch.failed(error)
                log.exception("rule %s of group %s", rule.name, running.group.name)
                failed = replace(state.rule(key), health=RuleHealth.ERROR, last_error="its alerts could not be stored")
                state = state.with_rules({**state.rules, key: failed}, after.last_evaluation_at)
        return state

    def _alerts_of(self, running: _Running, rule: Rule) -> LoopWatch:
        return self._loops.item(_alerts_name(running.group, rule))

    async def _commit(self, running: _Running, after: RuleGroupState, alerts: Sequence[Alert]) -> None:
        """Store the group's state with what its alerts lead to, in one transaction.

        A group in which nothing is or was active has nothing to lose, and writes nothing.
        """
        active = any(rule.alerts for state in (running.state, after) for rule in state.rules.values())
        if not active and not alerts:
            return
        now = self._clock.now()
        changes = [
            AlertChange(_with_pending_value(alert), alert.ends_at > now, int(alert.evidence.get("active_at", 0)))
            for alert in alerts
        ]

        def work(tx: StateTransaction) -> None:
            tx.machines.save(_KIND, running.key, after)
            self._intake.accept(tx, changes, now)

        await self._state.write(work)
        if changes:
            self._intake.wake()

    def views(self) -> list[RuleGroupView]:
        """The present state of groups and rules, in the order in which they are configured."""
        return [_group_view(running) for running in self._running]


def _rule_name(group: RuleGroup, rule: Rule) -> str:
    return f"rule {rule.name} of group {group.name}"


def _alerts_name(group: RuleGroup, rule: Rule) -> str:
    return f"alerts of rule {rule.name} of group {group.name}"


def _watched(groups: Iterable[RuleGroup]) -> set[str]:
    """The names under which the rules of some groups are watched."""
    return {
        name
        for group in groups
        for rule in group.rules
        for name in (_rule_name(group, rule), _alerts_name(group, rule))
    }


def next_turn(now: int, interval: int, offset: int) -> int:
    """The first instant of the grid ``k * interval + offset`` that is later than ``now`` (all ms)."""
    return now + interval - (now - offset) % interval


async def _aside(outcome: Outcome, work: Callable[[], T]) -> T:
    """Work on the result of a rule, on a thread if there is much of it: rendering the texts of thousands of alerts
    takes a second, in which no request would be answered."""
    many = not isinstance(outcome, Exception) and len(outcome) > _MANY_SERIES
    return await asyncio.to_thread(work) if many else work()


def _with_pending_value(alert: Alert) -> Alert:
    """The value at which the condition was first met, as a number for the timeline."""
    try:
        value = float(alert.evidence.get("crossed_value", ""))
    except (TypeError, ValueError):
        return alert
    return replace(alert, evidence={**alert.evidence, "pending_value": value})


def _group_view(running: _Running) -> RuleGroupView:
    group = running.group
    return RuleGroupView(
        name=group.name,
        file=group.file,
        interval_seconds=group.interval_ms / 1000,
        evaluation_time_seconds=running.seconds,
        last_evaluation_at=running.state.last_evaluation_at,
        rules=tuple(_rule_view(running, key, rule) for key, rule in group.keyed_rules()),
    )


def _rule_view(running: _Running, key: str, rule: Rule) -> RuleView:
    state = running.state.rule(key)
    alerting = isinstance(rule, AlertingRule)
    return RuleView(
        name=rule.name,
        type="alerting" if alerting else "recording",
        query=rule.query,
        duration_seconds=rule.for_ms / 1000 if alerting else 0.0,
        keep_firing_for_seconds=rule.keep_firing_for_ms / 1000 if alerting else 0.0,
        labels=rule.labels,
        annotations=rule.annotations if alerting else Labels(),
        state=state.state.value if alerting else "",
        health=state.health.value,
        last_error=state.last_error,
        evaluation_time_seconds=running.rule_seconds.get(key, 0.0),
        last_evaluation_at=state.last_evaluation_at,
        alerts=tuple(_alert_view(alert) for alert in state.alerts.values() if alert.state is not AlertState.INACTIVE),
        comment=rule.comment,
        logs=rule.logs is not None,
    )


def _alert_view(active: ActiveAlert) -> AlertView:
    alert = Alert(
        active.label_set,
        Labels(active.annotations),
        active.fired_at or active.active_at,
        active.valid_until,
        active.last_sent_at,
        source="rule",
    )
    return AlertView(alert, active.state.value, value=active.number)
