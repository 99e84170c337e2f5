from pathlib import Path

import pytest

from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.incidents import Severity
from eldonia_ops.model.secret import Secret
from eldonia_ops.model.security import SecurityEventType, SecuritySeverity
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.settings import (
    CommandAction,
    DockerAction,
    ProcessAction,
    Settings,
    SystemdAction,
    WebhookAction,
    examine_settings,
    load_settings,
    parse_settings,
)

MINUTE = 60_000


def read(text: str, files: dict[str, str] | None = None, **env: str) -> Settings:
    def read_file(path: Path) -> str:
        try:
            return (files or {})[str(path)]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory") from None

    return parse_settings(text, Path("/srv/ops/eldonia-ops.yml"), {"HOME": "/home/hana", **env}, read_file=read_file)


def faults(text: str, files: dict[str, str] | None = None, **env: str) -> list[Diagnostic]:
    with pytest.raises(ConfigError) as caught:
        read(text, files, **env)
    return list(caught.value.diagnostics)


def fault(text: str, files: dict[str, str] | None = None, **env: str) -> str:
    found = faults(text, files, **env)
    assert len(found) == 1, found
    return str(found[0]).removeprefix("/srv/ops/eldonia-ops.yml:")


def test_no_file_at_all_works() -> None:
    settings = load_settings(None, {"HOME": "/home/hana"})
    assert str(settings.listen) == "127.0.0.1:9600"
    assert settings.telemetry.reveal() == "chdb"
    assert settings.state.reveal() == f"sqlite:///{settings.data}/state.db"
    assert settings.retention.logs == 30 * 24 * 60 * MINUTE


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "{}"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert read(text) == read("listen: 127.0.0.1:9600")


def test_paths_are_relative_to_the_file() -> None:
    settings = read(
        "data: d\nlogs: [{path: 'log/*.log'}]\nrules: {files: [rules/*.yml, /abs.yml, ~/mine.yml]}\n"
        "alertmanager: {file: ../am.yml}"
    )
    assert settings.data == Path("/srv/ops/d")
    assert settings.state.reveal() == "sqlite:////srv/ops/d/state.db"
    assert settings.collectors["logs"][0].path == "/srv/ops/log/*.log"
    assert settings.rules.files == ("/srv/ops/rules/*.yml", "/abs.yml", "/home/hana/mine.yml")
    assert settings.alertmanager.file == Path("/srv/ops/../am.yml")


def test_another_data_folder_takes_the_state_along() -> None:
    moved = read("data: d").with_data(Path("/x"))
    assert (moved.data, moved.state.reveal()) == (Path("/x"), "sqlite:////x/state.db")
    kept = read("state: postgresql://db/x").with_data(Path("/x"))
    assert kept.state.reveal() == "postgresql://db/x"


def test_a_signal_may_be_kept_elsewhere() -> None:
    assert read("").telemetry_addresses() == ("chdb", "chdb", "chdb")
    settings = read(
        "telemetry: http://a/b\nstorage: {logs_dsn: chdb, traces_dsn_file: t}", {"/srv/ops/t": "http://u:p@c/d\n"}
    )
    assert settings.telemetry_addresses() == ("chdb", "http://a/b", "http://u:p@c/d")


def test_unknown_keys_are_named_with_their_place_and_the_nearest() -> None:
    assert fault("host:\n  enabeld: true\n") == ("2:3: error: unknown key 'enabeld' in host (did you mean 'enabled'?)")
    assert fault("langauge: ja") == "1:1: error: unknown key 'langauge' in the settings (did you mean 'language'?)"


def test_all_faults_are_reported_together_in_order() -> None:
    found = faults(
        """
listen: nowhere
language: fr
retention: {logs: soon}
probes:
  - {name: shop, url: ftp://x, interval: 1s, timeout: 5s}
  - {name: shop, url: http://x/}
objectives:
  - {name: a, service: s, probe: shpo}
recovery:
  - {service: shop, probe: shop, action: {systemd: a, docker: b}}
limits: {request: lots}
"""
    )
    assert [item.line for item in found] == [2, 3, 4, 6, 6, 7, 9, 11, 12]
    text = "\n".join(map(str, found))
    for part in [
        "write an address like 127.0.0.1:9600",
        "one of en, ja",
        "not a duration",
        "timeout is longer than interval",
        "http://host or https://host",
        "two probes called 'shop'",
        "there is no probe 'shpo' (did you mean 'shop'?)",
        "exactly one of process, systemd, command, docker, webhook",
        "write it like 16MiB",
    ]:
        assert part in text


def test_the_environment_is_put_in() -> None:
    text = """
listen: ${HOST:-127.0.0.1}:${PORT:-9600}
retention: {logs: "${DAYS}d"}
state: postgresql://ops:${PASSWORD}@db/ops
probes: [{name: a, url: 'http://x/$${plain}'}]
"""
    settings = read(text, PORT="80", DAYS="3", PASSWORD="s3cret")
    assert str(settings.listen) == "127.0.0.1:80"
    assert settings.retention.logs == 3 * 24 * 60 * MINUTE
    assert settings.state.reveal() == "postgresql://ops:s3cret@db/ops"
    assert settings.collectors["probes"][0].url == "http://x/${plain}"
    assert "s3cret" not in repr(settings)


def test_a_missing_variable_is_named() -> None:
    expected = "2:13: error: the environment variable PACE is not set (set it, or write ${PACE:-default})"
    assert fault("host:\n  interval: ${PACE}") == expected
    assert read("external_url: ${EMPTY}", EMPTY="").external_url == ""


def test_what_came_from_the_environment_is_not_shown() -> None:
    text = (
        "host: {interval: '${A}'}\nlanguage: ${A}\nlimits: {series: '${A}', request: '${A}'}\nstate: ${A}\nlisten: ${A}"
    )
    found = "\n".join(map(str, faults(text, A="hunter2 is the password")))
    assert "hunter2" not in found
    assert "'${A}'" in found


def test_broken_references() -> None:
    assert "without a closing brace" in fault("external_url: '${A'")
    assert "does not name an environment variable" in fault("external_url: ${1A}")


def test_secrets_may_lie_in_files() -> None:
    text = "postgresql: [{dsn_file: secrets/dsn}]\nstate_file: /run/state"
    settings = read(text, {"/srv/ops/secrets/dsn": "host=db password=x\n", "/run/state": "postgres://u:p@db/x\n"})
    assert settings.collectors["postgresql"][0].dsn.reveal() == "host=db password=x"
    assert settings.state.reveal() == "postgresql://u:p@db/x"


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        ("postgresql: [{}]", {}, "postgresql[0] needs dsn or dsn_file"),
        ("postgresql: [{dsn: a, dsn_file: b}]", {"/srv/ops/b": "x"}, "has both dsn and dsn_file"),
        ("postgresql: [{dsn_file: b}]", {}, "cannot read /srv/ops/b: No such file or directory"),
        ("postgresql: [{dsn_file: b}]", {"/srv/ops/b": "\n"}, "/srv/ops/b is empty"),
        ("state: mysql://root:hunter2@db", {}, "state is neither sqlite nor the URL of a PostgreSQL"),
        ("telemetry: 'http://[hunter2'", {}, "telemetry is neither chdb nor"),
        ("telemetry: 'http://x:hunter2@db:port'", {}, "telemetry is neither chdb nor"),
        ("telemetry: clickhouse://x:hunter2@db", {}, "telemetry is neither chdb nor"),
        ("storage: {logs_dsn: 'clickhouse://x:hunter2@db'}", {}, "logs_dsn is neither chdb nor"),
        ("storage: {tables: distributed}", {}, "distributed tables need the name of their cluster"),
        ("storage: {cluster: ops}", {}, "the tables of a single server have no cluster"),
        ("storage: {tables: replicated, cluster: 'a b'}", {}, "storage.cluster has other characters"),
        ("storage: {tables: many}", {}, "tables"),
        ("storage: {instance: 1024}", {}, "instance can be at most 1023"),
        ("scrape: [{job: a, targets: ['http://x:1/m']}]", {}, "write host:port, without http://"),
        ("scrape: [{job: a, targets: [x:99999]}]", {}, "is not a target"),
        ("scrape: [{job: a}]", {}, "scrape[0] needs targets"),
        ("scrape: [{job: a, targets: [x:1], labels: {__name__: b}}]", {}, "cannot be a label's name"),
        ("scrape: [{job: a, targets: [x:1], path: metrics}]", {}, "path must start with a slash"),
        ("probes: [{name: a, url: 'http://x', expect_status: [99]}]", {}, "'99' is not an HTTP status"),
        ("probes: [{name: a, url: 'http://x:1x/'}]", {}, "url is not a URL"),
        (
            "probes: [{name: a, url: 'http://x', interval: 1ms, timeout: 100ms}]",
            {},
            "interval is too short (at least 100ms)",
        ),
        ("rules: {speed: 0}", {}, "speed must be above 0"),
        ("objectives: [{name: a, service: s}]", {}, "needs good and total, or a probe"),
        ("objectives: [{name: a, service: s, good: 'a[5m]', total: 'b[$window]'}]", {}, "good lacks $window"),
        ("objectives: [{name: a, service: s, good: 'sum(a[$window]', total: 'b[$window]'}]", {}, "good is not PromQL"),
        ("objectives: [{name: a, service: s, target: 100, good: 'a[$window]', total: 'b[$window]'}]", {}, "percentage"),
        ("security: {windows: {failed_logins: {}}}", {}, "did you mean 'failed_login'?"),
        ("security: {windows: {failed_login: {threshold: 0}}}", {}, "at least 1"),
        ("security: {windows: {failed_login: {threshold: 1001}}}", {}, "at most 1000"),
        ("incidents: {opens: [critical, sev1]}", {}, "what severity an incident has that 'sev1' opens"),
        ("incidents: {opens: {sev1: grave}}", {}, "an incident's severity cannot be 'grave'"),
        ("incidents: {escalation: [{tier: a}, {tier: a}]}", {}, "two tiers called 'a'"),
        ("incidents: {escalation: [{tier: a, after: 2h}, {tier: b, after: 1h}]}", {}, "b would be notified before a"),
        ("incidents: {escalation: [{tier: a, after: soon}]}", {}, "after must be a duration or a mapping"),
        ("recovery: [{service: a, probe: b}]", {}, "needs action"),
    ],
)
def test_what_is_refused(text: str, files: dict[str, str], expected: str) -> None:
    found = "\n".join(map(str, faults(text, files)))
    assert expected in found
    assert "hunter2" not in found


def test_a_fault_in_a_query_has_its_own_place() -> None:
    text = """
objectives:
  - name: a
    service: s
    good: sum(rate(x[$window]))
    total: |
      sum(
        rate(x[$window]) +)
"""
    found = faults(text)
    assert [(item.line, item.column) for item in found] == [(8, 27)]
    assert "total is not PromQL" in found[0].message


def test_incidents() -> None:
    incidents = read(
        """
incidents:
  opens: [critical, warning, low]
  response_targets: {critical: 5m}
  escalation:
    - {tier: development, receiver: dev}
    - {tier: vendor, receiver: vendor, after: {critical: 10m}}
    - {tier: board, after: 1h}
  reopen_within: 0s
"""
    ).incidents
    assert incidents.opens == {"critical": Severity.CRITICAL, "warning": Severity.MEDIUM, "low": Severity.LOW}
    assert incidents.response_targets == {Severity.CRITICAL: 5 * MINUTE}
    assert [(tier.name, tier.receiver) for tier in incidents.escalation] == [
        ("development", "dev"),
        ("vendor", "vendor"),
        ("board", ""),
    ]
    assert incidents.escalation[1].after == {Severity.CRITICAL: 10 * MINUTE}
    assert incidents.escalation[2].after[Severity.MEDIUM] == 60 * MINUTE
    assert incidents.reopen_within == 0


def test_opens_may_give_words_of_ones_own() -> None:
    assert read("incidents: {opens: {SEV1: critical}}").incidents.opens == {"sev1": Severity.CRITICAL}


def test_security_thresholds_keep_what_is_not_mentioned() -> None:
    security = read("security: {windows: {failed_login: {threshold: 3, severity: high}}}").security
    changed = security.thresholds[SecurityEventType.FAILED_LOGIN]
    assert (changed.count, changed.window_ms, changed.floor) == (3, 5 * MINUTE, SecuritySeverity.HIGH)
    assert security.thresholds[SecurityEventType.XSS_ATTEMPT].count == 1


def test_the_policy_of_incidents_is_the_same_in_the_rules_words() -> None:
    runbook = default_runbook()
    assert read("").incidents.policy(runbook) == Policy(runbook=runbook)
    changed = read("incidents: {reopen_within: 5m, opens: [page], escalation: [{tier: a}]}").incidents.policy(runbook)
    assert (changed.reopen_within, set(changed.opens), [tier.name for tier in changed.tiers], changed.runbook) == (
        5 * MINUTE,
        {"page"},
        ["a"],
        runbook,
    )


def test_recovery_actions() -> None:
    settings = read(
        """
probes: [{name: p, url: http://x/}]
recovery:
  - {service: a, probe: p, action: {systemd: shop@1.service}, failures: 1, delay: 2s}
  - {service: b, probe: p, action: {docker: shop}}
  - {service: c, probe: p, action: {command: [/bin/restart, --now]}}
  - service: d
    probe: p
    action: {process: {command: [python, -m, shop], directory: app, environment: {A: '1'}}}
    maintenance: ["Sun 02:00-04:00"]
  - service: e
    probe: p
    action: {webhook: {url: 'http://h/restart?key=k', method: PUT, headers: {X-Key: '1'}, body: {do: [restart, 2]}}}
  - {service: f, probe: p, action: {webhook: {url_file: url}}}
""",
        {"/srv/ops/url": "https://h/secret\n"},
    )
    actions = [one.action for one in settings.recovery]
    assert actions == [
        SystemdAction("shop@1.service"),
        DockerAction("shop"),
        CommandAction(("/bin/restart", "--now")),
        ProcessAction(("python", "-m", "shop"), Path("/srv/ops/app"), {"A": "1"}),
        WebhookAction(Secret("http://h/restart?key=k"), "PUT", {"X-Key": Secret("1")}, {"do": ["restart", 2]}),
        WebhookAction(Secret("https://h/secret")),
    ]
    assert "key=k" not in repr(settings)
    assert (settings.recovery[0].policy.failures, settings.recovery[0].policy.delay_ms) == (1, 2000)
    assert settings.recovery[3].in_maintenance(3 * 24 * 60 * MINUTE + 2 * 60 * MINUTE)  # 1970-01-04, a Sunday


@pytest.mark.parametrize(
    "action",
    [
        *("{command: rm -rf /}", "{systemd: '-x'}", "{}", "{process: {}}", "{command: []}", "x"),
        *("{docker: --privileged}", "{docker: ''}"),
        *(
            "{webhook: http://x/}",
            "{webhook: {}}",
            "{webhook: {url: ftp://x}}",
            "{webhook: {url: 'http://x/', body: a}}",
        ),
        *("{webhook: {url: 'http://x/', method: GET}}", "{webhook: {url: 'http://x/', headers: {'a b': c}}}"),
    ],
)
def test_actions_that_are_refused(action: str) -> None:
    faults(f"probes: [{{name: p, url: 'http://x/'}}]\nrecovery: [{{service: a, probe: p, action: {action}}}]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("logs:\n- {path: a.log}\n- {path: a/../b.log}\n- {path: b.log}", ""),
        (
            "logs:\n- {path: a.log}\n- {path: a.log, service: b}",
            "3:10: error: there are two logs called '/srv/ops/a.log'",
        ),
        (
            "scrape: [{job: a, targets: [h:1, h:2, h:1]}]",
            "1:28: error: the target 'h:1' occurs twice (its samples would be stored twice)",
        ),
        ("scrape:\n- {job: a, targets: [h:1]}\n- {job: b, targets: [h:1]}", ""),
        (
            "postgresql:\n- {dsn: postgresql://u:p@h/a}\n- {dsn: 'postgresql://u:p@h:5432/b'}",
            "3:9: error: this server is listed already (one entry is enough for all of its databases)",
        ),
        ("postgresql:\n- {dsn: postgresql://u:p@h/a}\n- {dsn: 'postgresql://u:p@h:5433/b'}", ""),
        ("postgresql:\n- {dsn: postgresql://h/a, instance: a}\n- {dsn: postgresql://h/b, instance: b}", ""),
        (
            "postgresql:\n- {dsn: postgresql://h/a, instance: a}\n- {dsn: postgresql://i/b, instance: a}",
            "3:37: error: there are two databases called 'a'",
        ),
    ],
)
def test_what_would_be_collected_twice(text: str, message: str) -> None:
    if message:
        assert fault(text) == message
    else:
        assert read(text)


def test_how_a_scrape_job_is_read() -> None:
    plain, full, token = read(
        """
scrape:
  - {job: a, targets: [h:1]}
  - job: b
    targets: [h:1, '[::1]:2']
    scheme: https
    path: /m
    labels: {instance: web-1}
    basic_auth: {username: hana, password_file: pw}
    honor_labels: true
    honor_timestamps: false
  - {job: c, targets: [h:1], bearer_token: t0ken}
""",
        {"/srv/ops/pw": "s3cret\n"},
    ).collectors["scrape"]
    assert (plain.honor_labels, plain.honor_timestamps, plain.username) == (False, True, "")
    assert (full.username, full.password.reveal(), full.honor_labels, full.honor_timestamps) == (
        "hana",
        "s3cret",
        True,
        False,
    )
    assert dict(full.labels) == {"instance": "web-1"}
    assert token.bearer_token.reveal() == "t0ken"
    assert "s3cret" not in repr(full)
    both = "scrape: [{job: a, targets: [h:1], bearer_token: x, basic_auth: {username: u}}]"
    assert fault(both).endswith("error: basic_auth and bearer_token are both given (keep one of them)")
    assert "needs username" in fault("scrape: [{job: a, targets: [h:1], basic_auth: {password: p}}]")


def test_the_formats_of_log_files() -> None:
    settings = read("logs: [{path: a}, {path: b, format: raw}, {path: c, format: auto}]")
    assert [file.format for file in settings.collectors["logs"]] == ["auto", "raw", "auto"]
    assert fault("logs: [{path: a, format: text}]").endswith("format cannot be 'text' (one of json, raw, auto)")


def test_the_address_of_a_webhook_is_not_shown() -> None:
    text = "probes: [{name: p, url: 'http://x/'}]\nrecovery: [{service: a, probe: p, action: {webhook: {url: hush}}}]"
    assert fault(text).endswith(": error: url is not a URL of the kind http://host or https://host")


def test_a_body_without_end_is_refused_where_it_stands() -> None:
    text = "probes: [{name: p, url: 'http://x/'}]\nrecovery:\n- service: a\n  probe: p\n  action:\n    webhook:\n"
    found = fault(f"{text}      url: http://h/\n      body: {{a: &a [*a]}}")
    assert found.endswith("8:21: error: the alias 'a' is inside what it names")


def test_probes_of_ports() -> None:
    settings = read(
        r"""
probes:
  - {name: db, url: tcp://db:5432, service: shop}
  - {name: mail, url: 'tls://[::1]:465', send: "QUIT\r\n", expect_text: '221', verify_certificate: false}
"""
    )
    database, mail = settings.collectors["probes"]
    assert (database.url, database.send, database.verify_certificate) == ("tcp://db:5432", "", True)
    assert (mail.send, mail.expect_text, mail.verify_certificate) == ("QUIT\r\n", "221", False)


@pytest.mark.parametrize(
    ("lines", "line", "message"),
    [
        (["url: tcp://db"], 3, "url is not tcp://host:port (a port has no path, user or query)"),
        (["url: tls://db:1/x"], 3, "url is not tls://host:port (a port has no path, user or query)"),
        (["url: tcp://u@db:1"], 3, "url is not tcp://host:port (a port has no path, user or query)"),
        (
            ["url: tcp://db:0"],
            3,
            "url is not a URL of the kind http://host or https://host or tcp://host or tls://host",
        ),
        (["url: tcp://db:1", "method: GET"], 4, "method means nothing to a probe of tcp://"),
        (["url: tls://db:1", "headers: {a: b}"], 4, "headers means nothing to a probe of tls://"),
        (["url: tls://db:1", "expect_status: 200"], 4, "expect_status means nothing to a probe of tls://"),
        (["url: tcp://db:1", "verify_certificate: no"], 4, "verify_certificate means nothing to a probe of tcp://"),
        (["url: http://db:1", "send: x"], 4, "send means nothing to a probe of http://"),
        # Objectives and recovery find a probe's results by these.
        (
            ["url: http://db", "labels:", "  probe: b"],
            5,
            "the label probe is given by the platform (choose another name)",
        ),
    ],
)
def test_probes_that_are_refused(lines: list[str], line: int, message: str) -> None:
    [found] = faults("probes:\n  - name: a\n" + "".join(f"    {text}\n" for text in lines))
    assert (found.line, f"{found.message} ({found.hint})" if found.hint else found.message) == (line, message)


@pytest.mark.parametrize("headers", ["{'a b': c}", "{'ä': c}", "{'': c}", '{a: "b\\nc"}', "{a: ключ}"])
def test_headers_that_cannot_be_sent(headers: str) -> None:
    found = fault(f"probes: [{{name: a, url: 'http://x/', headers: {headers}}}]")
    assert "error: headers holds a " in found


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load_settings(tmp_path / "none.yml", {})
    latin = tmp_path / "latin.yml"
    latin.write_bytes(b"language: en\n# caf\xe9\n")
    with pytest.raises(ConfigError, match=r"latin\.yml:2: error: not UTF-8"):
        load_settings(latin, {})
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize("text", ["[]", "just text", "- a"])
def test_a_file_that_is_something_else(text: str) -> None:
    assert "the settings must be a mapping" in fault(text)


@pytest.mark.parametrize(
    "text",
    ["probes: x", "probes: {a: b}", "probes: [x]", "host: [1]", "host: 3", "limits: {series: [1]}", "a: &a [*a]"],
)
def test_wrong_shapes_are_faults_not_crashes(text: str) -> None:
    assert faults(text)


def test_what_cannot_be_as_it_is_written_is_said() -> None:
    def said(text: str) -> str:
        _, found = examine_settings(text, Path("/x/eldonia-ops.yml"), {"HOME": "/"})
        return " | ".join(f"{item.level.value}: {item.message}" for item in found)

    assert (
        said("retention: {logs: 12h, head: 90m}")
        == "warning: retention.logs is kept in whole days: this one becomes 1d"
    )
    assert said("postgresql: [{dsn: 'mysql://u:p@h/x'}]") == "error: dsn is not one of a PostgreSQL"
    assert said("postgresql: [{dsn: 'host=h user=u'}]") == ""
    node = "scrape: [{job: node, targets: ['a:9100']}]\n"
    assert said(node).startswith("warning: the job node is also that of this machine's own readings")
    assert said(node + "host: {interval: 30s}").startswith("warning: the job node is also that of this machine's own")
    assert said(node + "host: {enabled: false}") == ""


def test_event_types_that_there_are_not() -> None:
    _, found = examine_settings(
        "security:\n  windows:\n    faild_login: {threshold: 3}\n    nonsense: {}\n",
        Path("/x/eldonia-ops.yml"),
        {"HOME": "/"},
    )
    assert [(item.level, item.line, item.column) for item in found] == [(Level.ERROR, 3, 5), (Level.ERROR, 4, 5)]
    assert found[0].message == "unknown key 'faild_login' in windows"
    assert found[0].hint == "did you mean 'failed_login'?"
    assert "known: " in found[1].hint


def test_limits_on_posted_alerts_are_settings() -> None:
    assert (read("").limits.posted_alerts, read("").limits.posted_alerts_token) == (50_000, 30_000)
    limits = read("limits: {posted_alerts: 7, posted_alerts_token: 3}").limits
    assert (limits.posted_alerts, limits.posted_alerts_token) == (7, 3)
    assert "posted_alerts" in fault("limits: {posted_alerts: 0}")
