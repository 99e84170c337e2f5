"""Every shipped rule fires when its text says so, and does not otherwise."""

from importlib.resources import files

import pytest

from eldonia_ops.promql import evaluate
from eldonia_ops.promql.testing import Storage, expand_values, split_series
from eldonia_ops.protocols.prometheus_rules import parse_rule_file
from eldonia_ops.rules import AlertingRule, RuleGroupState, RuleState, evaluate_rule, rule_plan, scale

MINUTE = 60_000

SEED = {
    "HighErrorRate": ("critical", "application", 2),
    "HighResponseTime": ("warning", "application", 5),
    "LowThroughput": ("warning", "application", 10),
    "HighCPUUsage": ("warning", "infrastructure", 5),
    "HighMemoryUsage": ("warning", "infrastructure", 5),
    "HighDiskUsage": ("warning", "infrastructure", 5),
    "DatabaseConnectionHigh": ("warning", "database", 2),
    "DatabaseSlowQueries": ("warning", "database", 5),
    "AWSServiceDown": ("critical", "aws", 1),
    "PaymentGatewayError": ("critical", "payment", 2),
    "HighFailedLogins": ("warning", "security", 2),
    "SuspiciousActivity": ("critical", "security", 1),
}


def groups(name):
    text = files("eldonia_ops.defaults").joinpath("rules", name).read_text("utf-8")
    return parse_rule_file(text, name)


GROUPS = groups("eldonia.yml") + groups("platform.yml")


def firing(alert, series, minutes=20, at=None, sources=None):
    """Evaluate an alert's group every minute over series sampled every 30 s; what it has reported by the end.

    Yields ``{minute: [labels + value + annotations of firing alerts]}`` through the returned dict.
    """
    group = next(group for group in sources or GROUPS if any(rule.name == alert for rule in group.rules))
    storage = Storage(loads=1)
    for line in series.strip().splitlines():
        labels, values, _ = split_series(line.strip())
        points = [(index * 30_000, value) for index, value in enumerate(expand_values(values))]
        storage.add(labels, [(when, value) for when, value in points if isinstance(value, float)])
    state = RuleGroupState()
    written = {}
    notified = {}
    for minute in range(minutes + 1):
        now = minute * MINUTE
        states = {}
        for key, rule in group.keyed_rules():
            planned = rule_plan(group, rule, now)
            data = [storage.select(item.matchers, item.start_ms, item.end_ms) for item in planned.fetches]
            effects = evaluate_rule(
                group, rule, state.rule(key), evaluate(planned, data).vector, now, written=written.get(key, frozenset())
            )
            states[key], written[key] = effects.state, effects.written
            for sample in effects.samples:
                storage.add(sample.labels, [(sample.timestamp_ms, sample.value)])
            if rule.name == alert:
                notified.setdefault(minute, []).extend(
                    item for item in effects.state.alerts.values() if item.state == "firing"
                )
        state = state.with_rules(states, now)
    return notified[minutes if at is None else at]


def test_the_design_s_twelve_alerts_with_its_severities_and_services():
    found = {
        rule.alert: (rule.labels["severity"], rule.labels["service"], rule.for_ms // MINUTE)
        for group in groups("eldonia.yml")
        for rule in group.rules
        if isinstance(rule, AlertingRule)
    }
    assert found == SEED


def test_every_mend_says_why():
    for group in groups("eldonia.yml"):
        for rule in group.rules:
            assert rule.comment.startswith(("Mended: ", "As designed"))
            assert len(rule.comment) > 40


FIRES = [
    # Each of three instances stays below the limit; together they pass it.
    (
        "HighErrorRate",
        """
        http_requests_total{job="shop", instance="a", status="500"} 0+1.2x60
        http_requests_total{job="shop", instance="b", status="503"} 0+1.2x60
        http_requests_total{job="shop", instance="c", status="502"} 0+1.2x60
        """,
        {"job": "shop"},
        "0.12 responses",
    ),
    (
        "HighResponseTime",
        """
        http_request_duration_seconds_bucket{job="shop", instance="a", le="1"} 0+10x60
        http_request_duration_seconds_bucket{job="shop", instance="a", le="5"} 0+20x60
        http_request_duration_seconds_bucket{job="shop", instance="a", le="+Inf"} 0+20x60
        """,
        {"job": "shop"},
        "4.60 s or longer",
    ),
    ("LowThroughput", 'http_requests_total{job="shop", instance="a"} 0+30x60', {"job": "shop"}, "1.00 requests"),
    (
        "HighCPUUsage",
        """
        node_cpu_seconds_total{job="node", instance="h", cpu="0", mode="idle"} 0+3x60
        node_cpu_seconds_total{job="node", instance="h", cpu="1", mode="idle"} 0+6x60
        """,
        {"job": "node", "instance": "h"},
        "85.0 %",
    ),
    (
        "HighMemoryUsage",
        """
        node_memory_MemTotal_bytes{job="node", instance="h"} 1000x60
        node_memory_MemAvailable_bytes{job="node", instance="h"} 100x60
        """,
        {"job": "node", "instance": "h"},
        "90.0 %",
    ),
    # 84 % by free blocks, but what is left belongs to root.
    (
        "HighDiskUsage",
        """
        node_filesystem_size_bytes{instance="h", device="/dev/a", mountpoint="/", fstype="ext4"} 1000x60
        node_filesystem_free_bytes{instance="h", device="/dev/a", mountpoint="/", fstype="ext4"} 160x60
        node_filesystem_avail_bytes{instance="h", device="/dev/a", mountpoint="/", fstype="ext4"} 110x60
        node_filesystem_readonly{instance="h", device="/dev/a", mountpoint="/", fstype="ext4"} 0x60
        """,
        {"instance": "h", "mountpoint": "/", "fstype": "ext4", "device": "/dev/a"},
        "88.4 % of / (/dev/a)",
    ),
    (
        "DatabaseConnectionHigh",
        """
        pg_stat_database_numbackends{job="pg", instance="db", datname="a"} 50x60
        pg_stat_database_numbackends{job="pg", instance="db", datname="b"} 40x60
        """,
        {"job": "pg", "instance": "db"},
        "90 connections",
    ),
    # A transaction stuck at 45 s does not grow: its rate is 0, its age is not.
    (
        "DatabaseSlowQueries",
        'pg_stat_activity_max_tx_duration{job="pg", instance="db", datname="shop", state="active"} 45x60',
        {"job": "pg", "instance": "db", "datname": "shop"},
        "45 s so far",
    ),
    ("AWSServiceDown", 'up{job="aws-exporter", instance="x"} 0x60', {"job": "aws-exporter", "instance": "x"}, ""),
    (
        "PaymentGatewayError",
        """
        payment_requests_total{job="shop", instance="a", status="error"} 0+0.9x60
        payment_requests_total{job="shop", instance="b", status="error"} 0+0.9x60
        """,
        {"job": "shop"},
        "0.06 payments per second",
    ),
    (
        "HighFailedLogins",
        """
        auth_failed_logins_total{job="shop", instance="a"} 0+180x60
        auth_failed_logins_total{job="shop", instance="b"} 0+180x60
        """,
        {"job": "shop"},
        "12.0 sign-ins",
    ),
    (
        "SuspiciousActivity",
        'security_events_total{job="shop", type="suspicious_activity"} 0+180x60',
        {"job": "shop"},
        "6.0 suspicious events",
    ),
    ("TargetDown", 'up{job="shop", instance="a"} 0x60', {"job": "shop", "instance": "a"}, "a (shop)"),
    ("ProbeFailed", 'probe_success{job="gw", instance="a"} 0x60', {"job": "gw", "instance": "a"}, "a (gw)"),
    (
        "CertificateExpiring",
        'probe_ssl_earliest_cert_expiry{job="gw", instance="a"} 864000x300',
        {"job": "gw", "instance": "a"},
        "days",
    ),
]


@pytest.mark.parametrize(("alert", "series", "labels", "text"), FIRES, ids=[item[0] for item in FIRES])
def test_fires(alert, series, labels, text):
    (found,) = firing(alert, series, minutes=90 if alert == "CertificateExpiring" else 20)
    rest = {name: value for name, value in found.labels.items() if name not in ("alertname", "severity", "service")}
    assert rest == labels
    if alert in SEED:
        assert (found.labels["severity"], found.labels["service"]) == SEED[alert][:2]
    assert text in found.annotations["description"]
    assert "error expanding" not in str(found.annotations)
    assert found.annotations["summary"]


QUIET = [
    ("HighErrorRate", """
        http_requests_total{job="shop", status="500"} 0+2.7x60
        http_requests_total{job="shop", status="200"} 0+900x60"""),
    ("HighResponseTime", """
        http_request_duration_seconds_bucket{job="shop", le="1"} 0+19.5x60
        http_request_duration_seconds_bucket{job="shop", le="5"} 0+20x60
        http_request_duration_seconds_bucket{job="shop", le="+Inf"} 0+20x60"""),
    # Two handlers below the limit, whose sum is above it.
    ("LowThroughput", """
        http_requests_total{job="shop", handler="a"} 0+200x60
        http_requests_total{job="shop", handler="b"} 0+200x60"""),
    ("LowThroughput", 'up{job="node"} 1x60'),
    ("HighCPUUsage", 'node_cpu_seconds_total{instance="h", mode="idle"} 0+7x60'),
    ("HighMemoryUsage", "node_memory_MemTotal_bytes 1000x60\nnode_memory_MemAvailable_bytes 200x60"),
    ("HighDiskUsage", """
        node_filesystem_size_bytes{mountpoint="/snap", fstype="squashfs"} 1000x60
        node_filesystem_free_bytes{mountpoint="/snap", fstype="squashfs"} 0x60
        node_filesystem_avail_bytes{mountpoint="/snap", fstype="squashfs"} 0x60
        node_filesystem_size_bytes{mountpoint="/ro", fstype="ext4"} 1000x60
        node_filesystem_free_bytes{mountpoint="/ro", fstype="ext4"} 0x60
        node_filesystem_avail_bytes{mountpoint="/ro", fstype="ext4"} 0x60
        node_filesystem_readonly{mountpoint="/ro", fstype="ext4"} 1x60
        node_filesystem_size_bytes{mountpoint="/", fstype="ext4"} 1000x60
        node_filesystem_free_bytes{mountpoint="/", fstype="ext4"} 200x60
        node_filesystem_avail_bytes{mountpoint="/", fstype="ext4"} 190x60"""),
    ("DatabaseConnectionHigh", """
        pg_stat_database_numbackends{instance="a"} 50x60
        pg_stat_database_numbackends{instance="b"} 50x60"""),
    ("DatabaseSlowQueries", """
        pg_stat_activity_max_tx_duration{datname="shop", state="active"} 29x60
        pg_stat_activity_max_tx_duration{datname="shop", state="idle in transaction"} 900x60
        pg_stat_activity_max_tx_duration{datname="", state="active"} 900x60"""),
    ("AWSServiceDown", 'up{job="aws-exporter"} 1x60'),
    ("AWSServiceDown", 'up{job="shop"} 0x60'),
    ("PaymentGatewayError", """
        payment_requests_total{status="error"} 0+1.4x60
        payment_requests_total{status="ok"} 0+900x60"""),
    ("HighFailedLogins", "auth_failed_logins_total 0+290x60"),
    ("SuspiciousActivity", 'security_events_total{type="login_failure"} 0+900x60'),
    ("TargetDown", """
        up{job="shop"} 1x60
        up{job="aws-exporter"} 0x60"""),
    ("ProbeFailed", "probe_success 1x60"),
    ("CertificateExpiring", "probe_ssl_earliest_cert_expiry 8640000x60"),
]  # fmt: skip


@pytest.mark.parametrize(("alert", "series"), QUIET)
def test_stays_quiet(alert, series):
    assert firing(alert, series, minutes=20) == []


def test_a_short_burst_is_not_enough():
    series = 'http_requests_total{job="shop", status="500"} 0+60x2 120x60'
    assert firing("HighErrorRate", series, at=2) == []


GONE = """
    up{job="shop", instance="a"} 1x20 0x400
    http_requests_total{job="shop", instance="a", status="200"} 0+600x20
"""


def test_low_throughput_notices_a_dead_application_and_does_not_forget_it():
    # The shop serves 20 requests a second for ten minutes and dies; its last rate fades after five.
    assert firing("LowThroughput", GONE, at=10, minutes=10) == []
    for minute in (30, 100):
        (found,) = firing("LowThroughput", GONE, minutes=minute)
        assert found.labels["job"] == "shop"
        assert "serves 0.00 requests" in found.annotations["description"]


def test_low_throughput_lets_go_of_a_job_that_was_removed():
    gone = GONE.replace("0x400", "0x100 stale")
    assert len(firing("LowThroughput", gone, minutes=60)) == 1
    assert firing("LowThroughput", gone, minutes=70) == []


def test_aws_counts_as_down_when_its_target_vanishes():
    (found,) = firing("AWSServiceDown", 'up{job="aws-exporter", instance="x"} 1x10 stale', minutes=10)
    assert found.labels["instance"] == "x"


def test_certificates_are_graver_when_little_is_left():
    (found,) = firing("CertificateExpiring", 'probe_ssl_earliest_cert_expiry{instance="a"} 86400x60')
    assert found.labels["severity"] == "critical"


def test_a_target_s_own_service_label_is_kept():
    (own,) = firing("TargetDown", 'up{job="shop", instance="a", service="application"} 0x60')
    (other,) = firing("TargetDown", 'up{job="node", instance="h"} 0x60')
    assert (own.labels["service"], other.labels["service"]) == ("application", "infrastructure")


def test_the_rules_also_run_on_a_faster_clock():
    fast = [scale(group, 30) for group in GROUPS]
    for group in fast:
        for rule in group.rules:
            assert evaluate_rule(group, rule, RuleState(), [], MINUTE).alerts == ()
        assert group.interval_ms == 2_000
