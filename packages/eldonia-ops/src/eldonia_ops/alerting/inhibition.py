"""Which firing alert keeps another one quiet: by an inhibit rule, or because both are of one outage.

Source: https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from eldonia_ops.alerting.causes import Causes, Outages, wanted_causes
from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match

_MOST_WANTED = 100  # beyond that, to look at every alert costs less than to ask for the right ones


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """While an alert matching ``source_matchers`` fires, alerts matching ``target_matchers`` stay quiet,
    if both have the same values for every label in ``equal`` (missing equals empty)."""

    source_matchers: tuple[Matcher, ...]
    target_matchers: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    name: str = ""
    line: int = 0

    def values(self, labels: Mapping[str, str]) -> tuple[str, ...]:
        """The values of the ``equal`` labels."""
        return tuple(labels.get(name, "") for name in self.equal)


@dataclass(frozen=True, slots=True)
class Inhibition:
    """Why an alert stays quiet: the firing alert because of which it does, and the rule, None within an outage.

    ``reason`` is what the two share. Within an outage the source speaks for the alert, so a receiver that is not
    notified of the source has to be notified of the alert.
    """

    source: Alert
    reason: str
    rule: InhibitRule | None = None


def wanted_inhibiting(
    rules: Sequence[InhibitRule], outages: Outages | None, targets: Iterable[Alert]
) -> list[dict[str, str]]:
    """What the sources that could inhibit any of these alerts have in common, as :func:`wanted_sources` gives it."""
    some = list(targets)
    found = wanted_sources(rules, (alert.labels for alert in some))
    if outages is not None:
        found += [labels for labels in wanted_causes(outages, some) if labels not in found]
    return [{}] if len(found) > _MOST_WANTED else found


def wanted_sources(rules: Sequence[InhibitRule], targets: Iterable[Labels]) -> list[dict[str, str]]:
    """What the sources that could inhibit any of these alerts have in common: each carries all labels of at least
    one of the answers (one that is empty is met by every alert)."""
    wanted: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    labels_of_targets = list(targets)
    for rule in rules:
        fixed = {item.name: item.value for item in rule.source_matchers if item.op is MatchOp.EQUAL and item.value}
        for labels in labels_of_targets:
            if all_match(rule.target_matchers, labels):
                shared = {name: labels[name] for name in rule.equal if labels.get(name)}
                # Where both name a label and differ, the rule cannot apply.
                if all(fixed.get(name, value) == value for name, value in shared.items()):
                    both = {**fixed, **shared}
                    wanted[tuple(sorted(both.items()))] = both
        if len(wanted) > _MOST_WANTED:
            return [{}]
    return list(wanted.values())


class Inhibitor:
    """The alerts that inhibit at one instant, arranged for looking up."""

    def __init__(
        self, rules: Sequence[InhibitRule], alerts: Iterable[Alert], now: int, outages: Outages | None = None
    ) -> None:
        firing = [alert for alert in alerts if not alert.resolved(now)]
        self._causes = None if outages is None else Causes(outages, firing)
        self._rules = rules
        self._sources: list[dict[tuple[str, ...], list[Alert]]] = [{} for _ in rules]
        for alert in firing:
            for rule, sources in zip(rules, self._sources, strict=True):
                if all_match(rule.source_matchers, alert.labels):
                    sources.setdefault(rule.values(alert.labels), []).append(alert)

    def inhibiting(self, alert: Alert) -> Iterator[Inhibition]:
        """What inhibits an alert, rules first.

        An alert that matches both sides of a rule is not inhibited by alerts of which the same is
        true, itself included.
        """
        labels = alert.labels
        for rule, sources in zip(self._rules, self._sources, strict=True):
            same = sources.get(rule.values(labels))
            if not same or not all_match(rule.target_matchers, labels):
                continue
            two_sided = all_match(rule.source_matchers, labels)
            for source in same:
                if two_sided and all_match(rule.target_matchers, source.labels):
                    continue
                shared = ", ".join(f"{name}={labels.get(name, '')!r}" for name in rule.equal)
                yield Inhibition(source, shared, rule)
        if self._causes is not None:
            for cause in self._causes.of(alert):
                yield Inhibition(cause.source, cause.reason)
