"""Alerting rules for the page on which they are changed, and what a rule would have done in the last day."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from eldonia_ops.ports import Clock
from eldonia_ops.promql import PromQLError, format_expr, parse
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.groups import AlertingRule, RuleGroup, scale
from eldonia_ops.rules.preview import firings
from eldonia_ops.rules.threshold_units import unit_of
from eldonia_ops.rules.tuning import RuleChange, alerting_rules, is_lower_bound, measured, names_of, threshold_of, tuned
from eldonia_ops.services.api import NotFoundError, Queries, QueryError, RuleGroupView, RuleView
from eldonia_ops.services.api.managed import PreviewView, RuleCardView, WantedRule
from eldonia_ops.settings import DefaultRules
from eldonia_ops.settings.managed import ALERTS, TUNING, EntryPlace

_DAY: Final = 86_400_000
_STEP: Final = 60_000
_SHOWN: Final = 50
_POINTS: Final = 288
_MOST_VALUES: Final = 60
_VALUE_TIME: Final = 2_000
_SHIPPED_FILES: Final = frozenset({"eldonia.yml", "platform.yml"})


async def rule_cards(
    defaults: DefaultRules,
    groups: Sequence[RuleGroup],
    views: Sequence[RuleGroupView],
    places: Sequence[EntryPlace],
    queries: Queries,
    language: str,
    speed: float = 1.0,
) -> list[RuleCardView]:
    """Every alerting rule: those that are shipped by the names under which they are changed, then all others.

    ``groups`` are those that run, ``views`` what they say now, ``places`` where changes are written. ``speed`` is what
    the durations of rules that run are divided by; shipped rules are shown as they are written.
    """
    found = [*_shipped(defaults, views, places, language, speed), *_own(groups, views, places)]
    values = 0
    for index, one in enumerate(found):
        expr = _measured_of(one) if one.enabled and not one.logs and values < _MOST_VALUES else None
        if expr is not None:
            values += 1
            found[index] = replace(one, value=await _value(queries, expr, lowest=is_lower_bound(_parsed(one))))
    return found


def _shipped(
    defaults: DefaultRules,
    views: Sequence[RuleGroupView],
    places: Sequence[EntryPlace],
    language: str,
    speed: float,
) -> Iterator[RuleCardView]:
    states = _states(views)
    written = {one.name: one for one in places if one.section == TUNING and one.holds}
    for name, rules in names_of(shipped_groups(language)).items():
        if len(rules) > 1:
            continue  # each of them follows under its own name
        rule = rules[0]
        change = defaults.changes.get(name) or defaults.changes.get(rule.alert) or RuleChange()
        now = _tuned(rule, name, change)
        severity = rule.labels.get("severity", "")
        enabled = defaults.enabled and change.enabled
        place = written.get(name)
        yield RuleCardView(
            name,
            rule.alert,
            shipped=True,
            managed=place is not None and place.managed,
            changed=change != RuleChange(),
            enabled=enabled,
            expr=now.query,
            severity=now.labels.get("severity", ""),
            for_seconds=now.for_ms / 1000,
            threshold=threshold_of(now),
            unit=_unit_of(now),
            state=states.get((rule.alert, _running(now, speed).query), "unknown") if enabled else "off",
            summary=now.annotations.get("summary", ""),
            file=place.file if place else "",
            line=place.line if place else 0,
            shipped_threshold=threshold_of(rule),
            shipped_for=rule.for_ms / 1000,
            shipped_severity=severity,
            writable=place is None or place.managed,
        )


def _own(
    groups: Sequence[RuleGroup], views: Sequence[RuleGroupView], places: Sequence[EntryPlace]
) -> Iterator[RuleCardView]:
    states = _states(views)
    managed = {one.name: one for one in places if one.section == ALERTS and one.managed}
    for group in groups:
        if group.file in _SHIPPED_FILES or group.file == "objectives":
            continue
        for rule in alerting_rules([group]):
            place = managed.get(rule.alert)
            ours = place is not None and place.file == group.file
            yield RuleCardView(
                rule.alert,
                rule.alert,
                shipped=False,
                managed=ours,
                changed=False,
                enabled=True,
                expr=rule.query,
                severity=rule.labels.get("severity", ""),
                for_seconds=rule.for_ms / 1000,
                threshold=threshold_of(rule) if rule.logs is None else None,
                unit=_unit_of(rule) if rule.logs is None else "",
                state=states.get((rule.alert, rule.query), "unknown"),
                summary=rule.annotations.get("summary", ""),
                file=rule.file,
                line=rule.line,
                writable=ours,
                logs=rule.logs is not None,
                range_seconds=rule.logs.range_ms / 1000 if rule.logs is not None else 0.0,
            )


def _unit_of(rule: AlertingRule) -> str:
    found = measured(rule)
    return "" if found is None else unit_of(found)


def _states(views: Sequence[RuleGroupView]) -> Mapping[tuple[str, str], str]:
    rules: list[RuleView] = [rule for group in views for rule in group.rules if rule.type == "alerting"]
    return {(rule.name, rule.query): rule.state for rule in rules}


def _running(rule: AlertingRule, speed: float) -> AlertingRule:
    """A rule as it runs at a speed."""
    return next(alerting_rules([scale(RuleGroup("", (rule,)), speed)])) if speed != 1 else rule


def _tuned(rule: AlertingRule, name: str, change: RuleChange) -> AlertingRule:
    """A shipped rule with a change, also one that switches it off."""
    group = RuleGroup("", (rule,))
    found = tuned([group], {name: replace(change, enabled=True)})
    return next(alerting_rules(found))


def _parsed(card: RuleCardView) -> AlertingRule:
    return AlertingRule(card.alert, card.expr, parse(card.expr))


def _measured_of(card: RuleCardView) -> str | None:
    expr = measured(_parsed(card))
    return None if expr is None else format_expr(expr)


async def _value(queries: Queries, expr: str, *, lowest: bool) -> float | None:
    """The value of what a rule measures that is nearest to firing, None where it is nothing or takes long."""
    try:
        found = await queries.instant(expr, timeout_ms=_VALUE_TIME)
    except QueryError:
        return None
    values = [point[1] for series in found.series for point in series.points if math.isfinite(point[1])]
    return min(values, default=None) if lowest else max(values, default=None)


async def preview(wanted: WantedRule, queries: Queries, clock: Clock, language: str) -> PreviewView:
    """What a rule would have done in the last day: looked at each minute.

    Raises:
        QueryError: the expression cannot be evaluated.
        NotFoundError: there is no shipped rule of the name.
    """
    rule = _wanted_rule(wanted, language)
    now = clock.now()
    end = now - now % _STEP
    start = end - _DAY
    found = await queries.range(rule.query, start, end, _STEP)
    times = [one for series in found.series for one in firings([at for at, value in series.points], _STEP, rule.for_ms)]
    compared = measured(rule)
    highest = lowest = value = None
    points: tuple[tuple[int, float], ...] = ()
    if compared is not None:
        shown = await queries.range(format_expr(compared), start, end, _DAY // _POINTS)
        worst = min if is_lower_bound(rule) else max
        points = _worst(worst, (point for series in shown.series for point in series.points))
        seen = [one for series in shown.series for _, one in series.points if math.isfinite(one)]
        highest, lowest = max(seen, default=None), min(seen, default=None)
        value = points[-1][1] if points else None
    return PreviewView(
        fired=len(times),
        series=sum(bool(series.points) for series in found.series),
        firing=tuple(sorted(times)[:_SHOWN]),
        hours=_DAY / 3_600_000,
        step_seconds=_STEP / 1000,
        expr=rule.query,
        threshold=threshold_of(rule),
        value=value,
        highest=highest,
        lowest=lowest,
        points=points,
    )


def _worst(
    worst: Callable[[float, float], float], points: Iterator[tuple[int, float]]
) -> tuple[tuple[int, float], ...]:
    """The value of all series that is nearest to firing, at each instant."""
    found: dict[int, float] = {}
    for at, value in points:
        if math.isfinite(value):
            found[at] = worst(value, found.get(at, value))
    return tuple(sorted(found.items()))


def _wanted_rule(wanted: WantedRule, language: str) -> AlertingRule:
    if wanted.name:
        rules = names_of(shipped_groups(language)).get(wanted.name, [])
        if len(rules) != 1:
            raise NotFoundError(f"there is no shipped rule {wanted.name!r}")
        change = RuleChange(threshold=wanted.threshold, for_ms=wanted.for_ms)
        return _tuned(rules[0], wanted.name, change)
    try:
        expr = parse(wanted.expr)
    except PromQLError as error:
        raise QueryError(str(error), getattr(error, "position", -1)) from None
    return AlertingRule("preview", wanted.expr, expr, wanted.for_ms or 0)
