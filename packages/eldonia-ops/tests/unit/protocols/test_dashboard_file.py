"""Files of dashboards: places of faults, YAML that reads back, Grafana's JSON."""

import json

from dashboard_documents import documents
from hypothesis import given, settings

from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.dashboard_file import examine_dashboard, to_json, to_yaml, uid_of, without_repetition

FILE = """title: {en: Hi, ja: やあ}
tags: [yes, 1.10]
panels:
  - title: A
    type: stat
    unit: Bps
    queries:
      - expr: |
          sum(
            rate(up[5m]) by (x)
  - queries: [{expr: 'rate(up[5m)'}]
"""


def said(text: str, file: str = "a b.yml") -> list[tuple[int, int, str, str]]:
    _, found = examine_dashboard(text, file)
    return [(one.line, one.column, one.level.value, one.message.partition(": ")[0]) for one in found]


def test_doubts_have_their_line_and_column_also_within_expressions() -> None:
    read, _ = examine_dashboard(FILE, "a b.yml")
    assert read is not None
    assert (read.dashboard.uid, read.dashboard.tags) == ("a-b", ("yes", "1.10"))
    assert said(FILE) == [
        (6, 11, "warning", "panels[0].unit"),
        (10, 26, "warning", "panels[0].queries[0].expr"),
        (11, 33, "warning", "panels[1].queries[0].expr"),
    ]


def test_faults_have_their_line_and_column() -> None:
    assert said("title: t\npanels:\n  - {unit: s, gird: {x: 1}}\n  - grid: {x: 99}\n") == [
        (3, 15, "error", "panels[0].gird"),
        (4, 15, "error", "panels[1].grid.x"),
    ]
    assert said("panels: []\n") == [(1, 1, "error", "a dashboard needs title")]
    assert said("title: [a\n")[0][:3] == (2, 1, "error")
    assert said("") == [(0, 0, "error", "the file is empty")]
    assert said('{"title": "t", "panels": [}', "x.json") == [(1, 27, "error", "not JSON")]


def test_grafana_is_recognised_by_what_it_holds() -> None:
    text = json.dumps(
        {
            "title": "G",
            "schemaVersion": 39,
            "panels": [{"type": "geomap"}, {"type": "stat", "targets": [{"expr": "up"}]}],
        }
    )
    read, found = examine_dashboard(text, "x.json")
    assert read is not None
    assert (read.grafana, len(read.dashboard.panels), len(read.notes)) == (True, 1, 1)
    assert [(one.level, one.message) for one in found] == [
        (Level.WARNING, "1 things of Grafana's dashboard could not be taken")
    ]


def test_ours_in_json() -> None:
    read, found = examine_dashboard('{"title": "t", "panels": [{"id": 3}]}', "x.json")
    assert read is not None
    assert (found, read.dashboard.panels[0].id) == ([], 3)


def test_hostile_files_are_faults() -> None:
    deep = '{"a":' * 2_000 + "1" + "}" * 2_000
    assert said(deep, "x.json")[0][2] == "error"
    assert said("a: &a [1]\nb: &b [*a,*a]\ntitle: *b\n")[0][2] == "error"


@given(documents())
@settings(max_examples=10, deadline=None)
def test_what_is_written_is_read_again(data: dict) -> None:
    wanted = read_dashboard(data)
    for text, file in ((to_yaml(wanted), "x.yml"), (to_json(wanted), "x.json")):
        read, found = examine_dashboard(text, file)
        assert read is not None, (text, found)
        assert read.dashboard == wanted


def test_names_of_files_are_uids() -> None:
    assert uid_of("/a/node-exporter.yml") == "node-exporter"
    assert uid_of("ノード 1.json") == "1"
    assert uid_of("ノード.json") == "dashboard"


def test_a_uid_counts_once() -> None:
    one, _ = examine_dashboard("title: a\nuid: x\n", "a.yml")
    assert one is not None
    kept, faults = without_repetition([("a.yml", one), ("b.yml", one)])
    assert [file for file, _ in kept] == ["a.yml"]
    assert [(fault.file, fault.level) for fault in faults] == [("b.yml", Level.WARNING)]
