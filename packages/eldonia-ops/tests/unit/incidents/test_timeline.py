import re
import string
from zoneinfo import ZoneInfo

import pytest

from eldonia_ops.incidents.timeline import (
    KINDS,
    Category,
    category,
    condensed,
    describe,
    format_span,
    format_time,
    word,
)
from eldonia_ops.model.incidents import TimelineEntry
from eldonia_ops.recovery import machine

AT = 1_763_930_885_000
FIELD = re.compile(r"\{(\w+)(?::\w+)?\}")
REQUIRED = {
    "respond_by": AT,
    "next_attempt_at": AT,
    "due_at": AT,
    "value": 0.1234567,
    "threshold": 5,
    "attempt": 2,
    "max_attempts": 3,
    "count": 7,
    "successes": 2,
    "failures": 3,
    "attempts": 3,
}
SPANS = ("lasted", "after", "down_for", "window", "quiet")


def facts(template):
    names = set(FIELD.findall(template))
    return {
        name: REQUIRED.get(
            name, 90_000 if name in SPANS else "critical" if name in ("severity", "from", "to") else f"<{name}>"
        )
        for name in names
    }


def entry(kind, data, actor="yu"):
    return TimelineEntry(1, "i", AT, kind, actor, data)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_reads_in_both_languages(kind):
    both = KINDS[kind].en + KINDS[kind].ja
    assert set(FIELD.findall(KINDS[kind].en)) == set(FIELD.findall(KINDS[kind].ja))
    for language in ("en", "ja"):
        full = describe(entry(kind, facts(both)), language)
        bare = describe(entry(kind, {}), language)
        for text in (full, bare):
            assert not set("{}[]") & set(text)
            assert "None" not in text
        assert len(full) >= len(bare)
        for name, value in facts(both).items():
            if isinstance(value, str) and value.startswith("<") and name != "actor":
                assert value in full
    assert describe(entry(kind, {}), "en").isascii()
    assert not describe(entry(kind, {}), "ja").isascii()
    assert category(kind) in Category


def test_examples():
    fired = entry("alert.firing", {"alertname": "HighErrorRate", "severity": "critical", "value": 0.1234567})
    assert describe(fired) == "Alert HighErrorRate fired with severity critical, value 0.1235"
    assert describe(fired, "ja") == "アラート HighErrorRate が発報（深刻度 重大）、値 0.1235"
    zero = entry("alert.firing", {"alertname": "A", "value": 0.0})
    assert describe(zero) == "Alert A fired, value 0"
    opened = entry("incident.opened", {"severity": "high", "service": "shop", "respond_by": AT})
    assert describe(opened, "en").endswith("for shop; response is due by 2025-11-23 20:48:05 UTC")
    assert "2025-11-24 05:48:05 JST" in describe(opened, "ja", ZoneInfo("Asia/Tokyo"))


def test_facts_cannot_break_out_of_the_sentence():
    note = entry("human.note", {"text": "{actor} [x] {0}"})
    assert describe(note) == "yu noted: {actor} [x] {0}"


def test_unknown_kinds_are_shown():
    assert describe(entry("future.kind", {})) == "future.kind"
    assert category("future.kind") is Category.SYSTEM


def test_recovery_speaks_only_of_known_kinds():
    with open(machine.__file__, encoding="utf-8") as file:
        said = set(re.findall(r'"(recovery\.\w+)"', file.read()))
    assert said
    assert said <= set(KINDS)


def test_spans_and_words():
    assert format_span(3_785_000) == "1h 3m 5s"
    assert format_span(3_785_000, "ja") == "1時間3分5秒"
    assert format_span(250) == "250ms"
    assert format_time(AT) == "2025-11-23 20:48:05 UTC"
    assert word("critical", "ja") == "重大"
    assert word("critical", "en") == "critical"
    assert all(char in string.printable for char in word("false_positive", "fr"))


def test_a_message_is_one_line_however_often_it_was_tried():
    def line(kind, key):
        return TimelineEntry(0, "i", 0, f"notification.{kind}", key=f"notification.{kind}:{key}:1")

    other = TimelineEntry(0, "i", 0, "incident.opened", key="incident.opened:1")
    entries = [other, line("queued", "a"), line("queued", "b"), line("retry", "b"), line("queued", "c")]
    entries += [line("delivered", "a"), line("failed", "b")]
    assert [(entry.kind, entry.key.split(":")[1]) for entry in condensed(entries)] == [
        ("incident.opened", "1"),
        ("notification.queued", "c"),
        ("notification.delivered", "a"),
        ("notification.failed", "b"),
    ]


@pytest.mark.parametrize(
    "expression", ["probe_success == 0", 'up{job!="x"} == 0', "redis_up < 1", '0 == up{path="a}b"}']
)
def test_what_is_up_or_down_has_no_value(expression: str) -> None:
    data = {"alertname": "ProbeFailed", "value": 0.0, "expression": expression}
    assert describe(entry("alert.pending", data)) == "The condition of ProbeFailed was first met"
    assert describe(entry("alert.firing", data)) == "Alert ProbeFailed fired"
    counted = {**data, "expression": "sum(up) < 3"}
    assert describe(entry("alert.pending", counted)).endswith("with the value 0")


def test_one_is_no_plural() -> None:
    data = {"service": "db", "successes": 1, "attempt": 1, "down_for": 3_000}
    text = describe(entry("recovery.verified", data))
    assert text == "db is healthy again, confirmed by 1 health check after 1 restart; down for 3s"
    assert "2 health checks after 3 restarts" in describe(
        entry("recovery.verified", {**data, "successes": 2, "attempt": 3})
    )


def test_a_tier_without_a_receiver_names_the_one_that_was_notified() -> None:
    data = {"tier": "infrastructure", "receiver": "", "default_receiver": "team", "due_at": 0}
    assert describe(entry("escalation.tier", data)).endswith("escalated to infrastructure (receiver team)")
    assert describe(entry("escalation.tier", {**data, "receiver": "pager"})).endswith("(receiver pager)")
