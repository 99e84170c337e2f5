"""The managed file, joined to the one that people write."""

from pathlib import Path

from eldonia_ops.model.errors import Level
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.managed import ManagedText
from eldonia_ops.settings.units import DAY

MANAGED = "/data/eldonia-ops.managed.yml"


def joined(written: str, managed: str):
    text = ManagedText(MANAGED, managed, Path("/data"))
    env = {"HOME": "/home/hana"}
    return examine_settings(written, Path("/etc/eldonia-ops.yml"), env, managed=text, read_file=lambda path: f"{path}")


def faults(found):
    return [(one.file, one.line, one.level.value, one.message) for one in found]


def test_lists_are_appended_and_checks_see_all_entries() -> None:
    settings, found = joined(
        "probes: [{name: a, url: 'http://a/'}]\nobjectives: [{name: o, service: s, probe: b}]\n",
        "probes:\n  - {name: b, url: 'http://b/'}\nlogs: [{path: /var/log/x.log}]\n",
    )
    assert found == []
    assert [one.name for one in settings.collectors["probes"]] == ["a", "b"]
    assert settings.collectors["logs"][0].path == "/var/log/x.log"
    assert [(one.section, one.name, one.line, one.managed) for one in settings.parts.places] == [
        ("probes", "a", 1, False),
        ("objectives", "o", 2, False),
        ("probes", "b", 2, True),
        ("logs", "/var/log/x.log", 3, True),
    ]


def test_what_is_written_by_hand_holds_and_both_places_are_named() -> None:
    settings, found = joined(
        "logs:\n  - {path: ../var/log/x.log, service: mine}\nhost: {enabled: false}\n"
        "rules: {defaults: {DiskFull: off}}\n",
        "logs: [{path: /var/log/x.log}]\nhost: {enabled: true}\nrules: {defaults: {DiskFull: {threshold: 3}}}\n",
    )
    assert settings.collectors["logs"][0].service == "mine"
    assert len(settings.collectors["logs"]) == 1
    assert not settings.collectors["host"].enabled
    assert not settings.rules.defaults.changes["DiskFull"].enabled
    assert [(one.file, one.level) for one in found] == [(MANAGED, Level.WARNING)] * 3
    assert "also in /etc/eldonia-ops.yml, line 2, which holds" in found[0].message


def test_faults_name_the_file_that_they_are_in() -> None:
    _, found = joined(
        "listen: x\n",
        "probes:\n  - {name: a, url: nope}\n  - {name: a, url: 'http://a/'}\nlisten: 1\nrules: {files: [x]}\n"
        "objectives:\n  - {name: o, service: s, good: 'rate(x', total: 'rate(x[$window])'}\n",
    )
    assert faults(found) == [
        ("/etc/eldonia-ops.yml", 1, "error", "listen is not an address"),
        (MANAGED, 2, "error", "url is not a URL of the kind http://host or https://host or tcp://host or tls://host"),
        (MANAGED, 3, "error", "probes a occurs twice"),
        (MANAGED, 4, "error", "'listen' is nothing that the managed file may hold"),
        (MANAGED, 5, "error", "'files' is nothing that the managed file may say of rules"),
        (MANAGED, 7, "error", "good lacks $window"),
    ]


def test_tuning_is_joined_by_name() -> None:
    tuned = "rules: {defaults: {DiskFull: {threshold: 3}}}\n"
    for written in (
        "",
        "rules:\n",
        "rules: {evaluation_interval: 5s}\n",
        "rules: {defaults: true}\n",
        "rules: {defaults: }\n",
    ):
        settings, found = joined(written, tuned)
        assert found == [], written
        assert settings.rules.defaults.changes["DiskFull"].threshold == 3
    settings, found = joined("rules: {defaults: {HighCPUUsage: off}, evaluation_interval: 5s}\n", tuned)
    assert (found, sorted(settings.rules.defaults.changes)) == ([], ["DiskFull", "HighCPUUsage"])
    assert settings.rules.evaluation_interval == 5_000
    settings, found = joined("rules: {defaults: false}\n", tuned)
    assert not settings.rules.defaults.enabled
    assert "this changes nothing" in found[0].message


def test_secrets_lie_beside_the_managed_file() -> None:
    settings, found = joined("", "scrape: [{job: j, targets: ['h:1'], bearer_token_file: secrets/x}]\n")
    assert found == []
    assert settings.collectors["scrape"][0].bearer_token.reveal() == "/data/secrets/x"


def test_receivers_and_alerts_are_left_to_their_own_readers() -> None:
    settings, found = joined("", "receivers: [{name: r}]\nrules: {alerts: [{alert: A, expr: up}]}\n")
    assert found == []
    assert len(settings.parts.receivers) == len(settings.parts.alerts) == 1
    assert settings.parts.receivers[0].file == MANAGED


def test_metrics_and_rules_of_retention_of_logs_are_joined_to_the_written_ones() -> None:
    settings, found = joined(
        "log_metrics: [{name: a_total}]\n"
        "retention: {logs: 60d, log_rules: [{name: debug, search: 'level:debug', keep: 3d}]}\n",
        "log_metrics:\n  - {name: b_total, search: 'level:error', labels: {how: operation}}\n"
        "retention:\n  log_rules:\n    - {name: web, keep: 7d}\n    - {name: debug, keep: 9d}\n",
    )
    assert [one.name for one in settings.log_metrics] == ["a_total", "b_total"]
    assert (settings.retention.logs, [one.name for one in settings.retention.log_rules]) == (60 * DAY, ["debug", "web"])
    assert [(one.section, one.name, one.line, one.managed, one.holds) for one in settings.parts.places] == [
        ("log_metrics", "a_total", 1, False, True),
        ("retention.log_rules", "debug", 2, False, True),
        ("log_metrics", "b_total", 2, True, True),
        ("retention.log_rules", "web", 5, True, True),
        ("retention.log_rules", "debug", 6, True, False),
    ]
    assert [(one.line, one.level) for one in found] == [(6, Level.WARNING)]


def test_rules_of_retention_of_the_managed_file_alone_leave_the_defaults() -> None:
    settings, found = joined("", "retention: {log_rules: [{name: web, keep: 7d}]}\n")
    assert (found, settings.retention.logs, len(settings.retention.log_rules)) == ([], 30 * DAY, 1)
    settings, found = joined("retention:\n", "retention: {log_rules: [{name: web, keep: 7d}]}\n")
    assert (found, len(settings.retention.log_rules)) == ([], 1)


def test_the_managed_file_says_nothing_else_of_retention() -> None:
    _, found = joined("", "retention: {logs: 1d, log_rules: [{name: web}]}\n")
    assert [one.message for one in found] == [
        "'logs' is nothing that the managed file may say of retention",
        "log_rules[0] needs keep or max_size",
    ]
