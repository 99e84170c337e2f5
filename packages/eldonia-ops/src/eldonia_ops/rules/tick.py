"""One evaluation of a rule group, as a pure function of what its queries yielded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import STALE_NAN, Sample
from eldonia_ops.rules import alerting, recording
from eldonia_ops.rules.alerting import RESEND_DELAY_MS, RuleError, Transition
from eldonia_ops.rules.groups import DEFAULT_INTERVAL_MS, AlertingRule, Rule, RuleGroup
from eldonia_ops.rules.rendering import Render, template_renderer
from eldonia_ops.rules.state import GroupState, Health, RuleState

Outcome: TypeAlias = Sequence[tuple[Labels, float]] | Exception
"""What a rule's query yielded: :attr:`Result.vector`, or the error that it failed with."""

Written: TypeAlias = Mapping[str, frozenset[Labels]]
"""Which series each rule wrote at the last evaluation. Kept in memory only: it serves to end series that vanish."""


@dataclass(frozen=True, slots=True)
class TickSettings:
    """What is the same for every rule. ``generator_url`` gets the expression's place in the rules page appended."""

    render: Render = field(default_factory=template_renderer)
    resend_delay_ms: int = RESEND_DELAY_MS
    default_interval_ms: int = DEFAULT_INTERVAL_MS
    generator_url: str = ""


@dataclass(frozen=True, slots=True)
class RuleEffects:
    """What one rule's evaluation leads to: its new state, samples to store, alerts for the router, changes to note."""

    state: RuleState
    written: frozenset[Labels]
    samples: tuple[Sample, ...] = ()
    alerts: tuple[Alert, ...] = ()
    transitions: tuple[Transition, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupEffects:
    """The same for a whole group; ``samples`` are in the order of the rules."""

    state: GroupState
    written: dict[str, frozenset[Labels]]
    samples: tuple[Sample, ...] = ()
    alerts: tuple[Alert, ...] = ()
    transitions: tuple[Transition, ...] = ()


def evaluate_rule(
    group: RuleGroup,
    rule: Rule,
    state: RuleState,
    outcome: Outcome,
    now: int,
    *,
    written: frozenset[Labels] = frozenset(),
    settings: TickSettings | None = None,
) -> RuleEffects:
    """Take one rule's query result into account.

    A failed query changes nothing but the rule's health: its alerts stay as they are and, no longer
    refreshed, end at the router after four intervals.
    """
    settings = settings or TickSettings()
    if isinstance(outcome, Exception):
        return RuleEffects(_failed(state, str(outcome), now), written)
    transitions: tuple[Transition, ...] = ()
    alerts: tuple[Alert, ...] = ()
    try:
        if isinstance(rule, AlertingRule):
            state, transitions = alerting.step(rule, state, outcome, now, render=settings.render, limit=group.limit)
            state, alerts = alerting.to_send(
                rule,
                state,
                now,
                interval_ms=group.interval_ms or settings.default_interval_ms,
                resend_delay_ms=settings.resend_delay_ms,
                generator_url=settings.generator_url,
            )
            samples = alerting.samples(rule, state, now)
        else:
            samples = recording.step(rule, outcome, now, limit=group.limit)
            state = RuleState({}, Health.OK, "", now)
    except RuleError as error:
        return RuleEffects(_failed(state, str(error), now), written)
    labels = frozenset(sample.labels for sample in samples)
    samples += [Sample(item, now, STALE_NAN) for item in sorted(written - labels)]
    return RuleEffects(state, labels, tuple(samples), alerts, transitions)


def _failed(state: RuleState, message: str, now: int) -> RuleState:
    return replace(state, health=Health.ERROR, last_error=message, last_evaluation_at=now)


def tick(
    group: RuleGroup,
    state: GroupState,
    outcomes: Sequence[Outcome],
    now: int,
    *,
    written: Written | None = None,
    settings: TickSettings | None = None,
) -> GroupEffects:
    """Take the query results of all rules of a group into account, in order.

    Use this where :func:`~eldonia_ops.rules.groups.sequential` is false; otherwise call
    :func:`evaluate_rule` rule by rule and store the samples in between.

    Raises:
        ValueError: there is not one outcome for each rule.
    """
    states: dict[str, RuleState] = {}
    after: dict[str, frozenset[Labels]] = {}
    samples: list[Sample] = []
    alerts: list[Alert] = []
    transitions: list[Transition] = []
    for (key, rule), outcome in zip(group.keyed_rules(), outcomes, strict=True):
        effects = evaluate_rule(
            group,
            rule,
            state.rule(key),
            outcome,
            now,
            written=(written or {}).get(key, frozenset()),
            settings=settings,
        )
        states[key], after[key] = effects.state, effects.written
        samples += effects.samples
        alerts += effects.alerts
        transitions += effects.transitions
    return GroupEffects(state.with_rules(states, now), after, tuple(samples), tuple(alerts), tuple(transitions))


def resume(
    group: RuleGroup, state: GroupState, now: int, *, default_interval_ms: int = DEFAULT_INTERVAL_MS
) -> GroupState:
    """The stored state of a group after a restart; see :func:`eldonia_ops.rules.alerting.resume`."""
    interval_ms = group.interval_ms or default_interval_ms
    rules = {
        key: alerting.resume(rule, state.rules[key], now, interval_ms=interval_ms)
        for key, rule in group.keyed_rules()
        if key in state.rules and isinstance(rule, AlertingRule)
    }
    return state.with_rules(rules, state.last_evaluation_at)
