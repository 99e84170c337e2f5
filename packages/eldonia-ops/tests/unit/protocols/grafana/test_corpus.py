"""Real public dashboards, which are not in this repository: a folder of their JSON files is named by
``ELDONIA_GRAFANA_CORPUS``.

Those in MetricsQL, which is more than PromQL, and those with templates that were not filled in are named by
``ELDONIA_GRAFANA_NO_PROMQL`` (parts of the files' names, with commas between).
"""

import json
import os
from pathlib import Path

import pytest
from required_tools import folder_named_by, requires_folder_named_by

from eldonia_ops.dashboards.checks import doubts
from eldonia_ops.dashboards.reading import read_dashboard, to_plain
from eldonia_ops.protocols.dashboard_file import examine_dashboard, to_yaml
from eldonia_ops.protocols.grafana import from_grafana, to_grafana

FOLDER = folder_named_by("ELDONIA_GRAFANA_CORPUS")
FILES = sorted(FOLDER.glob("*.json")) if FOLDER else []
OTHER_LANGUAGE = [part for part in os.environ.get("ELDONIA_GRAFANA_NO_PROMQL", "").split(",") if part]

PROMQL = [file for file in FILES if not any(part in file.name for part in OTHER_LANGUAGE)]

pytestmark = requires_folder_named_by("ELDONIA_GRAFANA_CORPUS")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem[-60:])
def test_it_is_taken_and_comes_back(file: Path) -> None:
    result = from_grafana(json.loads(file.read_text("utf-8")))
    found = result.dashboard
    assert (
        result.taken + sum(note.what == "panel" and note.level == "dropped" for note in result.notes) == result.panels
    )
    assert read_dashboard(to_plain(found)) == found
    assert from_grafana(json.loads(json.dumps(to_grafana(found)))).dashboard == found
    read, _ = examine_dashboard(to_yaml(found), "x.yml")
    assert read is not None
    assert read.dashboard == found


@pytest.mark.parametrize("file", PROMQL, ids=lambda file: file.stem[-60:])
def test_every_expression_is_promql(file: Path) -> None:
    found = from_grafana(json.loads(file.read_text("utf-8"))).dashboard
    assert [one.place for one in doubts(found) if one.message.startswith("this is not PromQL")] == []


def test_most_of_the_panels_are_taken(capsys: pytest.CaptureFixture[str]) -> None:
    results = [from_grafana(json.loads(file.read_text("utf-8"))) for file in FILES]
    panels, taken = sum(one.panels for one in results), sum(one.taken for one in results)
    with capsys.disabled():
        print(f"\n{len(FILES)} dashboards: {taken} of {panels} panels taken")
    assert taken / panels > 0.95
