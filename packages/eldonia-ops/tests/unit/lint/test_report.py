from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.lint import format_diagnostic, format_report
from eldonia_ops.lint.kinds import FileKind, kind_of
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.settings import examine_settings


def shown(line: str, column: int) -> list[str]:
    return format_diagnostic(Diagnostic("wrong", "f.yml", 1, column), line).splitlines()[1:]


def test_the_caret_stands_below_the_place() -> None:
    assert shown("key: value", 6) == ["    1 | key: value", "      |      ^"]


def test_wide_characters_take_two_cells_and_tabs_stay() -> None:
    assert shown("名前: x", 5) == ["    1 | 名前: x", "      |       ^"]
    assert shown("\tx", 2) == ["    1 | \tx", "      | \t^"]


def test_a_line_of_which_nothing_may_be_shown_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "fluent.conf"
    file.write_text("<source>\n  @type jsn\n</source>\n")
    report = format_report([Diagnostic("there is no such type", str(file), 2)])
    assert "there is no such type" in report
    assert "<secret>" not in report


def test_a_place_outside_of_the_text_shows_no_line() -> None:
    assert shown("a", 0) == ["    1 | a"]
    assert format_diagnostic(Diagnostic("wrong", "f.yml", 9, 1), "a") == "f.yml:9:1: error: wrong"
    assert format_diagnostic(Diagnostic("wrong", "f.yml")) == "f.yml: error: wrong"


@pytest.mark.parametrize(
    "line",
    [
        "password: hunter2",
        "  - routing_key: hunter2",
        "slack_api_url: 'https://hooks.example.com/hunter2'",
        "- {dsn: postgresql://u:hunter2@h/x}",
        "state: postgresql://ops:hunter2@db/ops",
        '  bearer_token: "hunter2"  # hunter2',
        "SMTP_AUTH_PASSWORD : hunter2",
        "webhook_url: https://x/hunter2",
        "action: {webhook: {url: 'https://x/hunter2', metod: PUT}}",
        "action: {webhook: {url: https://x/, headers: {Authorization: Bearer hunter2}}}",
        "- {name: a, url: 'https://x/health?key=hunter2', methd: GET}",
    ],
)
def test_secrets_are_masked(line: str) -> None:
    assert "hunter2" not in "\n".join(shown(line, 3))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("receivers:\n- name: a\n  webhook_configs:\n  - url: https://x/hunter2\n", 4),
        ("receivers:\n- name: a\n  webhook_configs:\n    # of ours\n\n    - url: https://x/hunter2\n", 6),
        ("receivers:\n- name: a\n  webhook_configs:\n    - send_resolved: yes\n      url: htps://x/hunter2\n", 5),
        ("recovery:\n- action:\n    webhook:\n      url: https://x/hunter2\n", 4),
    ],
)
def test_the_address_of_a_webhook_is_masked_by_where_it_stands(text: str, line: int) -> None:
    assert "hunter2" not in format_diagnostic(Diagnostic("wrong", "f.yml", line, 1), text)


def test_the_address_beside_a_webhook_is_not() -> None:
    text = "webhooks: 1\nrecovery:\n- action:\n    webhook: {}\nprobes:\n- url: http://host/path\n"
    assert format_diagnostic(Diagnostic("wrong", "f.yml", 6, 1), text).splitlines()[1].endswith("http://host/path")


def test_a_name_in_the_place_of_a_secret_is_shown() -> None:
    assert shown("token: ${TOKEN}", 8) == ["    1 | token: ${TOKEN}", "      |        ^"]
    assert "hunter2" not in shown("token: ${TOKEN:-hunter2}", 8)[0]


def test_the_caret_stays_with_what_is_left_of_a_masked_line() -> None:
    assert shown("a: http://u:hunter2@h/, b: x", 27)[1] == "      |             ^"


def test_other_values_are_not() -> None:
    assert shown("tokens:", 1)[0].endswith("tokens:")
    assert shown("url: http://host/path", 1)[0].endswith("http://host/path")


@given(st.text(max_size=300), st.integers(0, 400))
def test_no_text_upsets_it_or_reaches_the_terminal_raw(line: str, column: int) -> None:
    text = format_diagnostic(Diagnostic("wrong\x1b[31m", "f.yml", 1, column), line)
    assert not any(ord(char) < 32 and char not in "\n\t" for char in text)


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("a.yml", "groups:\n- name: x", FileKind.RULES),
        ("a.yml", "global: {}\nroute: {}\n", FileKind.ROUTING),
        ("a.yaml", "# x\nlisten: :1\n", FileKind.SETTINGS),
        ("eldonia-ops.yml", "", FileKind.SETTINGS),
        ("eldonia-ops.prod.yml", "langage: en", FileKind.SETTINGS),
        ("alertmanager.yml", "global: {}", FileKind.ROUTING),
        ("a.yml", "steps: []", FileKind.RUNBOOK),
        ("prometheus.yml", "global: {}\nscrape_configs: []", FileKind.PROMETHEUS),
        ("a.tmpl", "", FileKind.TEMPLATE),
        ("a.txt", "groups:", FileKind.UNKNOWN),
    ],
)
def test_kinds(name: str, text: str, kind: FileKind) -> None:
    assert kind_of(name, text) is kind


WORDS = st.text(st.sampled_from("abcdefgh0123456789"), min_size=10, max_size=20).map(lambda text: f"s3cr3t{text}")


@given(
    WORDS,
    st.sampled_from(
        [
            "pasword: %s",
            "state: postgresql://ops:%s@db/ops",
            "langage: ${X:-%s}",
            "language: ${X:-%s}",
            "postgresql: [{dsn: 'postgresql://u:%s@h/x', intervall: 3}]",
            "recovery:\n- action:\n    process:\n      environment: {A: %s, B: [1]}",
            "recovery:\n- action: {webhook: {headers: {X-Any: [%s]}, url: ftp://x/%s}}",
            "probes:\n- headers:\n    X-Any: {a: %s}",
            "scrape:\n- job: a\n  bearer_tokn: |\n    %s\n  targets: x",
            "langage: en # was %s",
        ]
    ),
    st.integers(0, 80),
    st.sampled_from(["", "\t", ":", "'", "{", "\n", "- "]),
)
def test_no_secret_of_a_file_is_in_what_is_said_about_it(secret: str, template: str, at: int, slip: str) -> None:
    text = template.replace("%s", secret)
    cut = min(at, text.index(secret))  # a slip of the keyboard in front of the secret
    for written in (text, text[:cut] + slip + text[cut:]):
        try:
            _, found = examine_settings(written, Path("/x/eldonia-ops.yml"), {"HOME": "/"}, shown_as="eldonia-ops.yml")
        except ConfigError as error:
            found = list(error.diagnostics)
        assert secret not in format_report(found, lambda _, written=written: written)


class Counting:
    """Counts the characters that are read of the lines of a text; one that is read again counts again."""

    def __init__(self) -> None:
        self.characters = 0

    def line(self, number: int, raw: str) -> str:
        del number
        self.characters += len(raw)
        return raw


def test_a_line_is_masked_once_and_as_far_as_it_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """2,000 faults in one line of 36 KB once took 30 seconds."""
    counting = Counting()
    monkeypatch.setattr("eldonia_ops.lint.report.Mask", lambda *_: counting)
    text = "{" + ", ".join(f"unknown{number}: value{number}" for number in range(2_000)) + "}"
    found = [Diagnostic("wrong", "eldonia-ops.yml", 1, column) for column in range(1, len(text), 20)]
    report = format_report(found, lambda _: text)
    assert counting.characters <= 1_024
    assert max(map(len, report.splitlines())) < 200


def test_half_an_address_at_the_end_of_what_is_read_shows_nothing() -> None:
    line = "- {a: " + "x " * 500 + "url: http://user:" + "hunter2" * 20 + "@host/}"
    assert "hunter2" not in format_diagnostic(Diagnostic("wrong", "f.yml", 1, 3), line)
    assert format_diagnostic(Diagnostic("wrong", "f.yml", 1, 9_999), "x" * 10_000).count("x") < 1_100
