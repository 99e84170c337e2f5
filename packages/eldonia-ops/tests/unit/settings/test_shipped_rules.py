"""``rules.defaults``: yes, no, or changes by name."""

import pytest

from eldonia_ops.model.errors import ConfigError
from eldonia_ops.rules.tuning import RuleChange
from eldonia_ops.services.rules.groups import running_groups
from eldonia_ops.settings import DefaultRules, parse_settings
from eldonia_ops.settings.show import effective_settings


def read(text):
    return parse_settings(f"rules:\n  defaults: {text}\n", None, {}).rules.defaults


def running(defaults, language="en"):
    groups = running_groups((), defaults=defaults, objectives=(), interval_ms=15_000, speed=1, language=language)
    return {(rule.name, rule.labels.get("severity")): rule for group in groups for rule in group.rules}


def test_all_or_none():
    assert read("true") == read("on") == DefaultRules()
    assert running(read("off")) == {}


def test_changes_by_name():
    found = read(
        "{LowThroughput: off, HighCPUUsage: {threshold: 90, for: 30m}, CertificateExpiring.critical: {for: 0}}"
    )
    assert found.enabled
    assert found.changes == {
        "LowThroughput": RuleChange(enabled=False),
        "HighCPUUsage": RuleChange(threshold=90, for_ms=1_800_000),
        "CertificateExpiring.critical": RuleChange(for_ms=0),
    }
    rules = running(found)
    assert ("LowThroughput", "warning") not in rules
    assert "> 90" in rules["HighCPUUsage", "warning"].query
    assert rules["CertificateExpiring", "critical"].for_ms == 0
    assert rules["CertificateExpiring", "warning"].for_ms == 3_600_000


def test_texts_are_in_the_language_of_the_platform():
    changed = running(read("{HighCPUUsage: {threshold: 91}}"), "ja")["HighCPUUsage", "warning"]
    assert "上限は 91 %" in changed.annotations["description"]


FAULTS = {
    "HighCPUsage: off": (5, "unknown key 'HighCPUsage' in defaults (did you mean 'HighCPUUsage'?)"),
    "HighCPUUsage: 80": (19, "write HighCPUUsage: {threshold: 80}"),
    "HighCPUUsage: {treshold: 80}": (20, "did you mean 'threshold'?"),
    "HighCPUUsage: {threshold: .inf}": (31, "threshold must be a number"),
    "HighCPUUsage: {for: soon}": (25, "for"),
    "HighCPUUsage: {severity: page}": (30, "one of critical, warning, info"),
    "HighCPUUsage: [80]": (19, "must be true or false, not a list"),
    "TargetDown: {threshold: 1}": (29, "TargetDown has no threshold"),
    "CertificateExpiring: {threshold: 30}": (26, "CertificateExpiring.warning or CertificateExpiring.critical"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults_have_their_place_and_say_what_to_write(text):
    column, message = FAULTS[text]
    with pytest.raises(ConfigError) as error:
        parse_settings(f"rules:\n  defaults:\n    {text}\n    LowThroughput: off\n", None, {})
    [diagnostic] = error.value.diagnostics
    assert (diagnostic.line, diagnostic.column) == (3, column)
    assert message in str(error.value)


def test_what_is_shown_loads_to_the_same():
    for text in ("true", "false", "{LowThroughput: off, HighDiskUsage: {threshold: 70, severity: critical}}"):
        settings = parse_settings(f"rules:\n  defaults: {text}\n", None, {})
        assert parse_settings(effective_settings(settings), None, {}).rules.defaults == settings.rules.defaults
