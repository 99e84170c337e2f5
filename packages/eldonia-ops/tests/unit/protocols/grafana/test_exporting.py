"""What we export for Grafana comes back as the same dashboard."""

import json

import pytest
from dashboard_documents import documents
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from eldonia_ops.dashboards.document import Dashboard, Panel
from eldonia_ops.dashboards.part import Words, shown
from eldonia_ops.dashboards.reading import read_dashboard
from eldonia_ops.protocols.grafana import from_grafana, to_grafana
from eldonia_ops.protocols.shipped_dashboards import shipped_dashboards


def again(dashboard: Dashboard) -> Dashboard:
    return from_grafana(json.loads(json.dumps(to_grafana(dashboard)))).dashboard


@given(documents(st.text("abcXYZ0/ ", min_size=1, max_size=8).map(str.strip).filter(bool)))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_came_through_once_comes_through_unchanged(data: dict) -> None:
    once = again(read_dashboard(data))
    assert again(once) == once


def english(dashboard: Dashboard) -> Dashboard:
    """Without folders and second languages, for which Grafana has no place."""

    def plain(value: object) -> object:
        if isinstance(value, Words):
            return shown(value)
        if isinstance(value, tuple):
            return tuple(plain(one) for one in value)
        if hasattr(value, "__struct_fields__"):
            return replace(value, **{name: plain(getattr(value, name)) for name in value.__struct_fields__})  # type: ignore[attr-defined]
        return value

    found = plain(replace(dashboard, folder=""))
    assert isinstance(found, Dashboard)
    return found


@pytest.mark.parametrize("one", shipped_dashboards(), ids=lambda one: one.dashboard.uid)
def test_every_shipped_dashboard_comes_back_as_it_was(one) -> None:
    wanted = english(one.dashboard)
    found = again(one.dashboard)

    def in_order(panels: tuple[Panel, ...]) -> list[Panel]:
        return sorted(
            panels,
            key=lambda panel: (
                (panel.type == "row", panel.grid.y or 0, panel.grid.x or 0) if panel.type != "row" else (True, 0, 0)
            ),
        )

    for mine, theirs in zip(in_order(wanted.panels), found.panels, strict=True):
        if mine.type == "row":
            assert in_order(mine.panels) == list(theirs.panels)
        else:
            assert mine == theirs
    assert replace(found, panels=()) == replace(wanted, panels=())


def test_texts_are_in_the_language_that_is_asked_for() -> None:
    one = read_dashboard({"title": {"en": "A", "ja": "あ"}, "panels": [{"title": {"en": "B", "ja": "い"}}]})
    assert to_grafana(one, "ja")["title"] == "あ"
    assert to_grafana(one, "ja")["panels"][0]["title"] == "い"
    assert to_grafana(one)["panels"][0]["title"] == "B"


def test_rows_are_put_one_below_another() -> None:
    one = read_dashboard(
        {
            "title": "t",
            "panels": [
                {"grid": {"h": 5}},
                {"type": "row", "panels": [{"grid": {"h": 4}}]},
                {"type": "row", "collapsed": True, "panels": [{}]},
                {"type": "row"},
            ],
        }
    )
    found = [
        (panel["type"], panel["gridPos"]["y"], len(panel.get("panels", []))) for panel in to_grafana(one)["panels"]
    ]
    assert found == [("timeseries", 0, 0), ("row", 5, 0), ("timeseries", 6, 0), ("row", 10, 1), ("row", 11, 0)]
