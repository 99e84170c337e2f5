"""What the platform says is known in both languages, and every known sentence is one that it says."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

import eldonia_ops
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.protocols.shipped_sentences import (
    _declared,
    described,
    forms_of_template,
    said,
    said_of_alert,
    worded_entry,
    worded_incident,
    wording_of_alerts,
)
from eldonia_ops.rules import AlertingRule, RuleRenderer
from eldonia_ops.rules.tuning import RuleChange, alerting_rules, names_of, tuned
from eldonia_ops.template import QuerySample

SOURCE = Path(eldonia_ops.__file__).parent
JAPANESE = re.compile(r"[\u3040-\u30ff\u4e00-\u9fff]")
NOT_OURS = ("system", "databases")
"""Areas whose sentences are of the C library, OpenSSL, PostgreSQL, Redis and httpx."""


def rules(language: str) -> list[AlertingRule]:
    return list(alerting_rules(shipped_groups(language)))


@pytest.mark.parametrize("reason", ["connection refused: nothing listens there", "another one", ""])
def test_every_text_of_a_shipped_rule_is_said_as_its_other_template_says_it(reason: str) -> None:
    answers = {}
    samples = [QuerySample(Labels({"reason": reason}), 1.0)] if reason else []
    labels = Labels({"job": "shop", "instance": "web-1:9100", "probe": "front", "mountpoint": "/data",
                     "device": "/dev/sda1", "datname": "orders", "service": "shop", "__name__": "pg_up"})  # fmt: skip
    for other in ("postgresql", "shop"):
        series = Labels({**labels, "job": other})
        for english, japanese in zip(rules("en"), rules("ja"), strict=True):
            assert english.alert == japanese.alert
            for name, template in english.annotations.items():
                render = {}
                for language, rule in (("en", english), ("ja", japanese)):
                    known = RuleRenderer(answers=answers, wording=wording_of_alerts(language))
                    for question in known.unanswered([template], [(series, 12.5)]):
                        answers[question] = samples
                    render[language] = known.knowing(answers)(rule.annotations[name], series, 12.5)
                assert said_of_alert(render["en"], "ja") == render["ja"], template
                assert said_of_alert(render["ja"], "en") == render["en"], template
                assert said_of_alert(render["en"], "en") == render["en"]
                assert JAPANESE.search(render["ja"])
                if reason.startswith("connection"):
                    assert "connection refused" not in render["ja"]


def test_a_threshold_that_was_tuned_is_no_obstacle() -> None:
    changes = {name: RuleChange(threshold=0.625) for name in names_of(shipped_groups())}
    english, japanese = (list(alerting_rules(tuned(shipped_groups(one), changes))) for one in ("en", "ja"))
    labels = Labels({"job": "shop", "instance": "web-1", "mountpoint": "/d", "device": "sda", "datname": "o"})
    seen = 0
    for one, other in zip(english, japanese, strict=True):
        if "0.625" in one.annotations["description"]:
            seen += 1
            texts = [RuleRenderer()(rule.annotations["description"], labels, 3.0) for rule in (one, other)]
            assert said_of_alert(texts[0], "ja") == texts[1]
    assert seen > 8


def test_both_languages_of_a_sentence_lead_to_each_other() -> None:
    for area, sentences in _declared().items():
        for forms in sentences:
            values = {hole.name: "7" for form in forms.values() for hole in form.holes}
            english, japanese = forms["en"].put(values), forms["ja"].put(values)
            assert said(english, "ja") == japanese, area
            assert JAPANESE.search(japanese) or not JAPANESE.search(forms["ja"].put(values))


@cache
def texts_of_source() -> str:
    """All texts of the source, with their concatenations joined and each value a NUL."""
    found: list[str] = []
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append(_template(node))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n\n".join(found)


def _template(node: ast.JoinedStr) -> str:
    def one(part: ast.expr) -> str:
        if isinstance(part, ast.Constant):
            return str(part.value)
        return "'\0'" if isinstance(part, ast.FormattedValue) and part.conversion == ord("r") else "\0"

    return "".join(map(one, node.values))


def pairs(text: str) -> set[tuple[str, str]]:
    """The words that follow each other."""
    words = re.findall(r"[A-Za-z_']+|[^A-Za-z_'\s]+|\n", text)
    return set(pairwise(words))


def test_no_sentence_is_known_that_nothing_says() -> None:
    said_somewhere = pairs(texts_of_source())
    unsaid = [
        (area, piece)
        for area, sentences in _declared().items()
        if area not in NOT_OURS
        for forms in sentences
        for piece in forms["en"].pieces
        # Where a sentence is put together of two texts, one pair of its words stands nowhere.
        if len(missing := pairs(piece) - said_somewhere) > 1 and len(missing) >= len(pairs(piece)) / 3
    ]
    assert unsaid == [("discovery", "; /metrics gave 1 metric"), ("discovery", " (permission denied)")]  # put together


RAISED = {
    "collectors/scrape/loop.py": ("ScrapeError",),
    "collectors/response_body.py": ("BodyError",),
    "collectors/probe/http.py": ("_Outcome",),
    "collectors/nginx/source.py": ("ValueError",),
    "collectors/tail/follow.py": ("fail",),
    "collectors/tail/delivery.py": ("fail",),
    "collectors/tail/discovery.py": ("TargetStatus",),
    "collectors/journal/follow.py": ("_fail",),
    "alerting/notification.py": ("NotificationDecision",),
    "http_client/endpoint.py": ("Delivery",),
    "discovery/proposal.py": ("Entry",),
    "services/saved_searches.py": ("NotFoundError", "RefusedError"),
    "services/incidents/incidents.py": ("NotFoundError", "PreconditionError"),
    "services/alerts/alerts.py": ("NotFoundError", "RefusedError"),
}
"""What says sentences that pages show, by file."""
PUT_TOGETHER = ("docker keeps the output of 7 there", "it let us in without a password7", "7; /metrics gave 7")
"""Sentences with a part of their own words filled in; each way of it is known."""


def spoken(path: str, names: tuple[str, ...]) -> Iterator[str]:
    """Texts that are given to functions of these names."""
    for node in ast.walk(ast.parse((SOURCE / path).read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if called in names:
            for given in (*node.args, *(one.value for one in node.keywords)):
                if isinstance(given, ast.JoinedStr):
                    yield _template(given).replace("\0", "7")
                elif isinstance(given, ast.Constant) and isinstance(given.value, str) and " " in given.value:
                    yield given.value


@pytest.mark.parametrize("path", RAISED)
def test_what_pages_show_of_a_module_is_known(path: str) -> None:
    found = list(spoken(path, RAISED[path]))
    assert found, "nothing of these names is called: the test looks at the wrong place"
    assert [
        text
        for text in found
        if re.search(r"[a-z]{3} [a-z]", text) and said(text, "ja") == text and text not in PUT_TOGETHER
    ] == []


def test_what_people_write_stays() -> None:
    for text in ("shop depends on db", "deploy failed with 7", "mail took too long"):
        assert said_of_alert(text, "ja") == text
    entry = TimelineEntry(1, "i", 1, "human.note", "hana", {"text": "timed out", "detail": "timed out"})
    assert worded_entry(entry, "ja") is entry


def test_what_a_timeline_quotes_is_said_in_the_language_of_its_reader() -> None:
    data = {
        "summary": "front does not answer as it should",
        "detail": "timed out",
        "alertname": "ProbeFailed",
        "value": 1,
    }
    entry = TimelineEntry(1, "i", 1, "alert.firing", "", data)
    assert worded_entry(entry, "ja").data == {
        **data, "summary": "front が正しく応答しません", "detail": "タイムアウトしました"
    }  # fmt: skip
    assert worded_entry(entry, "en") is entry


def test_an_incident_has_the_words_of_its_alert() -> None:
    incident = Incident(
        id="1",
        ordinal=1,
        status=IncidentStatus.OPEN,
        service="shop",
        title="front does not answer as it should",
        severity=Severity.CRITICAL,
        description="cannot reach the webhook: [Errno 111] Connection refused",
    )
    now = worded_incident(incident, "ja")
    assert now.title == "front が正しく応答しません"
    assert now.description == "Webhook に接続できません：接続が拒否されました（errno 111）"
    assert described(now.title, "en") == incident.title


def test_a_template_has_a_form_for_each_way_through_it() -> None:
    found = forms_of_template(
        "a {{ if $x }}b {{ $y }}{{ else }}c{{ end }} d{{ range query $z }}: {{ .Labels.reason }}{{ end }}."
    )
    assert [form.pieces for form in found] == [
        ("a b ", " d: ", "."), ("a b ", " d."), ("a c d: ", "."), ("a c d.",),
    ]  # fmt: skip
    assert [hole.kind for form in found for hole in form.holes] == ["text", "said", "text", "said"]
