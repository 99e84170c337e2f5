"""One loader for a start, a check and a reload."""

from pathlib import Path

import pytest

from eldonia_ops.app.loader import load_configuration
from eldonia_ops.lint import check_files
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.notifiers.registry import built_in

ENV = {"HOME": "/", "SLACK_WEBHOOK_URL": "https://hooks.example/", "PAGERDUTY_ROUTING_KEY": "k"}

FILES = {
    "eldonia-ops.yml": """
rules: {files: [rules/*.yml], defaults: false, evaluation_interval: 30s}
alertmanager: {file: am.yml}
incidents: {runbook: runbook.yml}
""",
    "rules/a.yml": "groups: [{name: a, rules: [{alert: A, expr: up == 0, labels: {severity: page}}]}]\n",
    "rules/b.yml": "groups: [{name: b, interval: 5s, rules: [{record: 'x:y', expr: sum(up)}]}]\n",
    "am.yml": """
templates: [t.tmpl]
route: {receiver: r, group_wait: 10s, routes: [{matchers: ['severity="page"']}]}
receivers: [{name: r, webhook_configs: [{url: 'http://127.0.0.1:9/hunter2'}]}]
""",
    "t.tmpl": '{{ define "ours" }}x{{ end }}',
    "runbook.yml": "steps: [{key: look, phase: assess, text: {en: look, ja: 見る}}]\n",
}


def write(folder: Path, **changes: str) -> Path:
    for name, text in {**FILES, **changes}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder / "eldonia-ops.yml"


def test_everything_that_the_settings_name_is_in_the_configuration(tmp_path: Path) -> None:
    found = load_configuration(write(tmp_path), ENV)
    assert [(group.name, group.interval_ms) for group in found.rule_groups] == [("a", 30_000), ("b", 5_000)]
    assert [group.file for group in found.rule_groups] == [str(tmp_path / "rules/a.yml"), str(tmp_path / "rules/b.yml")]
    assert found.routing.route.group_wait == 10_000
    assert "ours" in found.templates.names
    assert "hunter2" not in found.routing_text
    assert [step.key for step in found.policy.runbook.steps] == ["look"]
    assert {Path(name).name for name in found.files} == {Path(name).name for name in FILES}


def test_speed_divides_rules_routing_and_policy(tmp_path: Path) -> None:
    fast = write(tmp_path, **{"eldonia-ops.yml": FILES["eldonia-ops.yml"].replace("rules: {", "rules: {speed: 10, ")})
    found = load_configuration(fast, ENV)
    assert [group.interval_ms for group in found.rule_groups] == [3_000, 500]
    assert found.routing.route.group_wait == 1_000
    slow = load_configuration(write(tmp_path), ENV)
    assert found.policy.reopen_within == slow.policy.reopen_within // 10


def test_without_a_file_there_are_the_defaults() -> None:
    found = load_configuration(None, ENV)
    assert found.settings.file is None
    assert "TargetDown" in {rule.name for group in found.rule_groups for rule in group.rules}
    assert found.routing.receivers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("eldonia-ops.yml", "rules: {files: [gone.yml], fles: 1}\nprobes: [{name: p}]\n"),
        ("rules/a.yml", "groups: [{name: a, rules: [{alert: A, expr: 'up =='}, {record: x, epxr: up}]}]\n"),
        ("am.yml", "route: {receiver: gone}\nreceivers: [{name: r}]\n"),
        ("t.tmpl", '{{ define "ours" }}{{ nosuch }}{{ end }}'),
        ("runbook.yml", "steps: [{key: look, phase: nowhere}]\n"),
    ],
)
def test_a_start_refuses_what_check_finds_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    file = write(tmp_path, **{name: text})
    monkeypatch.chdir("/")
    with pytest.raises(ConfigError) as caught:
        load_configuration(file, ENV)
    errors = [item for item in caught.value.diagnostics if item.level is Level.ERROR]
    assert errors
    assert all(item.line for item in errors)
    checked = [item for item in check_files([file], ENV, kinds=built_in()) if item.level is Level.ERROR]
    assert [(item.message, item.line, item.column, item.hint) for item in errors] == [
        (item.message, item.line, item.column, item.hint) for item in checked
    ]


def test_what_the_command_line_says_is_in_force_before_files_are_read(tmp_path: Path) -> None:
    found = load_configuration(write(tmp_path), ENV, override=lambda settings: settings.with_data(tmp_path / "d"))
    assert found.settings.data == tmp_path / "d"
    assert found.settings.state.reveal().endswith("/d/state.db")


def test_one_file_cannot_be_two_things(tmp_path: Path) -> None:
    file = write(tmp_path, **{"eldonia-ops.yml": "rules: {files: [am.yml]}\nalertmanager: {file: am.yml}\n"})
    with pytest.raises(ConfigError, match="unknown key"):
        load_configuration(file, ENV)
