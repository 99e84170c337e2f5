"""Which firing alert keeps another one quiet.

Source: https://prometheus.io/docs/alerting/latest/configuration/#inhibit_rule
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, all_match


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
    """Why an alert stays quiet: the rule, and the firing alert that it names."""

    rule: InhibitRule
    source: Alert


class Inhibitor:
    """The alerts that inhibit at one instant, arranged for looking up."""

    def __init__(self, rules: Sequence[InhibitRule], alerts: Iterable[Alert], now: int) -> None:
        self._rules = rules
        self._sources: list[dict[tuple[str, ...], list[Alert]]] = [{} for _ in rules]
        for alert in alerts:
            if alert.resolved(now):
                continue
            for rule, sources in zip(rules, self._sources, strict=True):
                if all_match(rule.source_matchers, alert.labels):
                    sources.setdefault(rule.values(alert.labels), []).append(alert)

    def inhibiting(self, labels: Labels) -> Inhibition | None:
        """What inhibits an alert with these labels, or None.

        An alert that matches both sides of a rule is not inhibited by alerts of which the same is
        true, itself included.
        """
        for rule, sources in zip(self._rules, self._sources, strict=True):
            if not all_match(rule.target_matchers, labels):
                continue
            two_sided = all_match(rule.source_matchers, labels)
            for source in sources.get(rule.values(labels), ()):
                if two_sided and all_match(rule.target_matchers, source.labels):
                    continue
                return Inhibition(rule, source)
        return None
