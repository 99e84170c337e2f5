"""Files of dashboards are checked and loaded; one with a fault stops neither the start nor its neighbours."""

import os
from pathlib import Path

import pytest

from eldonia_ops.app.loader import load_configuration
from eldonia_ops.lint import check_files
from eldonia_ops.model.errors import Level
from eldonia_ops.notifiers.registry import installed

GRAFANA = '{"title": "G", "uid": "g", "schemaVersion": 39, "panels": [{"type": "stat", "targets": [{"expr": "up"}]}]}'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "boards" / "web").mkdir(parents=True)
    for name, text in {
        "eldonia-ops.yml": "data: data\ndashboards: {files: [boards], defaults: false}\n",
        "boards/a.yml": "title: A\npanels: [{queries: [{expr: up}]}]\n",
        "boards/bad.yml": "title: B\npanels:\n  - {unitt: s}\n",
        "boards/web/g.json": GRAFANA,
        "boards/web/twice.yml": "title: C\nuid: g\n",
        "boards/.hidden.yml": "title: [",
    }.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_check_names_faults_by_file_line_and_column(folder: Path) -> None:
    found = [one for one in check_files(["eldonia-ops.yml"], {}, kinds=installed()) if "boards" in one.file]
    assert [(one.file, one.line, one.column, one.level) for one in found] == [
        (os.path.join("boards", "bad.yml"), 3, 6, Level.ERROR),
        (os.path.join("boards", "web", "twice.yml"), 1, 1, Level.WARNING),
    ]


def test_the_others_are_loaded_with_their_folders(folder: Path) -> None:
    found = load_configuration(folder / "eldonia-ops.yml", {}).dashboards
    assert [(one.dashboard.uid, one.dashboard.folder, one.source) for one in found.dashboards] == [
        ("a", "", "file"),
        ("g", "web", "file"),
    ]
    assert [Path(one.file).name for one in found.faults] == ["bad.yml", "twice.yml"]


def test_those_that_ship_can_be_left_out(folder: Path) -> None:
    (folder / "eldonia-ops.yml").write_text("data: data\n", "utf-8")
    found = load_configuration(folder / "eldonia-ops.yml", {}).dashboards
    assert {"host", "service", "platform"} <= {one.dashboard.uid for one in found.dashboards}
    assert {one.source for one in found.dashboards} == {"shipped"}


def test_a_file_by_itself_is_recognised(folder: Path) -> None:
    assert check_files(["boards/a.yml", "boards/web/g.json"], {}, kinds=installed()) == []


def test_a_pattern_without_files_is_a_warning(folder: Path) -> None:
    (folder / "eldonia-ops.yml").write_text("data: data\ndashboards: {files: [nothing/*.yml]}\n", "utf-8")
    found = [one for one in check_files(["eldonia-ops.yml"], {}, kinds=installed()) if "dashboard" in one.message]
    assert [(one.line, one.level) for one in found] == [(2, Level.WARNING)]
