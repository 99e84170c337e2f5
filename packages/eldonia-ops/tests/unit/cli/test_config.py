"""``eldonia-ops config``."""

import json

import yaml
from typer.testing import CliRunner

from eldonia_ops.cli.main import app


def test_the_schema_is_json() -> None:
    result = CliRunner().invoke(app, ["config", "schema"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["title"] == "Settings of Eldonia Ops"


def test_what_applies_is_shown(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPS_STATE", "postgresql://u:hunter2@db/ops")
    (tmp_path / "eldonia-ops.yml").write_text("state: ${OPS_STATE}\nlanguage: ja\n")
    result = CliRunner().invoke(app, ["config", "show", "--listen", "127.0.0.1:1"])
    assert result.exit_code == 0, result.output
    assert "hunter2" not in result.output
    shown = yaml.safe_load(result.stdout)
    assert (shown["state"], shown["language"], shown["listen"]) == ("<secret>", "ja", "127.0.0.1:1")
    assert str(tmp_path / "eldonia-ops.yml") in result.stdout.splitlines()[0]
