import re

import pytest

from eldonia_ops.incidents.events import (
    Acknowledge,
    AddNote,
    AlertFiring,
    AlertResolved,
    AppendTimeline,
    Deadline,
    NotificationOutcome,
    RecoveryEvent,
    SetFields,
    TickChecklist,
)
from eldonia_ops.incidents.lifecycle import step
from eldonia_ops.incidents.policy import MINUTE, Policy
from eldonia_ops.incidents.postmortem import draft
from eldonia_ops.incidents.runbook import Runbook, RunbookPhase, Step, Text
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.labels import Labels

NOW = 1_700_000_000_000
RUNBOOK = Runbook(
    phases=(RunbookPhase("assess", Text("Understand", "状況把握")),),
    steps=(Step("look", "assess", Text("Look at it", "見る")), Step("think", "assess", Text("Think", "考える"))),
)
POLICY = Policy(runbook=RUNBOOK)


def alert():
    labels = Labels({"alertname": "PaymentGatewayError", "severity": "critical", "service": "payment"})
    return Alert(labels, Labels({"summary": "Payments fail"}), NOW, UNTIL_RESOLVED, evidence={"value": 0.4})


def story(*events):
    incident, entries, now = None, [], NOW
    for event in (AlertFiring(alert(), NOW - 2 * MINUTE, 12), *events):
        incident, effects = step(incident, event, now, POLICY)
        entries += [effect.entry for effect in effects if isinstance(effect, AppendTimeline)]
        now += 5 * MINUTE
    return incident, entries, now


FULL = (
    NotificationOutcome("retry", "team", "slack", "k", attempt=1, detail="503"),
    NotificationOutcome("delivered", "team", "slack", "k", attempt=2),
    RecoveryEvent("recovery.attempt", NOW + 1, {"service": "payment", "attempt": 1, "max_attempts": 3}),
    Deadline(),
    Acknowledge("yu"),
    TickChecklist("yu", "look"),
    AddNote("yu", "# not a heading [T99] <b>|x|\n\n## nor this"),
    SetFields("yu", {"root_cause": "expired certificate", "impact": {"users": 40, "revenue": 1234.5}}),
    AlertResolved(alert()),
)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_statement_names_evidence_that_exists(language):
    incident, entries, now = story(*FULL)
    text = draft(incident, entries, now, language=language, runbook=RUNBOOK)
    body, appendix = re.split(r"^## (?:Appendix|付録)", text, maxsplit=1, flags=re.MULTILINE)
    listed = set(re.findall(r"^\| (T\d+) \|", appendix, flags=re.MULTILINE))
    assert len(listed) == len(entries)
    cited = set(re.findall(r"(?<!\\)\[(T\d+)\]", "\n".join(body.splitlines()[4:])))
    assert cited <= listed
    assert len(cited) > 10
    for line in body.splitlines():
        if line.startswith("- ") and not line.startswith("- [ ]"):
            assert re.search(r"\[T\d+\]", line), line
    assert "\n## nor this" not in text
    assert "<b>" not in text
    assert r"\[T99\]" in text


def test_what_the_record_says():
    incident, entries, now = story(*FULL)
    text = draft(incident, entries, now, runbook=RUNBOOK)
    assert text.startswith("# Postmortem INC-12: Payments fail\n")
    assert "From the first evidence of the fault to detection: 2m [T1] [T3]" in text
    assert "From detection to acknowledgement: 25m" in text
    assert "From detection to resolution: 45m" in text
    assert "was missed" in text
    assert "team (slack): delivered 1×" in text
    assert "Users affected: 40" in text
    assert "expired certificate [T" in text
    assert "- [ ] Understand: Think" in text
    assert "Look at it" not in text
    assert text.count("**To be written by people.**") == 3  # resolution, lessons, measures


def test_what_the_record_does_not_say_is_not_claimed():
    incident, entries, now = story()
    text = draft(incident, entries, now, language="ja", runbook=RUNBOOK)
    assert "対応開始の記録はない" in text
    assert "解決の記録はない" in text
    assert "通知の記録はない" in text
    assert "自動復旧の記録はない" in text
    assert "影響を受けた利用者数" not in text
    assert text.count("**担当者が記入すること。**") == 5
    bare = draft(incident, [], now)
    assert "had severity" not in bare
    assert "From" not in bare
