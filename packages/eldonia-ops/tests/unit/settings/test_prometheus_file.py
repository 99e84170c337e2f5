"""A prometheus.yml as settings, and the report of what is not taken."""

from pathlib import Path

import pytest

from eldonia_ops.model.errors import Level
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.prometheus_file import PrometheusText

FILE = "/etc/prometheus/prometheus.yml"


def read(text: str, written: str = "host: {enabled: false}\n"):
    given = PrometheusText(FILE, text, Path("/etc/prometheus"))
    return examine_settings(
        written, Path("/srv/eldonia-ops.yml"), {"HOME": "/"}, prometheus=given, read_file=lambda path: f"in {path}"
    )


WHOLE = """\
global:
  scrape_interval: 20s
  scrape_timeout: 4s
  evaluation_interval: 45s
  external_labels: {cluster: tokyo}
rule_files: [rules/*.yml, /abs/one.yml]
scrape_configs:
  - job_name: node
    static_configs:
      - {targets: ['a:9100', 'b:9100'], labels: {rack: r1, own_file: x}}
      - {targets: ['c:9100']}
    basic_auth: {username: u, password_file: secrets/pw}
    tls_config: {ca_file: ca.pem, insecure_skip_verify: true}
    scheme: https
    http_headers: {X-Scope: {values: [one]}}
    metric_relabel_configs: [{action: drop, source_labels: [__name__], regex: go_.*}]
  - job_name: slow
    scrape_interval: 5m
    metrics_path: /m
    honor_labels: true
    enable_http2: false
    static_configs: [{targets: ['d:1']}]
"""


def test_jobs_rule_files_intervals_and_external_labels_are_taken() -> None:
    settings, found = read(WHOLE)
    assert found == []
    node, slow = settings.collectors["scrape"]
    assert (node.job, node.interval, node.timeout, node.scheme) == ("node", 20_000, 4_000, "https")
    assert [(one.targets, dict(one.labels)) for one in node.static_configs] == [
        (("a:9100", "b:9100"), {"rack": "r1", "own_file": "x"}),
        (("c:9100",), {}),
    ]
    assert node.password.reveal() == "in /etc/prometheus/secrets/pw"
    assert node.http.ca.reveal() == "in /etc/prometheus/ca.pem"
    assert node.http.http_headers["X-Scope"].reveal() == "one"
    assert node.metric_relabel_configs[0].regex == "go_.*"
    assert (slow.interval, slow.path, slow.honor_labels) == (300_000, "/m", True)
    assert settings.rules.files == ("/etc/prometheus/rules/*.yml", "/abs/one.yml")
    assert (settings.rules.evaluation_interval, dict(settings.rules.labels)) == (45_000, {"cluster": "tokyo"})
    assert settings.parts.taken == (
        "2 scrape jobs with 4 static targets",
        "2 patterns of rule files",
        "external labels of alerts: cluster",
    )


def test_without_a_global_section_the_intervals_are_prometheus_own() -> None:
    settings, found = read("scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]\n")
    assert found == []
    assert settings.collectors["scrape"][0].interval == 60_000
    assert settings.rules.evaluation_interval == 60_000


def test_what_the_settings_say_holds() -> None:
    written = (
        "scrape: [{job: node, targets: ['mine:1']}]\nrules: {files: [/own.yml], evaluation_interval: 5s}\n"
        "host: {enabled: false}\n"
    )
    settings, found = read(WHOLE, written)
    assert [one.job for one in settings.collectors["scrape"]] == ["node", "slow"]
    assert settings.collectors["scrape"][0].targets == ("mine:1",)
    assert settings.rules.files == ("/own.yml", "/etc/prometheus/rules/*.yml", "/abs/one.yml")
    assert settings.rules.evaluation_interval == 5_000
    assert [(one.file, one.level, one.line) for one in found] == [(FILE, Level.WARNING, 8)]
    assert "also in /srv/eldonia-ops.yml, line 1, which holds" in found[0].message
    assert all(not one.managed for one in settings.parts.places)


@pytest.mark.parametrize(
    ("text", "line", "level", "message"),
    [
        ("remote_write: [{url: 'http://x'}]\n", 1, "warning", "remote_write is not taken"),
        ("alerting: {alertmanagers: []}\n", 1, "warning", "alerting is not taken"),
        ("global:\n  sample_limit: 5\n", 2, "warning", "global.sample_limit is not taken"),
        ("global:\n  nonsense: 5\n", 2, "error", "global.nonsense is nothing that Prometheus' file"),
        ("scrape_config: []\n", 1, "error", "scrape_config is nothing"),
        (
            "scrape_configs:\n  - job_name: a\n    ec2_sd_configs: [{}]\n    static_configs: [{targets: ['a:1']}]\n",
            3,
            "warning",
            "job a: ec2_sd_configs: service discovery is not taken",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['a:1']}]\n    scrape_interval: soon\n",
            4,
            "error",
            "interval must be a duration",
        ),
        (
            "scrape_configs:\n  - job_name: a\n    static_configs: [{targets: ['a:1']}]\n"
            "    http_headers: {X: {files: [f]}}\n",
            4,
            "warning",
            "http_headers.X: only a header with one value",
        ),
    ],
)
def test_what_is_not_taken_is_named_with_its_line(text: str, line: int, level: str, message: str) -> None:
    _, found = read(text)
    assert [(one.file, one.line, one.level.value) for one in found] == [(FILE, line, level)]
    assert found[0].message.startswith(message)
    assert found[0].hint or level == "error"


def test_a_job_without_targets_that_are_taken_is_left_out() -> None:
    settings, found = read("scrape_configs:\n  - job_name: pods\n    kubernetes_sd_configs: [{role: pod}]\n")
    assert "scrape" not in settings.collectors
    assert [one.level for one in found] == [Level.WARNING] * 2
    assert settings.parts.taken == ()
