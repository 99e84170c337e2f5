"""One evaluation of a rule, as a pure function of what its query yielded."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import STALE_NAN, AnySample, Sample, SampleValue
from eldonia_ops.rules import alerting, recording
from eldonia_ops.rules.alerting import RESEND_DELAY_MS, RuleError
from eldonia_ops.rules.groups import DEFAULT_INTERVAL_MS, AlertingRule, Rule, RuleGroup
from eldonia_ops.rules.rendering import RuleRenderer
from eldonia_ops.rules.state import RuleGroupState, RuleHealth, RuleState

Outcome: TypeAlias = Sequence[tuple[Labels, SampleValue]] | Exception
"""What a rule's query yielded: :attr:`Result.values`, or the error that it failed with."""


@dataclass(frozen=True, slots=True)
class TickSettings:
    """What is the same for every rule. ``generator_url`` gets the expression's place in the rules page appended;
    ``speed`` divides the durations in the queries of templates, as it has divided those of the rules."""

    render: RuleRenderer = field(default_factory=RuleRenderer)
    resend_delay_ms: int = RESEND_DELAY_MS
    default_interval_ms: int = DEFAULT_INTERVAL_MS
    generator_url: str = ""
    speed: float = 1.0


@dataclass(frozen=True, slots=True)
class RuleEffects:
    """What one rule's evaluation leads to: its new state, samples to store, alerts for the router.

    ``written`` names the series that it wrote, for the next evaluation: it serves to end those that vanish.
    """

    state: RuleState
    written: frozenset[Labels]
    samples: tuple[AnySample, ...] = ()
    alerts: tuple[Alert, ...] = ()


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
    alerts: tuple[Alert, ...] = ()
    try:
        if isinstance(rule, AlertingRule):
            state = alerting.step(rule, state, numbers(outcome), now, render=settings.render, limit=group.limit)
            state, alerts = alerting.to_send(
                rule,
                state,
                now,
                interval_ms=group.interval_ms or settings.default_interval_ms,
                resend_delay_ms=settings.resend_delay_ms,
                generator_url=settings.generator_url,
            )
            samples: list[AnySample] = [*alerting.samples(rule, state, now)]
        else:
            samples = recording.step(rule, outcome, now, limit=group.limit)
            state = RuleState({}, RuleHealth.OK, "", now)
    except RuleError as error:
        return RuleEffects(_failed(state, str(error), now), written)
    labels = frozenset(sample.labels for sample in samples)
    samples += [Sample(item, now, STALE_NAN) for item in sorted(written - labels)]
    return RuleEffects(state, labels, tuple(samples), alerts)


def numbers(vector: Sequence[tuple[Labels, SampleValue]]) -> list[tuple[Labels, float]]:
    """The series as alerts see them: one whose value is a histogram has the value 0, as in Prometheus."""
    return [(labels, 0.0 if isinstance(value, NativeHistogram) else value) for labels, value in vector]


def _failed(state: RuleState, message: str, now: int) -> RuleState:
    return replace(state, health=RuleHealth.ERROR, last_error=message, last_evaluation_at=now)


def resume(
    group: RuleGroup, state: RuleGroupState, now: int, *, default_interval_ms: int = DEFAULT_INTERVAL_MS
) -> RuleGroupState:
    """The stored state of a group after a restart; see :func:`eldonia_ops.rules.alerting.resume`."""
    interval_ms = group.interval_ms or default_interval_ms
    rules = {
        key: alerting.resume(rule, state.rules[key], now, interval_ms=interval_ms)
        for key, rule in group.keyed_rules()
        if key in state.rules and isinstance(rule, AlertingRule)
    }
    return state.with_rules(rules, state.last_evaluation_at)
