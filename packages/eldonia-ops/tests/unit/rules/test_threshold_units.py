"""In which unit a rule measures."""

import pytest

from eldonia_ops.promql import parse
from eldonia_ops.protocols.shipped_rules import shipped_groups
from eldonia_ops.rules.threshold_units import UNITS, unit_of
from eldonia_ops.rules.tuning import measured, names_of
from eldonia_ops.web.language import LANGUAGES, catalog


def test_every_shipped_threshold_has_the_unit_of_its_text() -> None:
    found = {
        name: unit_of(expr)
        for name, rules in names_of(shipped_groups()).items()
        if (expr := measured(rules[0])) is not None
    }
    assert found == {
        "HighErrorRate": "per_second",
        "HighResponseTime": "seconds",
        "LowThroughput": "percent",
        "HighCPUUsage": "percent",
        "HighMemoryUsage": "percent",
        "HighDiskUsage": "percent",
        "DatabaseConnectionHigh": "",
        "DatabaseSlowQueries": "seconds",
        "PaymentGatewayError": "per_second",
        "HighFailedLogins": "per_second",
        "SuspiciousActivity": "per_second",
        "DiskFull": "percent",
        "MemoryFilesystemFull": "percent",
        "CertificateExpiring": "days",
        "CertificateExpiring.warning": "days",
        "CertificateExpiring.critical": "days",
    }


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("queue_length", ""),
        ("max by (queue) (queue_size_bytes)", "bytes"),
        ("rate(sent_bytes_total[5m])", "bytes_per_second"),
        ("rate(cpu_seconds_total[5m])", ""),
        ("100 * rate(cpu_seconds_total[5m])", "percent"),
        ("a_bytes / b_bytes", ""),
        ("100 * a_bytes / b_bytes", "percent"),
        ("a_bytes / b_seconds", ""),
        ("100 * a_bytes", ""),
        ("latency_ms", "milliseconds"),
        ("rate(d_seconds_sum[5m]) / rate(d_seconds_count[5m])", ""),
        ("histogram_quantile(0.9, sum by (le) (rate(d_milliseconds_bucket[5m])))", "milliseconds"),
        ("time() - last_run_timestamp_seconds", "seconds"),
        ("increase(sent_bytes_total[1h])", "bytes"),
        ("count(up_bytes)", ""),
        ("used_percent", "percent"),
        ("vector(1)", ""),
        ("-a_bytes", "bytes"),
        ("avg_over_time(a_bytes[5m:1m])", "bytes"),
        ("a_bytes ^ 2", ""),
    ],
)
def test_names_and_functions_say_the_unit(query: str, unit: str) -> None:
    assert unit_of(parse(query)) == unit


def test_every_unit_has_its_texts() -> None:
    for language in LANGUAGES:
        assert all(
            f"rule_value.{one}" in catalog(language) and f"rule_unit.{one}" in catalog(language) for one in UNITS
        )
