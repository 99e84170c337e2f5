"""What is shown of a configuration: all of it but its secrets, in a form that reads back."""

from dataclasses import replace
from pathlib import Path

import pytest

from eldonia_ops.app.loader import configuration_of
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig, parse_alertmanager_config
from eldonia_ops.protocols.alertmanager.config_text import configuration_text
from eldonia_ops.settings import AlertmanagerSettings, parse_settings

FULL = """
# a comment may hold hunter2 too
global:
  resolve_timeout: 7m
  slack_api_url: https://hooks.slack.example/services/hunter2
  smtp_smarthost: mail.example:587
  smtp_from: ops@example.com
  smtp_auth_username: ops
  smtp_auth_password: hunter2
  pagerduty_url: https://user:hunter2@events.example/enqueue
  http_config: {authorization: {credentials: hunter2}}
templates: ["*.tmpl"]
route:
  receiver: everything
  group_by: [alertname, service]
  routes:
    - matchers: ['severity="critical"', "team=~\\"a|b\\""]
      receiver: files
      continue: true
      group_wait: 0s
      repeat_interval: 1d
      mute_time_intervals: [nights]
    - {match: {team: "hunter's"}, group_by: ['...']}
receivers:
  - name: everything
    slack_configs:
      - channel: '#ops'
        title: '{{ .CommonLabels.alertname }}'
        fields: [{title: a, value: b}]
        actions: [{type: button, text: x, url: "https://user:hunter2@x.example/"}]
    pagerduty_configs: [{routing_key: hunter2, details: {a: b, api_token: hunter2, seen: "https://x.example/?key=hunter2"}}]
    webhook_configs:
      - {url: "https://hook.example/?token=hunter2", timeout: 5s, max_alerts: 3}
      - {url: "${HOOK}", http_config: {basic_auth: {username: me, password: hunter2}}}
      - {url: "${UNSET}"}
      - url: "https://hook.example/"
        http_config:
          proxy_url: http://user:hunter2@proxy.example
          no_proxy: intern.example
          proxy_connect_header: {X-Tunnel: [hunter2]}
          http_headers: {X-Team: {values: [hunter2], secrets: [hunter2], files: [/run/header]}}
          tls_config: {ca_file: /run/ca, cert: hunter2, key: hunter2, server_name: hooks.example, min_version: TLS12}
          oauth2:
            client_id: our-client
            client_secret: hunter2
            token_url: https://token.example/hunter2
            scopes: [a]
            endpoint_params: {audience: hunter2}
            tls_config: {ca_file: /run/other-ca}
    email_configs: [{to: a@example.com, headers: {Subject: hi, X-Auth-Token: hunter2}}]
  - name: files
    slack_configs: [{api_url_file: /run/slack, channel: '#a'}]
    webhook_configs: [{url_file: /run/url, http_config: {bearer_token_file: /run/bearer}}]
inhibit_rules:
  - {source_matchers: [a="b"], target_matchers: [c!~"d"], equal: [service]}
time_intervals:
  - name: nights
    time_intervals:
      - times: [{start_time: "22:00", end_time: "24:00"}]
        weekdays: ['monday:friday', sunday]
        days_of_month: ['1:5', '-3:-1']
        months: ['january:march']
        years: ['2026']
        location: Asia/Tokyo
"""


def read(text: str) -> AlertmanagerConfig:
    return parse_alertmanager_config(text, environment={"HOOK": "https://hook.example/hunter2"}, kinds=built_in())


def test_no_secret_is_shown_wherever_it_stood() -> None:
    shown = configuration_text(read(FULL))
    assert "hunter2" not in shown
    assert shown.count("<secret>") >= 9
    for kept in (
        "#ops",
        "mail.example:587",
        "/run/slack",
        "/run/bearer",
        "hunter's",
        "no_proxy: intern.example",
        "X-Team:",
        "/run/header",
        "server_name: hooks.example",
        "min_version: TLS12",
        "client_id: our-client",
        "/run/other-ca",
        "https://<secret>@events.example",
    ):
        assert kept in shown, kept


def test_what_is_shown_reads_back_as_the_same_routing() -> None:
    config = read(FULL)
    again = read(configuration_text(config).replace("<secret>", "https://secret.example/"))

    def outline(one: AlertmanagerConfig) -> object:
        routes = [
            (route.id, route.receiver, route.matchers, route.continues, route.group_by, route.group_by_all,
             route.group_wait, route.group_interval, route.repeat_interval, route.mute_time_intervals)
            for route in one.routing.route.walk()
        ]  # fmt: skip
        rules = [(rule.source_matchers, rule.target_matchers, rule.equal) for rule in one.routing.inhibit_rules]
        kinds = {
            name: [(item.kind, item.index, item.config.send_resolved) for item in receiver.integrations]
            for name, receiver in one.routing.receivers.items()
        }
        return routes, rules, kinds, one.routing.time_intervals, one.routing.resolve_timeout, one.template_globs

    assert outline(again) == outline(config)


@pytest.mark.parametrize("file", [None, "own"])
def test_what_the_platform_shows_comes_from_the_model(tmp_path: Path, file: str | None) -> None:
    path = None
    if file:
        path = tmp_path / "alertmanager.yml"
        path.write_text(FULL.replace('templates: ["*.tmpl"]\n', ""))
    env = {"HOOK": "https://hook.example/hunter2", "HOME": "/"}
    settings = parse_settings("rules: {speed: 60}", tmp_path / "eldonia-ops.yml", env)
    settings = replace(settings, alertmanager=AlertmanagerSettings(path))
    shown = configuration_of(settings, env).routing_text
    assert "hunter2" not in shown
    assert "receivers:" in shown
    assert "comment" not in shown
    if file:
        assert "resolve_timeout: 7m" in shown  # as it is written, not as the demonstration speeds it up
