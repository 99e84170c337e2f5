import pytest

from eldonia_ops.incidents.runbook import GENERAL, PHASES
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.model.incidents import Severity
from eldonia_ops.protocols.runbook_file import default_runbook, parse_runbook

RUNBOOK = default_runbook()


def test_the_shipped_runbook_reads_in_both_languages():
    assert [phase.key for phase in RUNBOOK.phases] == list(PHASES)
    steps = [*RUNBOOK.steps, *(step for playbook in RUNBOOK.playbooks for step in playbook.steps)]
    assert len(steps) > 40
    for step in steps:
        assert step.text.en.isascii()
        assert not step.text.ja.isascii()


def test_severities_differ_as_the_procedure_says():
    keys = {severity: {step.key for step in RUNBOOK.steps_for(severity, GENERAL)} for severity in Severity}
    assert {"call-everyone", "tell-management", "call-vendor", "round-the-clock"} <= keys[Severity.CRITICAL]
    assert "call-development-and-infrastructure" in keys[Severity.HIGH] - keys[Severity.CRITICAL]
    assert "plan-recovery" in keys[Severity.MEDIUM] - keys[Severity.HIGH]
    assert "acknowledge" in keys[Severity.INFO]
    assert len(keys[Severity.LOW]) < len(keys[Severity.MEDIUM])


@pytest.mark.parametrize(
    ("alertname", "service", "playbook"),
    [
        ("PaymentGatewayError", "payment", "payment-gateway"),
        ("ServiceDown", "shop", "service-down"),
        ("ServiceDown", "payment", "service-down"),
        ("SecurityFailedLogin", "security", "security"),
        ("Unheard", "of", GENERAL),
    ],
)
def test_playbooks(alertname, service, playbook):
    assert RUNBOOK.select(alertname, service) == playbook
    keys = [item.key for item in RUNBOOK.checklist(Severity.CRITICAL, playbook)]
    assert any(key.startswith(f"{playbook}/") for key in keys) == (playbook != GENERAL)
    phases = [item.phase for item in RUNBOOK.checklist(Severity.CRITICAL, playbook)]
    assert phases == sorted(phases, key=PHASES.index)


def faults(text):
    with pytest.raises(ConfigError) as caught:
        parse_runbook(text, "r.yml")
    return [str(item) for item in caught.value.diagnostics]


def test_faults_name_their_place():
    found = faults(
        "steps:\n"
        "  - key: a\n"
        "    phase: asess\n"
        "    text: {en: one, ja: 一}\n"
        "  - key: a\n"
        "    phase: assess\n"
        "    severities: [grave]\n"
        "    txet: two\n"
        "playbooks:\n"
        "  - key: p\n"
        "    title: t\n"
    )
    assert any(item.startswith("r.yml:3:12: error: phase cannot be 'asess'") and "assess" in item for item in found)
    assert any("occurs twice" in item and "line 2" in item for item in found)
    assert any("no such severity: 'grave'" in item for item in found)
    assert any("unknown key 'txet'" in item and "did you mean 'text'?" in item for item in found)
    assert any("never applies" in item for item in found)


def test_one_language_and_no_phases_will_do():
    runbook = parse_runbook("steps: [{key: a, phase: assess, text: look}]", "r.yml")
    rows = runbook.display(runbook.checklist(Severity.LOW, GENERAL), "ja")
    assert rows[0]["text"] == "look"
    assert rows[0]["phase_title"] == "状況把握"
    assert faults("") == ["r.yml: error: the runbook is empty (it needs steps)"]
    assert faults("- a")
