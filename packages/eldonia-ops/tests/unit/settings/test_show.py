"""``config show``: what applies, and nothing that is secret."""

from pathlib import Path

import pytest
import yaml

from eldonia_ops.settings import Settings, parse_settings
from eldonia_ops.settings.show import effective_settings

ENV = {"HOME": "/home/hana", "PACE": "30s", "TOKEN": "hunter2-token", "HOST_URL": "http://shop.internal/"}

FULL = r"""
language: ja
listen: '[::1]:1234'
external_url: https://ops.example.org/
retention: {logs: 12d, head: 90m}
logs: [{path: /a/*.log, service: 'a${B:-}', format: auto}]
scrape:
  - {job: a, targets: [h:1, '[::1]:2'], interval: 5s, scheme: https, labels: {env: prod}}
host: {enabled: false, interval: '${PACE}'}
probes:
  - {name: web, url: 'http://x/$${plain}', expect_status: [200, 302], timeout: 2s, labels: {team: a}}
  - {name: db, url: 'tcp://db:5432'}
  - {name: mail, url: 'tls://db:465', send: "QUIT\r\n", expect_text: '221', verify_certificate: false}
rules: {files: [rules/*.yml], speed: 2.5}
alertmanager: {file: am.yml}
objectives: [{name: o, service: s, good: 'a[$window]', total: 'b[$window]', target: 99.5}]
security: {windows: {failed_login: {threshold: 3, window: 90s}}}
incidents: {opens: {sev1: high}, escalation: [{tier: vendor, receiver: v}, {tier: board, after: 9h}], reopen_within: 0s}
recovery:
  - {service: a, probe: web, action: {systemd: shop@1.service}, delay: 2s, labels: {team: a}}
  - {service: b, probe: web, action: {docker: shop}, maintenance: [02:00-04:00, 'Sat-Mon 22:00-24:00', Wed 01:00-02:00]}
  - {service: c, probe: web, action: {command: [/bin/restart, '1']}}
  - {service: d, probe: web, action: {process: {command: [python], log: x.log}}}
limits: {request: 1000, log_line: 1MiB, query_timeout: 90s}
"""

SECRET = """
state: postgresql://ops:s3cret-1@db/ops
telemetry: http://ops:s3cret-2@db:8123/ops
scrape:
  - {job: a, targets: [h:1], basic_auth: {username: hana, password: s3cret-3}}
  - {job: b, targets: [h:1], bearer_token: s3cret-4}
postgresql: [{dsn: 'postgresql://u:s3cret-5@h/x'}]
probes:
  - {name: p, url: 'http://u:s3cret-6@x/?key=${TOKEN}', headers: {X-Key: s3cret-7}}
recovery:
  - {service: a, probe: p, action: {webhook: {url: 'http://h/s3cret-8', headers: {A: s3cret-9}, body: {k: s3cret-10}}}}
  - {service: b, probe: p, action: {command: [/bin/x, '--token=${TOKEN}'], environment: {K: s3cret-11}}}
"""


def read(text: str) -> Settings:
    return parse_settings(text, Path("/srv/ops/eldonia-ops.yml"), ENV)


@pytest.mark.parametrize("text", ["", FULL])
def test_it_loads_to_the_same_settings(text: str) -> None:
    settings = read(text)
    assert read(effective_settings(settings)) == settings


def test_defaults_and_the_environment_are_filled_in() -> None:
    shown = yaml.safe_load(effective_settings(read(FULL)))
    assert shown["host"]["interval"] == "30s"
    assert shown["scrape"][0]["path"] == "/metrics"
    assert shown["limits"]["request"] == 1000
    assert shown["limits"]["series"] == 200_000
    assert shown["recovery"][1]["failures"] == 3
    assert "method" not in shown["probes"][1], "means nothing to a probe of tcp://"


def test_secrets_are_not_shown() -> None:
    text = effective_settings(read(SECRET))
    assert "s3cret" not in text
    assert "hunter2" not in text
    shown = yaml.safe_load(text)
    assert shown["state"] == shown["telemetry"] == "<secret>"
    assert shown["scrape"][0]["basic_auth"] == {"username": "hana", "password": "<secret>"}
    assert "basic_auth" not in shown["scrape"][1]
    assert shown["probes"][0]["url"].endswith("@x/?key=<secret>")
    assert shown["recovery"][0]["action"]["webhook"]["headers"] == {"A": "<secret>"}
    assert shown["recovery"][1]["action"]["command"] == ["/bin/x", "--token=<secret>"]
    assert shown["recovery"][1]["action"]["environment"] == {"K": "<secret>"}
