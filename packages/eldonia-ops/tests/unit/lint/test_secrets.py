"""No value of the environment, and no secret, is in anything that checking and starting say."""

import logging
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eldonia_ops.app.loader import load_configuration
from eldonia_ops.lint import check_files, format_report
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.settings import load_settings

SECRETS = st.text(st.sampled_from("abcdefgh0123456789"), min_size=8, max_size=20).map(lambda text: f"s3cr3t{text}")

# Each speaks of ${X} in a place where a fault, or a neighbour's hint, may quote it.
SETTINGS = [
    "incidents: {escalation: [{tier: development}, {tier: management, receiver: '${X}', after: 1h}]}",
    "incidents: {escalation: [{tier: '${X}'}, {tier: '${X}', receiver: nobody, after: 5x}]}",
    "probes: [{name: '${X}', url: 'http://a/'}, {name: '${X}', url: 'http://b/'}, {name: c, url: 'ftp://${X}/'}]",
    "scrape: [{job: '${X}', targets: ['h:1']}, {job: '${X}', targets: ['${X}']}]",
    "recovery: [{service: '${X}', probe: nope, action: {process: {command: ['${X}']}}}]",
    "probes: [{name: '${X}', url: 'http://a/'}]\nobjectives: [{name: o, probe: other, objective: '${X}'}]",
    "rules: {files: ['${X}/a.yml', '${X}/*.yml', '/srv/${X}']}",
    "alertmanager: {file: '${X}.yml'}\nincidents: {runbook: '/srv/${X}/rb.yml'}",
    "language: '${X}'\nlisten: '${X}:99999'\nretention: {logs: '${X}'}",
    "state: '${X}'\ntelemetry: 'http://u:${X}@h:0/'\nexternal_url: 'htp://${X}'",
    "security: {windows: {'${X}': {count: 1}, failed_login: {count: '${X}'}}}",
    "host: {labels: {job: '${X}', '${X}': a}}",
    "logs: [{path: '${X}', format: '${X}', service: '${X}'}]",
    "postgresql: [{dsn: 'mysql://u:${X}@h/'}]",
    "language: '${UNSET:-%s}'\nincidents: {escalation: [{tier: development, receiver: '${UNSET:-%s}'}]}",
]
ROUTINGS = [
    "receivers: [{name: r, slack_configs: [{api_url: '${X}', channel: '${X}'}]}]",
    "receivers: [{name: r, webhook_configs: [{url: 'http://h/${X}', timeout: '${X}', max_alerts: '${X}'}]}]",
    "receivers: [{name: r, email_configs: [{to: a@b, from: c@d, smarthost: '${X}', auth_password: '${X}'}]}]",
    "global: {smtp_smarthost: '${X}', pagerduty_url: 'ftp://${X}', slack_api_url: '${X}'}\nreceivers: [{name: r}]",
    "receivers: [{name: r, pagerduty_configs: [{routing_key: '${X}', severity: '${X}', url: '${X}'}]}]",
    "receivers: [{name: r, webhook_configs: [{url: 'http://h/', http_config: {proxy_url: 'socks5://u:${X}@h', "
    "http_headers: {A: {secrets: ['${X}']}, Host: {values: ['${X}']}}}}]}]",
    "receivers: [{name: r, webhook_configs: [{url: 'http://h/', http_config: {oauth2: {client_id: '${X}', "
    "client_secret: '${X}', token_url: '${X}', grant_type: '${X}'}}}]}]",
    "receivers: [{name: r, opsgenie_configs: [{api_key: '%s', api_url: '%s'}]}]",
    "receivers: [{name: r, pagerduty_configs: [{routing_key: %s}, {routing_key: {%s: a}}]}]\nglobl: {api_key: %s}",
]
SLIPS = st.sampled_from(["", "\t", ":", "'", "{", "\n", "- ", "x"])


def quoted(secret: str, found: list[Diagnostic], texts: dict[str, str]) -> str:
    """All that people, programs and logs see of what was found."""
    shown = format_report(found, texts.get)
    return "\n".join([shown, *(str(item) for item in found), *(str(asdict(item)) for item in found)])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SECRETS, st.sampled_from(SETTINGS), st.sampled_from(ROUTINGS), st.integers(0, 200), SLIPS, st.booleans())
def test_nothing_that_is_said_about_a_file_holds_what_came_from_the_environment(
    caplog: pytest.LogCaptureFixture, secret: str, one: str, other: str, at: int, slip: str, slips_in_routing: bool
) -> None:
    route = "route: {receiver: r, routes: [{receiver: gone, matchers: ['a=']}]}\n"
    written = {"eldonia-ops.yml": one, "alertmanager.yml": route + other}
    victim = "alertmanager.yml" if slips_in_routing else "eldonia-ops.yml"
    text = written[victim]
    cut = min(at, *(text.index(mark) for mark in ("${", "%s") if mark in text))  # in front of the secret
    written[victim] = text[:cut] + slip + text[cut:]
    if "alertmanager:" not in one:
        written["eldonia-ops.yml"] += "\nalertmanager: {file: alertmanager.yml}\n"
    env = {"HOME": "/", "X": secret}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        texts = {}
        for file, content in written.items():
            texts[str(folder / file)] = content.replace("%s", secret)
            (folder / file).write_text(texts[str(folder / file)])
        found = check_files([folder], env, kinds=built_in())
        seen = quoted(secret, [item for item in found if secret not in item.file], texts)
        started: list[Diagnostic] = []
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            for load in (
                lambda: load_settings(folder / "eldonia-ops.yml", env),
                lambda: load_configuration(folder / "eldonia-ops.yml", env),
            ):
                try:
                    load()
                except ConfigError as error:
                    started += error.diagnostics
    assert secret not in seen
    assert secret not in quoted(secret, started, texts)
    assert secret not in caplog.text


def test_the_name_of_the_variable_is_shown_instead(tmp_path: Path) -> None:
    (tmp_path / "eldonia-ops.yml").write_text(SETTINGS[0])
    [found] = check_files(
        [tmp_path / "eldonia-ops.yml"],
        {"SLACK_WEBHOOK_URL": "http://x/", "PAGERDUTY_ROUTING_KEY": "k", "X": "s3cr3t-receiver"},
        kinds=built_in(),
    )
    assert "through the receiver '${X}', which" in found.message
