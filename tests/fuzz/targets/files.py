"""Files that people write: YAML, rules, routing, settings, runbooks, and the linter over all of them."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eldonia_ops.lint import check_files
from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.lint.report import format_diagnostic
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config
from eldonia_ops.protocols.prometheus.rules import parse_rule_file
from eldonia_ops.protocols.prometheus.web_config import parse_web_config
from eldonia_ops.protocols.runbook_file import parse_runbook
from eldonia_ops.protocols.yaml_document import YamlNode, load
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.listen import parse_listen
from eldonia_ops.settings.maintenance import parse_maintenance
from fuzz.target import target
from fuzz.targets.given import any_text, file_text

YAML_WORDS = (
    *(
        "- ",
        ": ",
        "\n",
        "\n  ",
        "\n- ",
        "|\n  a",
        ">-\n  a",
        "&a ",
        "*a",
        "<<: *a",
        "!!str ",
        "!x ",
        "---\n",
        "...\n",
        "# c",
    ),
    *(
        "[a, b]",
        "{a: b}",
        '"\\u00e9"',
        "'it''s'",
        "null",
        "~",
        "yes",
        "0o17",
        "1_000",
        "1.5e3",
        "2026-01-01",
        "? a",
        "\t",
    ),
    *("%YAML 1.1\n", "${A}", "${A:-b}", "$${A}", "5m", "{{ $value }}", "up == 0"),
)
WEB_WORDS = (
    "basic_auth_users:",
    "hana: ",
    "$2y$10$XZ/C4A7UMgcOrTPWvVKxeOqhgWZRjOSK5zo1iYPmgVBfGwJ1uJl8G",
    "tls_server_config:",
    "cert_file: a",
    "key_file: b",
    "client_ca_file: c",
    "client_auth_type: RequireAndVerifyClientCert",
    "min_version: TLS13",
    "http_server_config: {http2: false}",
)
RULE_WORDS = (
    "groups:",
    "name: ",
    "rules:",
    "alert: ",
    "expr: ",
    "for: ",
    "labels:",
    "annotations:",
    "record: ",
    "limit: ",
)
ROUTE_WORDS = (
    *(
        "route:",
        "receivers:",
        "receiver: ",
        "routes:",
        "matchers: ['a=\"b\"']",
        "match:",
        "match_re:",
        "group_by: ['...']",
    ),
    *(
        "group_wait: 1s",
        "inhibit_rules:",
        "equal: [a]",
        "time_intervals:",
        "mute_time_intervals:",
        "templates:",
        "global:",
    ),
    *(
        "slack_configs:",
        "webhook_configs:",
        "pagerduty_configs:",
        "email_configs:",
        "http_config:",
        "times:",
        "weekdays:",
    ),
)
SETTING_WORDS = (
    *("listen: ", "data: ", "retention:", "scrape:", "logs:", "host:", "postgresql:", "probes:", "rules:", "recovery:"),
    *("alertmanager:", "objectives:", "security:", "incidents:", "limits:", "labels:", "url: ", "path: ", "interval: "),
)


def checked(name: str, parse: Callable[[str], Any], data: bytes) -> None:
    """A result, or a ConfigError whose diagnostics lie within the file and can be shown."""
    text = file_text(data)
    try:
        parse(text)
    except ConfigError as error:
        assert error.diagnostics
        for one in error.diagnostics:
            assert one.message
            assert 0 <= one.line <= text.count("\n") + text.count("\r") + 2
            format_diagnostic(one, text).encode("utf-8", "replace")


@target(*YAML_WORDS)
def yaml_document(data: bytes) -> None:
    """A tree that can be walked and turned into plain values."""

    def walk(text: str) -> None:
        node = load(text, "file.yml")
        waiting: list[YamlNode] = [node] if node is not None else []
        seen = 0
        while waiting and seen < 2_000:
            one = waiting.pop()
            seen += 1
            one.describe()
            if one.is_mapping:
                for key, value in one.items():
                    waiting += [key, value]
            elif one.is_sequence:
                waiting += one.elements()
            else:
                one.scalar()
        if node is not None:
            node.plain()

    checked("file.yml", walk, data)


@target(*YAML_WORDS, *RULE_WORDS)
def rule_file(data: bytes) -> None:
    """Rule files of Prometheus."""
    checked("rules.yml", lambda text: parse_rule_file(text, "rules.yml"), data)


@target(*YAML_WORDS, *ROUTE_WORDS)
def alertmanager_config(data: bytes) -> None:
    """Alertmanager's configuration."""
    checked(
        "alertmanager.yml",
        lambda text: parse_alertmanager_config(text, "alertmanager.yml", environment={}, kinds=built_in()),
        data,
    )


@target(*YAML_WORDS, *WEB_WORDS)
def web_config(data: bytes) -> None:
    """Users and certificates of a listener. No fault quotes a hash of a password."""

    def read(text: str) -> None:
        found = parse_web_config(text, "web.yml")
        for hashed in found.users.values():
            assert hashed.reveal().startswith("$2")
            assert hashed.reveal() not in repr(found)

    checked("web.yml", read, data)


@target(*YAML_WORDS, "steps:", "phases:", "playbooks:", "id: ", "title: ", "text: ", "alerts: [A]")
def runbook_file(data: bytes) -> None:
    """Runbooks."""
    checked("runbook.yml", lambda text: parse_runbook(text, "runbook.yml"), data)


@target(*YAML_WORDS, *SETTING_WORDS)
def settings_file(data: bytes) -> None:
    """Our own settings."""

    def read(text: str) -> None:
        _, diagnostics = examine_settings(
            text, Path("/x/eldonia-ops.yml"), {"A": "b"}, read_file=lambda _: "secret", shown_as="eldonia-ops.yml"
        )
        for one in diagnostics:
            format_diagnostic(one, text)

    checked("eldonia-ops.yml", read, data)


NAMES = {
    FileKind.RULES: "rules.yml",
    FileKind.ROUTING: "alertmanager.yml",
    FileKind.RUNBOOK: "runbook.yml",
    FileKind.SETTINGS: "eldonia-ops.yml",
    FileKind.TEMPLATE: "a.tmpl",
}


@target(*YAML_WORDS, *RULE_WORDS, *ROUTE_WORDS, *SETTING_WORDS, "{{ define", grows=False)
def lint(data: bytes) -> None:
    """The linter over one file of whatever kind it takes it for, and its report."""
    text = file_text(data)
    name = NAMES.get(kind_of("some.yml", text), "some.yml")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", newline="")
        for one in check_files([path], {}, kinds=built_in()):
            format_diagnostic(one, text).encode("utf-8", "replace")


@target("127.0.0.1:9600", "[::1]:", ":80", "localhost", "%", "٣")
def listen(data: bytes) -> None:
    """An address prints as it is read."""
    try:
        found = parse_listen(any_text(data))
    except ValueError:
        return
    assert 0 <= found.port <= 65535
    assert parse_listen(str(found)) == found


@target("Sun 02:00-04:00", "Mon-Fri ", "22:00-24:00", "٣")
def maintenance_window(data: bytes) -> None:
    """A window covers what it says, for every instant of a week."""
    try:
        found = parse_maintenance(any_text(data))
    except ValueError:
        return
    covered = sum(found.covers(hour * 3_600_000) for hour in range(7 * 24))
    assert 0 <= covered <= 7 * 24
