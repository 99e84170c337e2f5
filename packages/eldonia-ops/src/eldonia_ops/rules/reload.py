"""What is remembered of rule groups when other ones take their place.

A rule that is still there keeps its alerts and their clocks, at any place in its group; so does one that
moved to another group or file. Prometheus copies the state of rules of the same name and labels (rules/group.go,
``CopyState``). Beyond that: an alert whose ``for`` became longer than it has been active is pending again, and one
whose labels are written otherwise keeps its clock under its new labels.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.rules.alerting import ALERT_NAME
from eldonia_ops.rules.groups import AlertingRule, RecordingRule, Rule, RuleGroup
from eldonia_ops.rules.rendering import Render, RuleRenderer, querying
from eldonia_ops.rules.state import ActiveAlert, AlertState, RuleGroupState, RuleState

_NOTHING: Final = RuleState()


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """What is remembered of one group: its state and, by rule key, the series that its last evaluation wrote."""

    state: RuleGroupState = field(default_factory=RuleGroupState)
    written: Mapping[str, frozenset[Labels]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a change of the groups leads to.

    ``memory`` holds every group that runs from now on, by key. ``changed`` names those whose state has to be stored,
    ``removed`` those whose stored state has to go. ``ended`` are alerts that the router knows as firing and that no
    rule holds up any more. ``stale`` are series, by the key of the rule that wrote them, that nothing writes any more.
    """

    memory: Mapping[str, GroupMemory]
    changed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    ended: tuple[Alert, ...] = ()
    stale: Mapping[str, frozenset[Labels]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A rule at its place."""

    group: str
    key: str
    rule: Rule


def reload(
    before: Sequence[RuleGroup],
    after: Sequence[RuleGroup],
    memory: Mapping[str, GroupMemory],
    now: int,
    *,
    render: Render | None = None,
) -> Reloaded:
    """Carry what is remembered from one set of groups to another at an instant (Unix ms).

    ``memory`` is by group key; a group that is not in it has not been evaluated yet. ``render`` expands the labels that
    an alert gets by its rule's new templates. Equal groups lead to the same memory and to nothing else.
    """
    render = render or RuleRenderer()
    old = [_Placed(group.key, key, rule) for group in before for key, rule in group.keyed_rules()]
    new = [_Placed(group.key, key, rule) for group in after for key, rule in group.keyed_rules()]
    matches = _matched(old, new)
    states: dict[str, dict[str, RuleState]] = {group.key: {} for group in after}
    written: dict[str, dict[str, frozenset[Labels]]] = {group.key: {} for group in after}
    dropped: list[Alert] = []
    for place in new:
        source = matches.get(place.key)
        if source is None:
            continue
        known = memory.get(source.group, GroupMemory())
        if source.key in known.state.rules:
            state, ended = _carried(source.rule, place.rule, known.state.rules[source.key], now, render)
            states[place.group][place.key] = state
            dropped += ended
        if source.key in known.written:
            written[place.group][place.key] = known.written[source.key]
    kept = {source.key for source in matches.values()}
    stale: dict[str, frozenset[Labels]] = {}
    for place in old:
        if place.key not in kept:
            known = memory.get(place.group, GroupMemory())
            dropped += _ended(place.rule, known.state.rule(place.key).alerts.values(), now)
            stale[place.key] = known.written.get(place.key, frozenset())
    found = {group.key: _memory(memory.get(group.key), states[group.key], written[group.key]) for group in after}
    return Reloaded(
        found,
        frozenset(key for key, one in found.items() if one.state != memory.get(key, GroupMemory()).state),
        frozenset(group.key for group in before) - frozenset(found),
        _not_held_up(dropped, found.values()),
        _not_written(stale, written.values()),
    )


def _memory(
    before: GroupMemory | None, rules: dict[str, RuleState], written: dict[str, frozenset[Labels]]
) -> GroupMemory:
    if before is not None and before.state.rules == rules and before.written == written:
        return before
    at = (
        before.state.last_evaluation_at
        if before
        else max((one.last_evaluation_at for one in rules.values()), default=0)
    )
    return GroupMemory(RuleGroupState(rules, at), written)


def _matched(old: Sequence[_Placed], new: Sequence[_Placed]) -> dict[str, _Placed]:
    """The old rule that each new one continues, by the new one's key.

    First rules that are the same in the same group; then, in the same group, those of the same name that ask the same
    or have the same labels; then those that are the same in another group.
    """
    found: dict[str, _Placed] = {}
    taken: set[str] = set()

    def match(identity_of: Callable[[_Placed], object]) -> None:
        left: dict[object, list[_Placed]] = {}
        for place in old:
            if place.key not in taken:
                left.setdefault(identity_of(place), []).append(place)
        for place in new:
            candidates = left.get(identity_of(place))
            if place.key not in found and candidates:
                found[place.key] = candidates.pop(0)
                taken.add(found[place.key].key)

    match(lambda place: (place.group, *_identity(place.rule)))
    match(lambda place: (place.group, _kind(place.rule), place.rule.labels))
    match(lambda place: (place.group, _kind(place.rule), place.rule.query))
    match(lambda place: _identity(place.rule))
    return found


def _kind(rule: Rule) -> tuple[str, str]:
    return ("record" if isinstance(rule, RecordingRule) else "alert"), rule.name


def _identity(rule: Rule) -> tuple[object, ...]:
    return (_kind(rule), rule.query, rule.labels)


def _carried(old: Rule, new: Rule, state: RuleState, now: int, render: Render) -> tuple[RuleState, list[Alert]]:
    """The state of a rule under what it says now, and the alerts that end by it."""
    if not isinstance(old, AlertingRule) or not isinstance(new, AlertingRule):
        return state, []
    alerts: dict[str, ActiveAlert] = {}
    gone: list[ActiveAlert] = []
    for fingerprint, alert in state.alerts.items():
        changed = _under(old, new, alert, render)
        if changed is None or (changed is not alert and alert.state is AlertState.FIRING):
            gone.append(alert)
        if changed is None:
            continue
        if _waits_longer(old, new, changed, now):
            gone.append(alert)
            changed = replace(
                changed, state=AlertState.PENDING, fired_at=0, keep_since=0, last_sent_at=0, valid_until=0
            )
        key = fingerprint if changed.labels == alert.labels else changed.label_set.fingerprint_hex
        known = alerts.get(key)
        if known is None or changed.active_at < known.active_at:
            alerts[key] = changed
    if alerts == state.alerts:
        return state, []
    return replace(state, alerts=alerts), _ended(old, gone, now)


def _waits_longer(old: AlertingRule, new: AlertingRule, alert: ActiveAlert, now: int) -> bool:
    """Whether a firing alert has not been active for as long as its rule asks for now."""
    longer = new.for_ms > old.for_ms
    return longer and alert.state is AlertState.FIRING and now - alert.active_at < new.for_ms


def _under(old: AlertingRule, new: AlertingRule, alert: ActiveAlert, render: Render) -> ActiveAlert | None:
    """The alert with the labels that the rule gives it now; None when they cannot be known before an evaluation."""
    if new.labels == old.labels or alert.state is AlertState.INACTIVE:
        return alert
    before = old.labels
    series = {name: value for name, value in alert.labels.items() if name != ALERT_NAME and name not in before}
    labels = dict(series)
    for name, text in new.labels.items():
        if text == before.get(name) and name in alert.labels:
            labels[name] = alert.labels[name]
        elif querying([text]):
            return None
        else:
            labels[name] = render(text, Labels(series), alert.number)
    labels[ALERT_NAME] = new.alert
    changed = dict(Labels(labels))
    if changed == alert.labels:
        return alert
    return replace(alert, labels=changed, last_sent_at=0, valid_until=0)


def _ended(rule: Rule, alerts: Iterable[ActiveAlert], now: int) -> list[Alert]:
    """The alerts among some that the router knows as firing, as it hears of their end."""
    found: list[Alert] = []
    for alert in alerts:
        if alert.state is AlertState.FIRING and alert.last_sent_at:
            evidence = {"resolved_at": now, "reason": f"the rule {rule.name} was changed or removed"}
            found.append(
                Alert(
                    alert.label_set,
                    Labels(alert.annotations),
                    alert.fired_at,
                    now,
                    now,
                    source="rule",
                    evidence=evidence,
                )
            )
    return found


def _not_held_up(alerts: Iterable[Alert], found: Iterable[GroupMemory]) -> tuple[Alert, ...]:
    """Without those that another rule has firing."""
    firing = {
        fingerprint
        for memory in found
        for state in memory.state.rules.values()
        for fingerprint, alert in state.alerts.items()
        if alert.state is AlertState.FIRING
    }
    unique = {alert.fingerprint: alert for alert in alerts}
    return tuple(alert for fingerprint, alert in unique.items() if fingerprint not in firing)


def _not_written(
    stale: Mapping[str, frozenset[Labels]], written: Iterable[Mapping[str, frozenset[Labels]]]
) -> dict[str, frozenset[Labels]]:
    """Without those that another rule writes."""
    alive = frozenset().union(*(series for one in written for series in one.values()))
    return {key: left for key, series in stale.items() if (left := series - alive)}
