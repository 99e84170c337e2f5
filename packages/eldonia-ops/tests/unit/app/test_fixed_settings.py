"""Settings that take a restart."""

from dataclasses import fields, replace
from pathlib import Path

import pytest

from eldonia_ops.app.fixed_settings import with_fixed
from eldonia_ops.settings import Settings, parse_settings


def settings(text: str) -> Settings:
    return parse_settings(text, Path("/srv/eldonia-ops.yml"), {"HOME": "/home/hana"})


RUNNING = settings("language: en\n")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("data: /other", ("data",)),
        ("state: postgresql://a/b", ("state",)),
        ("data: /other\nstate: sqlite:///x.db", ("data", "state")),
        ("listen: 127.0.0.1:1", ("listen",)),
        ("tls: {acme: {domains: [ops.example]}}", ("tls",)),
        ("telemetry: http://ch:8123/x", ("telemetry",)),
        ("external_url: https://ops.example", ("external_url",)),
        ("retention: {logs: 3d, state: 9d, head: 1h}", ("retention.logs", "retention.head")),
        ("elasticsearch: {index: all}", ("elasticsearch.index",)),
        ("rules: {speed: 10, evaluation_interval: 5s}", ("rules.speed",)),
        ("limits: {request: 1MiB, log_line: 1KiB, series: 5}", ("limits.request", "limits.series")),
    ],
)
def test_what_differs_is_named_and_keeps_its_value(text: str, names: tuple[str, ...]) -> None:
    wanted = settings(text)
    kept, found = with_fixed(RUNNING, wanted)
    assert found == names
    again, left = with_fixed(RUNNING, kept)
    assert (again, left) == (kept, ())
    for name in names:
        holder, _, key = name.rpartition(".")
        now, then = (getattr(one, holder) if holder else one for one in (kept, RUNNING))
        assert getattr(now, key) == getattr(then, key)


def test_what_can_change_changes() -> None:
    wanted = settings(
        "language: ja\nretention: {state: 9d}\nrules: {evaluation_interval: 5s}\nlimits: {log_line: 1KiB}\n"
        "host: {enabled: false}\nprobes: [{name: p, url: 'http://x/'}]\nincidents: {reopen_within: 1h}\n"
    )
    kept, names = with_fixed(RUNNING, wanted)
    assert names == ()
    assert kept == wanted


def test_each_part_of_the_settings_changes_or_is_named() -> None:
    """A setting that is new must not be one that a reload silently leaves as it was."""
    live = {
        "file", "language", "rules", "alertmanager", "objectives", "security", "incidents", "recovery", "concealed",
        "retention", "limits", "collectors", "listeners", "services", "sign_on", "trusted_proxies",
        "span_metrics", "log_metrics",
        "managed", "parts", "dashboards", "pipeline",
    }  # fmt: skip
    named = {"tls", "data", "state", "listen", "telemetry", "storage", "external_url", "elasticsearch"}
    assert {field.name for field in fields(Settings)} == live | named
    assert with_fixed(RUNNING, replace(RUNNING, file=Path("/else")))[1] == ()
