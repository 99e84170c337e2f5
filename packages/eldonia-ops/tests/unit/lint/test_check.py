import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from required_tools import requires_shared

from eldonia_ops.lint import check_files, format_report
from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.notifiers.registry import built_in

ROUTING = """
route:
  receiver: everybody
  routes:
    - matchers: ['severity="page"']
      receiver: on-call
receivers:
  - name: everybody
  - name: on-call
    webhook_configs: [{url: 'http://127.0.0.1:9/'}]
"""

RULES = """
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: up{job="shop"} == 0
        labels: {severity: page}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


SHIPPED = {"SLACK_WEBHOOK_URL": "https://hooks.example/", "PAGERDUTY_ROUTING_KEY": "k"}
"""What the routing that is shipped wants."""


def lint(*paths: str, **env: str) -> list[str]:
    return [str(item) for item in check_files(paths, {"HOME": "/home/hana", **SHIPPED, **env}, kinds=built_in())]


def test_files_without_fault(folder: Path) -> None:
    settings = """
rules: {files: [rules/*.yml]}
alertmanager: {file: alertmanager.yml}
incidents:
  escalation:
    - {tier: development}
    - {tier: infrastructure, receiver: on-call, after: 15m}
"""
    write(folder, {"eldonia-ops.yml": settings, "alertmanager.yml": ROUTING, "rules/shop.yml": RULES})
    assert lint("eldonia-ops.yml") == []
    assert lint(".", "rules") == []


def test_what_is_no_file_is_said_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "rules.yml")
    [line] = lint("rules.yml")
    assert "rules.yml" in line
    assert "no file" in line


def test_what_is_shipped_has_no_fault() -> None:
    shipped = Path(__file__).parents[3] / "src" / "eldonia_ops" / "defaults"
    assert lint(str(shipped), SLACK_WEBHOOK_URL="https://x/", PAGERDUTY_ROUTING_KEY="k") == []


def test_a_receiver_that_the_routing_lacks(folder: Path) -> None:
    settings = """alertmanager: {file: alertmanager.yml}
incidents:
  escalation:
    - {tier: development}
    - tier: management
      receiver: on-cal
      after: 1h
"""
    write(folder, {"eldonia-ops.yml": settings, "alertmanager.yml": ROUTING})
    assert lint("eldonia-ops.yml") == [
        "eldonia-ops.yml:6:17: error: the tier management is notified through the receiver 'on-cal', "
        "which is not in alertmanager.yml (did you mean 'on-call'?)"
    ]


def test_a_tier_that_would_notify_no_one(folder: Path) -> None:
    settings = """alertmanager: {file: alertmanager.yml}
incidents:
  escalation:
    - {tier: development}
    - {tier: management, receiver: everybody, after: 1h}
"""
    write(folder, {"eldonia-ops.yml": settings, "alertmanager.yml": ROUTING})
    [line] = lint("eldonia-ops.yml")
    assert line.startswith(
        "eldonia-ops.yml:5:36: warning: the tier management would notify no one: "
        "the receiver 'everybody' has no integration"
    )


def test_a_receiver_that_the_shipped_routing_lacks(folder: Path) -> None:
    write(folder, {"eldonia-ops.yml": "incidents: {escalation: [{tier: a, receiver: nobody}]}"})
    found = lint("eldonia-ops.yml")
    assert len(found) == 1
    assert "which is not in the shipped routing (known: pager-duty-critical, " in found[0]


def test_files_that_are_not_there(folder: Path) -> None:
    settings = """rules:
  files:
    - shop.yml
    - rules/*.yml
alertmanager:
  file: am.yml
incidents:
  runbook: rb.yml
"""
    write(folder, {"eldonia-ops.yml": settings})
    assert lint("eldonia-ops.yml", "gone.yml") == [
        "gone.yml: error: cannot be read: No such file or directory",
        f"eldonia-ops.yml:3:7: error: there is no rule file {folder}/shop.yml",
        f"eldonia-ops.yml:4:7: warning: no rule file matches {folder}/rules/*.yml",
        f"eldonia-ops.yml:6:9: error: there is no file {folder}/am.yml",
        f"eldonia-ops.yml:8:12: error: there is no file {folder}/rb.yml",
    ]


def test_a_severity_that_nothing_knows(folder: Path) -> None:
    write(
        folder,
        {
            "eldonia-ops.yml": "rules: {files: rules.yml}\nalertmanager: {file: alertmanager.yml}",
            "alertmanager.yml": ROUTING,
            "rules.yml": RULES.replace("page", "critcal"),
        },
    )
    assert lint("eldonia-ops.yml") == [
        "rules.yml:7:28: warning: nothing knows the severity 'critcal': no route asks for it and it opens no incident "
        "(did you mean 'critical'?)"
    ]
    assert lint("rules.yml") == []  # without settings it is unknown what opens incidents


def test_an_alert_that_stands_twice(folder: Path) -> None:
    write(folder, {"a.yml": RULES, "b.yml": RULES})
    assert lint("a.yml", "b.yml") == [
        "b.yml:5:9: warning: the alert ShopDown is defined twice, word for word (first in a.yml, line 5)"
    ]
    assert lint("a.yml", "./a.yml") == []


def test_an_alert_without_severity(folder: Path) -> None:
    write(folder, {"a.yml": RULES.replace("labels: {severity: page}", "for: 1m")})
    assert "has no severity" in lint("a.yml")[0]


def test_faults_in_every_file_at_once(folder: Path) -> None:
    write(
        folder,
        {
            "eldonia-ops.yml": "langage: ja\n"
            "rules: {files: ['*.rules.yml']}\n"
            "alertmanager: {file: am.yml}\n"
            "incidents: {runbook: rb.yml}",
            "shop.rules.yml": RULES.replace("== 0", "== "),
            "am.yml": ROUTING.replace("receiver: on-call", "receiver: on-cal"),
            "rb.yml": "step: []",
            "x.tmpl": '{{ define "a" }}{{ .Nope',
        },
    )
    found = check_files(["eldonia-ops.yml", "x.tmpl"], {}, kinds=built_in())
    assert {item.file for item in found if item.level is Level.ERROR} == {
        "eldonia-ops.yml",
        "shop.rules.yml",
        "am.yml",
        "rb.yml",
        "x.tmpl",
    }
    assert all(item.line for item in found)


def test_an_unset_variable_is_a_warning_here(folder: Path) -> None:
    write(folder, {"eldonia-ops.yml": "state: postgresql://ops:${OPS_PASSWORD}@db/ops\n"})
    found = check_files(["eldonia-ops.yml"], SHIPPED, kinds=built_in())
    assert [(item.line, item.column, item.level) for item in found] == [(1, 8, Level.WARNING)]
    assert "OPS_PASSWORD is not set" in found[0].message
    assert lint("eldonia-ops.yml", OPS_PASSWORD="x") == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("prometheus.yml", "scrape_configs: []\nremote_write: []", "remote_write is not taken"),
        ("fluent.conf", "<source>\n</source>", "not a kind of file that this program reads"),
        ("notes.yml", "hello: world", "not a kind of file that this program reads"),
        ("eldonia-ops.yml", "\tlisten: x", "not valid YAML"),
        ("eldonia-ops.yml", "rules: {files: [a", "not valid YAML"),
        ("rules.yml", "groups: [{name: a, rules: [{alert: b}]}]", "needs expr"),
    ],
)
def test_other_files(folder: Path, name: str, text: str, expected: str) -> None:
    write(folder, {name: text})
    assert expected in "\n".join(lint(name))


def test_binary_and_empty_folders(folder: Path) -> None:
    (folder / "rules.yml").write_bytes(b"groups:\n- \xe9")
    (folder / "empty").mkdir()
    assert lint("rules.yml", "empty") == [
        "empty: error: a folder without files to check (looked for *.yml, *.yaml, *.rules, *.tmpl)",
        "rules.yml:2: error: not UTF-8 text (byte 10) (save it as UTF-8)",
    ]


def test_a_byte_order_mark_hides_no_kind(folder: Path) -> None:
    write(folder, {"a.yml": "\ufeff" + RULES, "b.yml": "\ufeff" + ROUTING})
    assert lint("a.yml", "b.yml") == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_utf_16_is_named(folder: Path, encoding: str) -> None:
    (folder / "rules.yml").write_bytes("groups: []\n".encode(encoding))
    assert lint("rules.yml") == ["rules.yml:1: error: this is UTF-16 or binary, not UTF-8 text (save it as UTF-8)"]


def test_the_shipped_routing_wants_its_variables(folder: Path) -> None:
    write(
        folder,
        {"eldonia-ops.yml": "language: en\n", "eldonia-ops.own.yml": "alertmanager: {file: am.yml}", "am.yml": ROUTING},
    )
    found = lint("eldonia-ops.yml", SLACK_WEBHOOK_URL="")
    assert len(found) == 1
    assert found[0].startswith(
        "eldonia-ops.yml: warning: the environment variable SLACK_WEBHOOK_URL is not set: "
        "nothing reaches slack-notifications, security-team of the routing that is shipped"
    )
    [line] = lint("eldonia-ops.yml", PAGERDUTY_ROUTING_KEY="")
    assert "PAGERDUTY_ROUTING_KEY is not set: nothing reaches pager-duty-critical" in line
    assert lint("eldonia-ops.yml") == []
    assert lint("eldonia-ops.own.yml", SLACK_WEBHOOK_URL="") == []


GROUPED = """
route:
  receiver: everybody
  group_by: [alertname]
  routes:
    - {receiver: on-call, group_by: [alertname, team], matchers: ['severity="page"']}
    - {receiver: all, group_by: ['...'], matchers: ['severity="x"']}
templates: ['*.tmpl']
receivers:
  - name: everybody
    slack_configs:
      - api_url: http://127.0.0.1:9/
        title: '%s'
  - name: on-call
    slack_configs: [{api_url: 'http://127.0.0.1:9/', text: '{{ .GroupLabels.team }}'}]
  - name: all
    slack_configs: [{api_url: 'http://127.0.0.1:9/', text: '{{ .GroupLabels.anything }}'}]
"""


@pytest.mark.parametrize(
    ("title", "place", "label"),
    [
        ("{{ .GroupLabels.alertname }} {{ range .GroupLabels.SortedPairs }}{{ .Name }}{{ end }}", "", ""),
        ("{{ .CommonLabels.team }}", "", ""),
        ("at {{ .GroupLabels.team }}", "am.yml:13:23", "team"),
        ("{{ $.GroupLabels.team | toUpper }}", "am.yml:13:20", "team"),
        ("{{ range .Alerts }}{{ printf `%s` $.GroupLabels.team }}{{ end }}", "am.yml:13:51", "team"),
        ("{{ index .GroupLabels `severity` }}", "am.yml:13:20", "severity"),
        ("{{ (.GroupLabels).severity }}", "am.yml:13:", "severity"),
        ("{{ if eq .GroupLabels.severity `x` }}a{{ end }}", "am.yml:13:26", "severity"),
        ("{{ if .GroupLabels.team }}{{ .GroupLabels.team }}{{ end }}", "", ""),
        ("{{ with .GroupLabels.team }}{{ . }}{{ end }}", "", ""),
        ("{{ or .GroupLabels.team .CommonLabels.team }}", "", ""),
        ("{{ template `own` . }}", "own.tmpl:2:4", "team"),
    ],
)
def test_labels_that_the_group_does_not_have(folder: Path, title: str, place: str, label: str) -> None:
    own = '{{ define "own" }}{{ template "deeper" . }}{{ end }}{{ define "deeper" }}\n{{ .GroupLabels.team }}{{ end }}'
    write(folder, {"am.yml": GROUPED % title, "own.tmpl": own})
    found = lint("am.yml")
    if not place:
        assert found == []
        return
    assert len(found) == 1
    assert found[0].startswith(place)
    assert f".GroupLabels.{label} is always empty: the route at line 3 groups by alertname" in found[0]
    assert f"use .CommonLabels.{label}, or add {label} to group_by" in found[0]


def test_the_faults_of_the_rules_that_this_system_grew_from(folder: Path) -> None:
    rules = """groups:
  - name: app
    labels: {severity: critical}
    rules:
      - {alert: A, expr: 'rate(http_requests_total{status=~"5.."}[5m]) > 0.1'}
      - {alert: B, expr: 'histogram_quantile(0.95, rate(http_request_duration_seconds_bucket[5m])) > 2'}
      - {alert: C, expr: 'sum(rate(http_requests_total[5m])) < 10'}
      - {alert: D, expr: 'rate(pg_stat_activity_max_tx_duration[5m]) > 30'}
"""
    mended = """groups:
  - name: app
    labels: {severity: critical}
    rules:
      - {alert: A, expr: 'sum(rate(http_requests_total{status=~"5.."}[5m])) > 0.1'}
      - {alert: B, expr: 'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 2'}
      - {alert: C, expr: 'sum(rate(http_requests_total[5m])) < 10 or absent(http_requests_total)'}
      - {alert: D, expr: 'pg_stat_activity_max_tx_duration > 30'}
      - {alert: E, expr: 'rate(node_network_receive_errs_total[5m]) > 10'}
"""
    write(folder, {"seed.yml": rules, "mended.yml": mended})
    found = check_files(["seed.yml"], {}, kinds=built_in())
    assert [(item.line, item.level) for item in found] == [(line, Level.WARNING) for line in (5, 6, 7, 8)]
    for item, part in zip(found, ["by itself", "every series by itself", "silent", "gauge"], strict=True):
        assert part in item.message
    assert check_files(["mended.yml"], {}, kinds=built_in()) == []


def test_the_report_sums_up(folder: Path) -> None:
    write(folder, {"eldonia-ops.yml": "langage: ja\n"})
    report = format_report(check_files(["eldonia-ops.yml"], SHIPPED, kinds=built_in()))
    assert report.splitlines() == [
        "eldonia-ops.yml:1:1: error: unknown key 'langage' in the settings (did you mean 'language'?)",
        "    1 | langage: <secret>",
        "      | ^",
        "1 error",
    ]
    assert format_report([]) == "no faults found"
    assert format_report([Diagnostic("m", level=Level.WARNING)] * 2).splitlines()[-1] == "2 warnings"


def test_queries_that_templates_write_out_are_checked_where_they_stand(folder: Path) -> None:
    rules = r"""
groups:
  - name: shop
    rules:
      - alert: ShopDown
        expr: up{job="shop"} == 0
        labels:
          severity: page
          size: '{{ query "count(up" | first | value }}'
        annotations:
          fine: '{{ query "sum(up)" | first | value }} {{ printf "sum(%s" $labels.x | query }} query "sum("'
          escaped: "{{ query \"up{job=\\\"shop\\\"} +\" | first | value }}"
          typed: >-
            {{ $value }} of
            {{ with query `up[5m]` }}{{ end }}
          doubtful: |
            {{ range query "rate(free_memory[5m])" }}
            {{ end }}
"""
    write(folder, {"rules.yml": rules})
    assert [str(item).split(" (")[0] for item in check_files(["rules.yml"], {}, kinds=built_in())] == [
        "rules.yml:9:36: warning: bad PromQL expression in a query: "
        'unexpected end of input in aggregation, expected "," or ")"',
        "rules.yml:12:54: warning: bad PromQL expression in a query: unexpected end of input, expected an expression",
        "rules.yml:15:28: warning: a query in a template needs an instant vector or a scalar, this is a range vector",
        "rules.yml:17:29: warning: rate() of free_memory, which looks like a gauge: "
        "each fall of it counts as a restart",
    ]


INHIBIT = (
    ROUTING
    + """
inhibit_rules:
  - {source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [alertname]}
"""
)
DISK = """
groups:
  - name: disk
    rules:
      - {alert: DiskFilling, expr: node_filesystem_avail_bytes < 1e9, labels: {severity: warning}}
      - {alert: %s, expr: node_filesystem_avail_bytes < 1e8, labels: {severity: critical}}
"""


def test_one_name_with_two_severities_is_what_an_inhibit_rule_may_want(folder: Path) -> None:
    write(folder, {"am.yml": INHIBIT, "same.yml": DISK % "DiskFilling", "other.yml": DISK % "DiskFull"})
    assert lint("am.yml") == []
    assert lint("am.yml", "same.yml") == []
    [line] = lint("am.yml", "other.yml")
    assert line.startswith("am.yml:13: warning: this inhibit rule can never apply: it wants equal alertname")


@pytest.mark.parametrize(
    "expr",
    [
        "increase(node_edac_correctable_errors_total[5m]) > 0",
        "increase(http_requests_total[5m]) > 0",
        "rate(rack_uncaught_errors_total[5m]) > 0.05",
        "rate(pg_txid_current[1m]) < 5",
        "rate(mysql_global_status_connections[5m]) > 100",
        "increase(pg_stat_database_xact_commit[5m]) < 5",
        "histogram_quantile(0.99, rate(etcd_disk_wal_fsync_duration_seconds_bucket[5m])) > 0.5",
    ],
)
def test_sound_rules_are_not_warned_of(folder: Path, expr: str) -> None:
    write(folder, {"a.rules": f"groups: [{{name: g, rules: [{{alert: A, expr: '{expr}', labels: {{severity: w}}}}]}}]"})
    assert lint("a.rules") == []
    assert lint(".") == []


CORPUS = Path(__file__).resolve().parents[5].parent / "shared" / "rules-corpus"


@requires_shared("rules-corpus")
def test_public_rule_files_are_accepted_and_hardly_warned_of() -> None:
    found = check_files(sorted(CORPUS.rglob("*.yml")), {}, kinds=built_in())
    # A total that stays silent when its series are gone; a quantile of each method and status by itself.
    assert [
        (Path(item.file).parent.name, item.level.value, " ".join(item.message.split(" ")[:3])) for item in found
    ] == [
        ("etcd", "warning", "this quantile is"),
        ("istio", "warning", "this stays silent"),
        ("istio", "warning", "this stays silent"),
    ]


def test_a_variable_that_a_receiver_needs_and_that_is_not_set(folder: Path) -> None:
    write(folder, {"am.yml": ROUTING.replace("'http://127.0.0.1:9/'", "'${HOOK_URL}'")})
    [line] = lint("am.yml")
    assert line.startswith("am.yml:10:29: warning: the environment variable HOOK_URL is not set")
    assert lint("am.yml", HOOK_URL="http://x/") == []


def test_a_routing_with_faults_still_takes_part(folder: Path) -> None:
    """Its receivers are known, its severities too, and what it lacks of the environment is said."""
    settings = """alertmanager: {file: am.yml}
rules: {files: [rules.yml]}
incidents:
  escalation:
    - {tier: development}
    - {tier: management, receiver: on-cal, after: 1h}
"""
    routing = ROUTING.replace("'http://127.0.0.1:9/'", "'${HOOK_URL}'") + "globl: {}\n"
    write(folder, {"eldonia-ops.yml": settings, "am.yml": routing, "rules.yml": RULES.replace("page", "pag")})
    found = "\n".join(lint("eldonia-ops.yml"))
    assert "unknown key 'globl'" in found
    assert "HOOK_URL is not set" in found
    assert "which is not in am.yml (did you mean 'on-call'?)" in found
    assert "nothing knows the severity 'pag'" in found
    assert "did you mean 'page'?" in found


def test_a_variable_where_none_is_filled_in(folder: Path) -> None:
    title = '{{ reReplaceAll "a" "${b}" .Status }}'
    slack = f"slack_configs: [{{api_url: 'http://h/', channel: '${{CHANNEL}}', title: '{title}'}}]"
    write(folder, {"am.yml": ROUTING.replace("  - name: on-call", f"  - name: on-call\n    {slack}")})
    [line] = lint("am.yml", CHANNEL="ops")
    assert "${CHANNEL} is not filled in here" in line
