"""Rules on the page on which they are changed, and what a rule would have done."""

from dataclasses import replace

import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.promql import parse
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.groups import AlertingRule, RuleGroup, scale
from eldonia_ops.rules.tuning import RuleChange, alerting_rules, tuned
from eldonia_ops.services.api import NotFoundError, QueryError, QueryResult, RuleGroupView, RuleView, Series
from eldonia_ops.services.api.managed import WantedRule
from eldonia_ops.services.rules.cards import preview, rule_cards
from eldonia_ops.settings import NO_DEFAULT_RULES, DefaultRules
from eldonia_ops.settings.managed import ALERTS, TUNING, EntryPlace

DAY = 86_400_000
NOW = 20_000 * DAY + 30_000


class At:
    def now(self) -> int:
        return NOW


class Answers:
    """Answers of a store by the beginning of the query."""

    def __init__(self, **series: list[tuple[int, float]]) -> None:
        self.series = series
        self.asked: list[str] = []

    async def instant(self, query: str, at_ms=None, *, lookback_ms: int = 0, timeout_ms: int = 0) -> QueryResult:
        self.asked.append(query)
        if "node_cpu" in query:
            return QueryResult("vector", [Series(Labels({"instance": name}), [(NOW, value)]) for name, value in
                                          (("a", 41.0), ("b", 43.0))])  # fmt: skip
        raise QueryError("too slow")

    async def range(self, query: str, start: int, end: int, step: int, **_) -> QueryResult:
        self.asked.append(query)
        self.range_asked = (start, end, step)
        return QueryResult("matrix", [Series(Labels(), points) for points in self.series.values()])


def view(rule: AlertingRule, state: str) -> RuleView:
    return RuleView(rule.alert, "alerting", rule.query, 0, 0, Labels(), Labels(), state, "ok", "", 0, 0)


async def test_shipped_rules_are_shown_as_they_hold_and_as_they_are_shipped() -> None:
    defaults = DefaultRules(
        True, {"HighCPUUsage": RuleChange(threshold=95, for_ms=60_000), "DiskFull": RuleChange(False)}
    )
    groups = tuned(shipped_groups(), defaults.changes)
    cpu = next(rule for rule in alerting_rules(groups) if rule.name == "HighCPUUsage")
    own = AlertingRule("Mine", "up == 0", parse("up == 0"), 5_000, 0, Labels({"severity": "info"}), file="/m.yml")
    groups.append(RuleGroup("managed", (own,), file="/m.yml"))
    views = [RuleGroupView("g", "f", 15, 0, 0, (view(cpu, "pending"), view(own, "firing")))]
    places = [
        EntryPlace(TUNING, "HighCPUUsage", "/m.yml", 4, managed=True),
        EntryPlace(TUNING, "DiskFull", "/etc/e.yml", 9, managed=False),
        EntryPlace(ALERTS, "Mine", "/m.yml", 7, managed=True),
    ]
    cards = {one.name: one for one in await rule_cards(defaults, groups, views, places, Answers(), "en")}  # type: ignore[arg-type]
    found = cards["HighCPUUsage"]
    assert (found.threshold, found.shipped_threshold, found.for_seconds, found.shipped_for) == (95, 80, 60, 900)
    assert (found.state, found.value, found.changed, found.managed, found.writable) == ("pending", 43, True, True, True)
    found = cards["DiskFull"]
    assert (found.enabled, found.state, found.writable, found.file, found.line) == (
        False,
        "off",
        False,
        "/etc/e.yml",
        9,
    )
    found = cards["Mine"]
    assert (found.shipped, found.managed, found.state, found.severity, found.threshold) == (
        False,
        True,
        "firing",
        "info",
        None,
    )
    assert {"CertificateExpiring.warning", "CertificateExpiring.critical"} <= cards.keys()
    assert cards["HighErrorRate"].value is None, "what takes too long is left out"


async def test_with_all_shipped_rules_off_they_are_shown_as_off() -> None:
    cards = await rule_cards(NO_DEFAULT_RULES, [], [], [], Answers(), "en")  # type: ignore[arg-type]
    assert {one.state for one in cards} == {"off"}


def minutes(*numbers: int) -> list[tuple[int, float]]:
    end = NOW - NOW % 60_000
    return [(end - DAY + number * 60_000, 90.0 + number % 7) for number in numbers]


async def test_a_preview_counts_how_often_it_would_have_fired() -> None:
    answers = Answers(one=minutes(*range(0, 31), *range(100, 105)), other=minutes(*range(200, 240)))
    found = await preview(WantedRule("HighCPUUsage", threshold=70), answers, At(), "en")  # type: ignore[arg-type]
    assert "> 70" in found.expr
    assert (found.fired, found.series, found.threshold) == (2, 2, 70), "five minutes are shorter than its fifteen"
    assert answers.range_asked[1] - answers.range_asked[0] == DAY
    found = await preview(WantedRule("HighCPUUsage", for_ms=60_000), answers, At(), "en")  # type: ignore[arg-type]
    assert found.fired == 3
    assert (found.highest, found.lowest) == (96, 90)
    found = await preview(WantedRule(expr="sum(x) > 5"), answers, At(), "en")  # type: ignore[arg-type]
    assert (found.fired, found.threshold) == (3, 5)
    assert "sum(x)" in answers.asked


async def test_what_cannot_be_previewed_is_said() -> None:
    with pytest.raises(NotFoundError, match="no shipped rule 'Nope'"):
        await preview(WantedRule("Nope"), Answers(), At(), "en")  # type: ignore[arg-type]
    with pytest.raises(QueryError):
        await preview(WantedRule(expr="sum("), Answers(), At(), "en")  # type: ignore[arg-type]


async def test_the_state_of_a_shipped_rule_is_found_when_rules_run_faster() -> None:
    cpu = next(
        rule for rule in alerting_rules([scale(one, 60) for one in shipped_groups()]) if rule.name == "HighCPUUsage"
    )
    views = [RuleGroupView("g", "f", 15, 0, 0, (view(cpu, "firing"),))]
    defaults = DefaultRules(True, {})
    cards = {one.name: one for one in await rule_cards(defaults, [], views, [], Answers(), "en", 60)}  # type: ignore[arg-type]
    assert (cards["HighCPUUsage"].state, cards["HighCPUUsage"].for_seconds) == ("firing", 900)


async def test_of_a_rule_that_fires_below_a_threshold_the_lowest_value_is_shown() -> None:
    text = "min by (instance) (node_cpu_free) < 2"
    own = AlertingRule("Low", text, parse(text), 0, 0, Labels())
    high = replace(own, alert="High", query=text.replace("<", ">"), expr=parse(text.replace("<", ">")))
    groups = [RuleGroup("g", (own, high), file="/m.yml")]
    cards = {one.name: one for one in await rule_cards(DefaultRules(False), groups, [], [], Answers(), "en")}  # type: ignore[arg-type]
    assert (cards["Low"].value, cards["High"].value) == (41, 43)
    answers = Answers(a=[(NOW, 5.0)], b=[(NOW, 1.5)])
    for rule, worst in ((own, 1.5), (high, 5.0)):
        assert (await preview(WantedRule("", rule.query), answers, At(), "en")).value == worst  # type: ignore[arg-type]
