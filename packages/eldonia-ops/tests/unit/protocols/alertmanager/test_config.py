# ruff: noqa: E501 - tables are read by the line
from pathlib import Path

import pytest
from required_tools import requires_shared

from eldonia_ops.alerting.http_config import HttpConfig
from eldonia_ops.alerting.receivers import UndeliverableConfig
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.protocols.alertmanager.config import AlertmanagerConfig, parse_alertmanager_config

MINIMAL = """\
route:
  receiver: team
receivers:
  - name: team
"""

# The shape of the design document's own file, faults included.
SEED = """\
global:
  resolve_timeout: 5m
  slack_api_url: 'https://hooks.slack.com/services/SECRET'
route:
  group_by: ['alertname', 'service']
  receiver: 'slack-notifications'
  routes:
    - match:
        severity: critical
      receiver: 'pager-duty-critical'
      continue: true

    - match:
        severity: warning
      receiver: 'slack-notifications'

    - match:
        service: security
      receiver: 'security-team'
      continue: true
receivers:
  - name: 'slack-notifications'
    slack_configs:
      - channel: '#eldonia-alerts'
        title: '{{ template "slack.eldonia.title" . }}'
        send_resolved: true
  - name: 'pager-duty-critical'
    pagerduty_configs:
      - routing_key: YOUR_PAGERDUTY_KEY
        severity: '{{ if eq .GroupLabels.severity "critical" }}critical{{ else }}warning{{ end }}'
  - name: 'security-team'
    slack_configs:
      - channel: '#eldonia-security'
templates:
  - '/etc/alertmanager/template/*.tmpl'
inhibit_rules:
  - source_match:
      severity: 'critical'
    target_match:
      severity: 'warning'
    equal: ['alertname', 'service']
"""
FILES = {"/etc/alertmanager/template/a.tmpl": '{{ define "slack.eldonia.title" }}[{{ .Status }}]{{ end }}'}


def parse(text, **more):
    return parse_alertmanager_config(text, "am.yml", **more, kinds=built_in())


def faults(text, **more):
    with pytest.raises(ConfigError) as caught:
        parse(text, **more)
    return [str(item) for item in caught.value.diagnostics if item.level is Level.ERROR]


def test_the_designs_file_parses_once_its_templates_exist():
    config = parse(SEED, read_templates=lambda glob: FILES)
    root = config.routing.route
    assert [route.receiver for route in root.walk()] == [
        "slack-notifications", "pager-duty-critical", "slack-notifications", "security-team",
    ]  # fmt: skip
    assert {(route.group_wait, route.group_interval, route.repeat_interval) for route in root.walk()} == {
        (30_000, 300_000, 14_400_000)
    }
    assert root.routes[0].group_by == ("alertname", "service")
    assert config.template_globs == ("/etc/alertmanager/template/*.tmpl",)
    [integration] = config.routing.receivers["slack-notifications"].integrations
    assert integration.key == "slack-notifications/slack/0"
    assert isinstance(integration.config, SlackConfig)
    assert "SECRET" not in repr(config)


def test_what_the_designs_file_cannot_do_is_said():
    warnings = [str(item) for item in parse(SEED, read_templates=lambda glob: FILES).warnings]
    assert warnings[0].startswith("am.yml:17: warning: the route to 'security-team' {service=\"security\"} never sees")
    assert "earlier route at line 13 takes them" in warnings[0]
    assert ".GroupLabels.severity is always empty: the route at line 8 groups by alertname, service" in warnings[1]
    assert len(warnings) == 2


def test_an_undefined_template_is_an_error_with_its_place():
    assert faults(SEED) == [
        "am.yml:25:20: error: title of slack_configs of receiver 'slack-notifications': template "
        "'slack.eldonia.title' is not defined (did you mean 'slack.default.title'?)"
    ]


def test_an_inhibit_rule_is_checked_against_the_rules_that_exist():
    text = (
        MINIMAL
        + "inhibit_rules:\n- {source_match: {severity: critical}, target_match: {severity: warning}, equal: [service]}\n"
    )
    down = Labels({"alertname": "Down", "severity": "critical", "service": "a"})
    slow = Labels({"alertname": "Slow", "severity": "warning", "service": "a"})
    assert parse(text, known_alerts=[down, slow]).warnings == ()
    [warning] = parse(text, known_alerts=[down, slow.with_(service="b")]).warnings
    assert "no two alerts" in warning.message
    [warning] = parse(text, known_alerts=[down]).warnings
    assert "its target matchers" in warning.message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("route: {receiver: taem}", "am.yml:1:19: error: receiver 'taem' is not defined (did you mean 'team'?)"),
        ("route: {receiver: team, group_weit: 3s}", "am.yml:1:25: error: unknown key 'group_weit' in route (did you mean 'group_wait'?)"),
        ("route: {receiver: team, group_wait: soon}", "am.yml:1:37: error: group_wait must be a duration, not 'soon'"),
        ("route: {receiver: team, group_by: ['...', a]}", "am.yml:1:35: error: group_by: '...' (every label) cannot be combined"),
        ("route: {receiver: team, match: {a: b}}", "am.yml:1:8: error: the root route must not have matchers"),
        ("route: {group_wait: 3s}", "am.yml:1:8: error: the root route needs receiver"),
        ("route: {receiver: team, routes: [{matchers: ['a=~\"(\"']}]}", "am.yml:1:46: error: bad regular expression '('"),
        ("route: {receiver: team, routes: [{matchers: ['a b']}]}", "am.yml:1:46: error: bad matcher 'a b'"),
        ("route: {receiver: team, routes: [{match_re: {a: '['}}]}", "am.yml:1:49: error: bad regular expression"),
        ("route: {receiver: team, routes: [{mute_time_intervals: [night]}]}", "am.yml:1:56: error: time interval 'night' is not defined"),
        ("route: {receiver: team, repeat_interval: 0s}", "am.yml:1:42: error: repeat_interval cannot be zero"),
    ],
)  # fmt: skip
def test_faults_of_routes(change, expected):
    text = change + "\nreceivers: [{name: team}]\n"
    assert any(fault.startswith(expected) for fault in faults(text)), faults(text)


@pytest.mark.parametrize(
    ("receiver", "expected"),
    [
        ("slack_configs: [{}]", "has no Slack address"),
        ("slack_configs: [{api_url: 'hooks'}]", "api_url must be an http:// or https:// address"),
        ("slack_configs: [{api_url: 'http://x', titel: a}]", "unknown key 'titel' in slack_configs of receiver 'team' (did you mean 'title'?)"),
        ("slack_configs: [{api_url: 'http://x', title: '{{ .Foo'}]", "title of slack_configs of receiver 'team': unclosed action"),
        ("slack_configs: [{api_url: 'http://x', title: '{{ foo }}'}]", "function 'foo' is not defined"),
        ("slack_configs: [{api_url: 'http://x', actions: [{type: button, text: t}]}]", "a Slack action needs url or name"),
        ("pagerduty_configs: [{}]", "needs routing_key or routing_key_file"),
        ("pagerduty_configs: [{routing_key: k, severity: bad}]", "PagerDuty knows no severity 'bad' (one of critical"),
        ("pagerduty_configs: [{routing_key: k, routing_key_file: f}]", "has both routing_key and routing_key_file"),
        ("webhook_configs: [{}]", "needs url or url_file"),
        ("webhook_configs: [{url: 'http://x', http_config: {tls_config: {cert_file: c}}}]", "tls_config needs a certificate (cert, cert_file) with its key"),
        ("email_configs: [{to: a@b}]", "needs smarthost"),
        ("email_configs: [{to: a@b, from: c@d, smarthost: host}]", "smarthost must be host:port"),
    ],
)  # fmt: skip
def test_faults_of_receivers(receiver, expected):
    text = "route: {receiver: team}\nreceivers:\n- name: team\n  " + receiver + "\n"
    found = faults(text)
    assert any(expected in fault and ":4:" in fault for fault in found), found


def test_secrets_never_show_in_faults():
    text = (
        MINIMAL
        + "    slack_configs: [{api_url: 'hooks.slack.com/TOPSECRET'}]\nglobal: {slack_api_url: 'ftp://TOPSECRET'}\n"
    )
    assert len(faults(text)) == 2
    assert "TOPSECRET" not in "".join(faults(text))


def test_template_places_are_lines_of_the_yaml_file():
    text = MINIMAL + "    slack_configs:\n    - api_url: 'http://x'\n      text: |\n        fine\n        {{ bad }}\n"
    assert faults(text)[0].startswith("am.yml:9: error: text of slack_configs")


def test_faulty_template_files_are_named():
    text = MINIMAL + "templates: [t/*.tmpl]\n"
    files = {
        "conf/t/a.tmpl": '\n{{ define "x" }}{{ if }}{{ end }}{{ end }}',
        "conf/t/b.tmpl": '{{ define "y" }}{{ template "zz" }}{{ end }}',
    }
    seen = []

    def read(glob):
        seen.append(glob)
        return files

    with pytest.raises(ConfigError) as caught:
        parse_alertmanager_config(text, "conf/am.yml", read_templates=read, kinds=built_in())
    assert seen == ["conf/t/*.tmpl"]
    found = {(item.file, item.line) for item in caught.value.diagnostics}
    assert found == {("conf/t/a.tmpl", 2), ("conf/t/b.tmpl", 1)}


def test_secrets_from_the_environment_and_from_files():
    text = (
        MINIMAL
        + "    slack_configs: [{api_url: '${HOOK}'}, {api_url_file: hook}]\n    pagerduty_configs: [{routing_key: '${KEY}'}]\n"
    )
    config = parse_alertmanager_config(text, "conf/am.yml", environment={"HOOK": "https://h"}, kinds=built_in())
    first, second, third = (item.config for item in config.routing.receivers["team"].integrations)
    assert first.api_url.inline.reveal() == "https://h"
    assert second.api_url.file == "conf/hook"
    assert third.routing_key.missing == "the environment variable KEY is not set"
    assert [item.level for item in config.warnings] == [Level.WARNING]


def test_time_intervals_and_email():
    text = """\
global: {smtp_from: ops@example.org, smtp_smarthost: 'mail:587', smtp_auth_username: u, smtp_auth_password: p}
route:
  receiver: team
  routes:
  - matchers: [a="b"]
    active_time_intervals: [office]
    group_by: ['...']
receivers:
- name: team
  email_configs: [{to: a@example.org, headers: {subject: 'x'}}]
time_intervals:
- name: office
  time_intervals:
  - weekdays: ['monday:friday']
    times: [{start_time: '09:00', end_time: '17:30'}]
    days_of_month: ['1:5', '-3:-1']
    months: ['january:march', '12']
    years: ['2026:2030']
    location: Asia/Tokyo
"""
    config = parse(text)
    [interval] = config.routing.time_intervals["office"].intervals
    assert interval.times == ((540, 1050),)
    assert interval.weekdays == ((1, 5),)
    assert interval.months == ((1, 3), (12, 12))
    assert interval.days_of_month == ((1, 5), (-3, -1))
    route = config.routing.route.routes[0]
    assert route.group_by_all
    assert route.group_labels(Labels({"x": "y"})) == Labels({"x": "y"})
    email = config.routing.receivers["team"].integrations[0].config
    assert isinstance(email, EmailConfig)
    assert email.from_ == "ops@example.org"
    assert dict(email.headers) == {"Subject": "x"}
    assert any("'fridat' is not valid" in item for item in faults(text.replace("monday:friday", "monday:fridat")))
    assert any("did you mean 'Asia/Tokyo'" in item for item in faults(text.replace("Asia/Tokyo", "Asia/Toyko")))
    assert any("not before" in item for item in faults(text.replace("09:00", "18:00")))


def test_routes_that_can_never_match():
    text = """\
route:
  receiver: team
  routes:
  - {receiver: team, matchers: ['a=~"x|y"']}
  - {receiver: other, matchers: ['a="x"', 'b="c"']}
  - {receiver: other, matchers: ['a="z"']}
  - {receiver: other, matchers: ['c="1"', 'c="2"']}
  - receiver: team
  - {receiver: other, matchers: ['d="e"']}
receivers: [{name: team}, {name: other}]
"""
    found = {item.line: item.message for item in parse(text).warnings}
    assert set(found) == {5, 7, 9}
    assert "the earlier route at line 4" in found[5]
    assert "contradict" in found[7]
    assert "the earlier route at line 8" in found[9]


def test_the_shipped_configuration_has_no_warning():
    folder = Path(__import__("eldonia_ops").__file__).parent / "defaults"

    def read(glob):
        return {str(path): path.read_text("utf-8") for path in folder.glob(str(Path(glob).relative_to(folder)))}

    file = folder / "alertmanager.yml"
    environment = {"SLACK_WEBHOOK_URL": "https://slack.example", "PAGERDUTY_ROUTING_KEY": "k"}
    config = parse_alertmanager_config(
        file.read_text("utf-8"), str(file), read_templates=read, environment=environment, kinds=built_in()
    )
    assert config.warnings == ()

    def notified(**labels):
        return [route.receiver for route in config.routing.route.match(labels)]

    assert notified(service="security", severity="warning") == ["security-team", "slack-notifications"]
    assert notified(service="security", severity="critical") == [
        "security-team",
        "pager-duty-critical",
        "slack-notifications",
    ]
    assert notified(service="payment", severity="critical") == ["pager-duty-critical", "slack-notifications"]
    assert notified(service="application", severity="warning") == ["slack-notifications"]
    assert notified() == ["slack-notifications"]


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        ("pagerduty_configs: [{routing_key: k, details: [a]}]", "details must be a mapping, not a list"),
        ("pagerduty_configs: [{routing_key: k, details: {a: [1]}}]", "details.a must be a text, not a list"),
        ("email_configs: [{to: a@b, from: c@d, smarthost: 'h:25', headers: x}]", "headers must be a mapping, not 'x'"),
        ("email_configs: [{to: a@b, from: c@d, smarthost: 'h:99999'}]", "smarthost must be host:port, not 'h:99999'"),
        ("email_configs: [{to: a@b, from: c@d, smarthost: 'h:0'}]", "smarthost must be host:port, not 'h:0'"),
        ("webhook_configs: [{url: 'http://'}]", "url must be an http:// or https:// address"),
        ("slack_configs: [{api_url: 'https://h:99999/'}]", "api_url must be an http:// or https:// address"),
        ("pagerduty_configs: [{routing_key: k, url: 'https://'}]", "url must be an http:// or https:// address, not"),
    ],
)
def test_what_a_receiver_could_not_use_is_not_passed_over(integration, message):
    [found] = faults(f"{MINIMAL}    {integration}\n")
    assert f"error: {message}" in found


def routed_to(receiver: str) -> AlertmanagerConfig:
    return parse(f"route: {{receiver: r}}\nreceivers:\n- name: r\n  {receiver}\n")


def test_a_receiver_of_a_kind_that_is_lacked_is_loaded_and_marked() -> None:
    config = routed_to("opsgenie_configs: [{api_key: k}, {api_key: l}]")
    assert [item.key for item in config.routing.receivers["r"].integrations] == ["r/opsgenie/0", "r/opsgenie/1"]
    dead = config.routing.receivers["r"].integrations[0].config
    assert isinstance(dead, UndeliverableConfig)
    assert dead.reason == "opsgenie_configs of receiver 'r' is not supported yet"
    assert [(item.level, item.message) for item in config.warnings] == [(Level.WARNING, dead.reason)]


def http_of(text: str) -> HttpConfig:
    config = routed_to(f"webhook_configs: [{{url: 'http://x/', http_config: {{{text}}}}}]")
    assert config.warnings == ()
    found = config.routing.receivers["r"].integrations[0].config
    assert isinstance(found, WebhookConfig)
    return found.http


def test_http_config_as_a_whole_is_loaded() -> None:
    http = http_of("proxy_url: 'http://p:3128', no_proxy: a, tls_config: {ca_file: ca.pem, insecure_skip_verify: true}")
    assert (http.proxy.url.inline.reveal(), http.proxy.no_proxy) == ("http://p:3128", "a")
    assert (http.tls.ca.file, http.tls.insecure_skip_verify, http.unsupported) == ("ca.pem", True, "")
    http = http_of("tls_config: {cert: C, key: K, server_name: n, min_version: TLS12, max_version: TLS13}")
    assert (http.tls.cert.inline.reveal(), http.tls.server_name, http.tls.max_version) == ("C", "n", "TLS13")
    http = http_of("oauth2: {client_id: c, client_secret_file: s, token_url: 'http://t/', scopes: [a], tls_config: {}}")
    assert http.oauth2
    assert (http.oauth2.client_id, http.oauth2.client_secret.file, http.oauth2.scopes) == ("c", "s", ("a",))
    http = http_of("http_headers: {X-A: {values: [v], secrets: [s], files: [f]}}, proxy_from_environment: true")
    assert [(name, value.file or value.inline.reveal()) for name, value in http.headers] == [
        ("X-A", "v"), ("X-A", "s"), ("X-A", "f"),
    ]  # fmt: skip
    assert http.proxy.from_environment


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("proxy_url: 'socks5://p:1'", "proxies of the kind socks5:// are not supported yet"),
        ("tls_config: {ca_ref: store}", "tls_config: ca_ref is not supported yet"),
        ("oauth2: {client_id: c, token_url: 'http://t/', grant_type: 'urn:jwt'}", "only client_credentials"),
    ],
)
def test_what_cannot_be_applied_keeps_everything_from_being_sent(text: str, reason: str) -> None:
    config = routed_to(f"webhook_configs: [{{url: 'http://x/', http_config: {{{text}}}}}]")
    found = config.routing.receivers["r"].integrations[0].config
    assert isinstance(found, WebhookConfig)
    assert reason in found.http.unsupported
    assert [(item.level, reason in item.message) for item in config.warnings] == [(Level.WARNING, True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oauth2: {token_url: 'http://t/'}", "oauth2 needs client_id"),
        ("oauth2: {client_id: c}", "oauth2 needs token_url"),
        ("oauth2: {client_id: c, token_url: 'http://t/', client_secret: a, client_secret_file: b}", "has both"),
        ("oauth2: {client_id: c, token_url: 'http://t/'}, bearer_token: b", "takes one of authorization, basic_auth"),
        ("basic_auth: {username: u}, authorization: {credentials: c}", "takes one of authorization, basic_auth"),
        ("basic_auth: {password: p}", "basic_auth needs username or username_file"),
        ("authorization: {type: Basic, credentials: c}", 'type cannot be "basic"'),
        ("proxy_from_environment: true, proxy_url: 'http://p/'", "one of proxy_from_environment and proxy_url"),
        ("proxy_from_environment: true, no_proxy: a", "one of proxy_from_environment and no_proxy"),
        ("no_proxy: a", "no_proxy without proxy_url"),
        ("proxy_connect_header: {A: [b]}", "proxy_connect_header without a proxy"),
        ("http_headers: {Authorization: {values: [a]}}", "the header Authorization cannot be set here"),
        ("http_headers: {'X Y': {values: [a]}}", "this is not the name of a header"),
        ("tls_config: {ca: a, ca_file: b}", "has both ca and ca_file"),
        ("tls_config: {min_version: TLS1.2}", "min_version cannot be 'TLS1.2'"),
        ("tls_config: {min_version: TLS13, max_version: TLS12}", "max_version is below min_version"),
    ],
)  # fmt: skip
def test_contradictions_in_http_config(text: str, expected: str) -> None:
    found = faults(
        f"route: {{receiver: r}}\nreceivers:\n- name: r\n  webhook_configs: [{{url: 'http://x/', http_config: {{{text}}}}}]"
    )
    assert any(expected in fault for fault in found), found


@pytest.mark.parametrize("key", ["match_re", "source_match_re", "target_match_re"])
def test_a_regular_expression_that_is_null_is_refused(key: str) -> None:
    text = "route: {receiver: r, routes: [{%s receiver: r}]}\nreceivers: [{name: r}]\n" % (
        "match_re: {team: }," if key == "match_re" else ""
    )
    if key != "match_re":
        other = "target_match" if key.startswith("source") else "source_match"
        text += f"inhibit_rules: [{{{key}: {{team: }}, {other}: {{a: b}}}}]\n"
    assert "match_re of team needs a regular expression" in " ".join(map(str, faults(text)))


def test_errors_do_not_hide_warnings() -> None:
    text = """route:
  receiver: r
  routes:
    - {matchers: [severity="warning"], receiver: r}
    - {matchers: [service="security"], receiver: sec}
receivers:
  - {name: r}
  - {name: sec, slack_configs: [{api_url: "http://127.0.0.1:1", title: '{{ template "nope" . }}'}]}
"""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert {item.level for item in caught.value.diagnostics} == {Level.ERROR, Level.WARNING}


def test_empty_texts_are_as_if_they_were_not_there() -> None:
    config = parse(
        "global: {smtp_smarthost: 'localhost:25', smtp_from: a@b, smtp_auth_username: '', smtp_auth_password: ''}\n"
        "route: {receiver: r}\nreceivers: [{name: r, email_configs: [{to: b@c}]}]\n"
    )
    assert not config.routing.receivers["r"].integrations[0].config.auth_password


CORPUS = Path(__file__).resolve().parents[6].parent / "shared" / "alertmanager-config"
LACKED = ("mattermost", "opsgenie", "rocketchat", "sns", "telegram", "victorops", "wechat")


@requires_shared("alertmanager-config")
def test_verdicts_are_those_of_amtool() -> None:
    """What is wrong inside of a receiver of a kind that is lacked is not looked for."""
    wrong: list[str] = []
    for line in (CORPUS / "verdicts.tsv").read_text().splitlines()[1:]:
        name, verdict, *_ = line.split("\t")
        try:
            parse_alertmanager_config((CORPUS / name).read_text(), name, kinds=built_in())
            ours = "accept"
        except ConfigError:
            ours = "refuse"
        if ours != verdict and not (verdict == "refuse" and any(kind in name for kind in LACKED)):
            wrong.append(f"{name}: {verdict}")
    assert wrong == []
