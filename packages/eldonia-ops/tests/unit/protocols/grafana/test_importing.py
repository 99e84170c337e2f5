"""Dashboards of Grafana, of all ages, become ours; what cannot be taken is reported."""

from typing import Any

import pytest

from eldonia_ops.dashboards.document import Panel
from eldonia_ops.dashboards.reading import to_plain
from eldonia_ops.protocols.grafana import Imported, NotGrafanaError, from_grafana, is_grafana


def imported(*panels: dict, **more: Any) -> Imported:
    return from_grafana({"title": "T", "schemaVersion": 39, "panels": list(panels), **more})


def taken(panel: dict, **more: Any) -> Panel:
    (one,) = imported({"targets": [{"expr": "up", "refId": "A"}], **panel}, **more).dashboard.panels
    return one


def words_of(title: Any) -> str:
    return title.en


def codes(result: Imported) -> list[str]:
    return [note.code for note in result.notes]


def test_a_time_series_with_everything() -> None:
    panel = taken(
        {
            "id": 7,
            "title": "CPU",
            "type": "timeseries",
            "description": "d",
            "transparent": True,
            "gridPos": {"x": 0, "y": 0, "w": 12, "h": 7},
            "interval": ">=30s",
            "maxDataPoints": 500,
            "timeFrom": "6h",
            "timeShift": "1d",
            "repeat": "node",
            "repeatDirection": "h",
            "maxPerRow": 3,
            "targets": [
                {"refId": "A", "expr": "rate(x[5m])", "legendFormat": "{{instance}}", "instant": True, "range": False},
                {
                    "refId": "B",
                    "expr": "y",
                    "hide": True,
                    "format": "table",
                    "legendFormat": "__auto",
                    "interval": "1m",
                },
            ],
            "fieldConfig": {
                "defaults": {
                    "unit": "percentunit",
                    "decimals": 2,
                    "min": 0,
                    "max": 1,
                    "displayName": "n",
                    "noValue": "-",
                    "color": {"mode": "fixed", "fixedColor": "blue", "seriesBy": "max"},
                    "thresholds": {
                        "mode": "percentage",
                        "steps": [{"color": "green", "value": None}, {"color": "red", "value": 80}],
                    },
                    "mappings": [
                        {
                            "type": "value",
                            "options": {
                                "1": {"text": "up", "color": "green", "index": 1},
                                "0": {"text": "down", "index": 0},
                            },
                        },
                        {"type": "range", "options": {"from": 2, "to": None, "result": {"text": "many"}}},
                        {"type": "regex", "options": {"pattern": "a(.)", "result": {"text": "$1"}}},
                        {"type": "special", "options": {"match": "null+nan", "result": {"text": "?"}}},
                    ],
                    "links": [{"title": "l", "url": "/x", "targetBlank": True}],
                    "custom": {
                        "drawStyle": "bars",
                        "lineInterpolation": "stepAfter",
                        "lineWidth": 2,
                        "fillOpacity": 30,
                        "gradientMode": "hue",
                        "showPoints": "never",
                        "pointSize": 7,
                        "stacking": {"mode": "percent", "group": "A"},
                        "spanNulls": 300000,
                        "lineStyle": {"fill": "dot"},
                        "axisPlacement": "right",
                        "axisLabel": "a",
                        "scaleDistribution": {"type": "log", "log": 2},
                        "axisSoftMin": 1,
                        "thresholdsStyle": {"mode": "line+area"},
                    },
                },
                "overrides": [
                    {
                        "matcher": {"id": "byName", "options": "s"},
                        "properties": [
                            {"id": "unit", "value": "Bps"},
                            {"id": "custom.transform", "value": "negative-Y"},
                            {"id": "custom.hideFrom", "value": {"legend": True, "tooltip": False, "viz": False}},
                            {"id": "color", "value": {"mode": "fixed", "fixedColor": "red"}},
                        ],
                    },
                    {
                        "matcher": {"id": "byRegexp", "options": "/a.*/"},
                        "properties": [{"id": "custom.stacking", "value": {"mode": "normal", "group": "B"}}],
                    },
                    {
                        "matcher": {"id": "byNames", "options": {"mode": "exclude", "names": ["z"]}},
                        "properties": [{"id": "custom.hidden", "value": True}],
                    },
                ],
            },
            "options": {
                "legend": {
                    "displayMode": "table",
                    "placement": "right",
                    "calcs": ["lastNotNull", "max"],
                    "sortBy": "Max",
                    "sortDesc": True,
                },
                "tooltip": {"mode": "multi", "sort": "desc"},
            },
        }
    )
    plain = to_plain(panel)
    assert plain["queries"][0] == {
        "ref": "A",
        "language": "promql",
        "expr": "rate(x[5m])",
        "legend": "{{instance}}",
        "instant": True,
    }
    assert plain["queries"][1]["format"] == "table"
    assert (plain["unit"], plain["interval"], plain["time_from"], plain["repeat"]) == (
        "ratio",
        "30s",
        "6h",
        {"variable": "node", "max_per_row": 3},
    )
    assert plain["color"] == {"mode": "fixed", "color": "blue", "by": "max"}
    assert plain["thresholds"] == {
        "mode": "percentage",
        "steps": [{"color": "green"}, {"value": 80, "color": "red"}],
    }
    assert plain["mappings"] == [
        {"value": "0", "text": "down"},
        {"value": "1", "text": "up", "color": "green"},
        {"range": {"from": 2}, "text": "many"},
        {"regex": "a(.)", "text": "$1"},
        {"special": "null_or_nan", "text": "?"},
    ]
    assert plain["options"] == {
        "draw": "bars",
        "interpolation": "step_after",
        "line_width": 2,
        "line_style": "dots",
        "fill": 30,
        "gradient": "hue",
        "points": "never",
        "point_size": 7,
        "stacking": "percent",
        "connect": "300000ms",
        "threshold_style": "line_and_area",
        "axis": "right",
        "axis_label": "a",
        "axis_scale": "log2",
        "axis_soft_min": 1,
        "legend": {
            "mode": "table",
            "placement": "right",
            "calcs": ["last", "max"],
            "sort_by": "Max",
            "sort_descending": True,
        },
        "tooltip": {"mode": "all", "sort": "descending"},
    }
    assert plain["overrides"][0]["set"] == {
        "unit": "bytes_si/s",
        "color": {"mode": "fixed", "color": "red"},
        "negative": True,
        "hide_in": ["legend"],
    }
    assert plain["overrides"][1] == {"match": {"regex": "/a.*/"}, "set": {"stacking": "normal", "stack_group": "B"}}
    assert plain["overrides"][2]["match"] == {"names": ["z"], "exclude": True}


def test_rows_have_their_panels_whether_folded_or_not() -> None:
    def panel(id: int, y: int) -> dict:
        return {"id": id, "type": "stat", "gridPos": {"x": 0, "y": y, "w": 6, "h": 4}, "targets": [{"expr": "up"}]}

    result = imported(
        panel(1, 0),
        {"id": 2, "type": "row", "title": "open", "gridPos": {"y": 4}, "panels": []},
        panel(3, 5),
        {
            "id": 4,
            "type": "row",
            "title": "folded",
            "collapsed": True,
            "gridPos": {"y": 9},
            "panels": [panel(5, 10)],
            "repeat": "v",
        },
    )
    first, opened, folded = result.dashboard.panels
    assert (first.id, first.grid.y) == (1, 0)
    assert [(one.id, one.grid.y) for one in opened.panels] == [(3, 0)]
    assert [(one.id, one.grid.y) for one in folded.panels] == [(5, 0)]
    assert folded.collapsed
    assert folded.repeat is not None


def test_what_follows_a_collapsed_row_stays_outside_of_it_and_is_named() -> None:
    def panel(id: int, y: int, x: int = 0) -> dict:
        place = {"x": x, "y": y, "w": 6, "h": 4}
        return {"id": id, "title": f"p{id}", "type": "stat", "gridPos": place, "targets": [{"expr": "up"}]}

    result = imported(
        panel(1, 0),
        {"id": 2, "type": "row", "title": "Files", "collapsed": True, "gridPos": {"y": 4}, "panels": [panel(3, 5)]},
        panel(4, 5, 6),
        panel(5, 9, 6),
        {"id": 6, "type": "row", "title": "", "collapsed": True, "gridPos": {"y": 20}, "panels": []},
        panel(7, 21),
    )
    first, files, after, untitled, last = result.dashboard.panels
    assert first.id == 1
    assert [one.id for one in files.panels] == [3]
    assert (after.type, after.collapsed) == ("row", False)
    assert [(one.id, one.grid.y) for one in after.panels] == [(4, 0), (5, 4)]
    assert [words_of(one.title) for one in (after, last)] == ["After Files", "More panels"]
    assert (untitled.panels, [one.id for one in last.panels]) == ((), [7])
    assert len({first.id, files.id, after.id, untitled.id, last.id, 3, 4, 5, 7}) == 9
    moved = [(one.level, one.panel, one.title) for one in result.notes if one.code == "after_row"]
    assert moved == [("changed", 4, "p4"), ("changed", 5, "p5"), ("changed", 7, "p7")]
    for language in ("en", "ja"):
        assert all("Files" in one.reason(language) for one in result.notes[:2])


def test_the_rows_of_old_dashboards() -> None:
    def row(**more: Any) -> dict:
        panels = [
            {"id": 1, "span": 4, "type": "graph", "targets": [{"expr": "a"}]},
            {"span": 12, "type": "graph", "targets": [{"expr": "b"}]},
        ]
        return {"height": "250px", "panels": panels, **more}

    flat = from_grafana({"title": "t", "schemaVersion": 14, "rows": [row(), row()]}).dashboard
    assert [(one.grid.x, one.grid.y, one.grid.w, one.grid.h) for one in flat.panels] == [
        (0, 0, 8, 7),
        (0, 7, 24, 7),
        (0, 14, 8, 7),
        (0, 21, 24, 7),
    ]
    assert len({one.id for one in flat.panels}) == 4
    titled = from_grafana(
        {"title": "t", "rows": [row(title="A", showTitle=True), row(title="B", collapse=True)]}
    ).dashboard
    assert [(one.type, one.title, one.collapsed, len(one.panels)) for one in titled.panels] == [
        ("row", "A", False, 2),
        ("row", "B", True, 2),
    ]


def test_graphs() -> None:
    panel = taken(
        {
            "type": "graph",
            "fill": 2,
            "linewidth": 1,
            "stack": True,
            "percentage": False,
            "steppedLine": True,
            "nullPointMode": "connected",
            "aliasColors": {"a": "#123456"},
            "decimals": 1,
            "legend": {
                "show": True,
                "values": True,
                "current": True,
                "avg": True,
                "alignAsTable": True,
                "rightSide": True,
                "sort": "current",
                "sortDesc": True,
            },
            "seriesOverrides": [
                {"alias": "/tx/", "transform": "negative-Y", "yaxis": 2, "fill": 0, "stack": False, "dashes": True},
                {"alias": "gone", "zindex": 3},
            ],
            "yaxes": [{"format": "bytes", "min": "0", "max": None, "label": "L", "logBase": 10}, {"format": "pps"}],
            "tooltip": {"shared": True, "sort": 2},
            "thresholds": [{"value": 5, "op": "gt", "colorMode": "critical", "fill": True, "line": True}],
        }
    )
    plain = to_plain(panel)
    assert (plain["type"], plain["unit"], plain["min"], plain["decimals"]) == ("timeseries", "bytes", 0, 1)
    assert plain["options"] == {
        "interpolation": "step_after",
        "fill": 20,
        "points": "never",
        "stacking": "normal",
        "connect": "always",
        "threshold_style": "line_and_area",
        "axis_label": "L",
        "axis_scale": "log10",
        "legend": {
            "mode": "table",
            "placement": "right",
            "calcs": ["last", "mean"],
            "sort_by": "last",
            "sort_descending": True,
        },
        "tooltip": {"mode": "all", "sort": "descending"},
    }
    assert plain["overrides"] == [
        {"match": {"name": "a"}, "set": {"color": {"mode": "fixed", "color": "#123456"}}},
        {
            "match": {"regex": "/tx/"},
            "set": {
                "unit": "packets/s",
                "line_style": "dash",
                "fill": 0,
                "stacking": "none",
                "negative": True,
                "axis": "right",
            },
        },
    ]
    assert plain["thresholds"]["steps"] == [{"color": "transparent"}, {"value": 5, "color": "red"}]


def test_single_stats() -> None:
    plain = to_plain(
        taken(
            {
                "type": "singlestat",
                "format": "percent",
                "valueName": "current",
                "thresholds": "60,80",
                "colors": ["green", "orange", "red"],
                "colorBackground": True,
                "sparkline": {"show": False},
                "valueMaps": [{"op": "=", "text": "N/A", "value": "null"}, {"op": "=", "text": "Down", "value": "0"}],
            }
        )
    )
    assert (plain["type"], plain["unit"]) == ("stat", "percent")
    assert plain["options"] == {"color_mode": "background", "graph_mode": "none"}
    assert plain["thresholds"]["steps"] == [
        {"color": "green"},
        {"value": 60, "color": "orange"},
        {"value": 80, "color": "red"},
    ]
    assert plain["mappings"] == [{"value": "0", "text": "Down"}]
    gauge = taken({"type": "singlestat", "gauge": {"show": True, "minValue": 0, "maxValue": 50}, "valueName": "avg"})
    assert (gauge.type, gauge.max, gauge.options.reduce.calcs) == ("gauge", 50, ("mean",))
    assert taken({"type": "singlestat", "format": "none", "postfix": " req"}).unit == "suffix: req"


def test_tables_of_both_ages() -> None:
    old = taken(
        {
            "type": "table",
            "transform": "timeseries_aggregations",
            "columns": [{"text": "Avg", "value": "avg"}],
            "styles": [
                {"pattern": "Time", "type": "hidden"},
                {
                    "pattern": "/.*/",
                    "type": "number",
                    "unit": "s",
                    "decimals": 1,
                    "colorMode": "cell",
                    "thresholds": ["1", "2"],
                    "colors": ["a", "b", "c"],
                },
            ],
        }
    )
    plain = to_plain(old)
    assert plain["transformations"] == [{"type": "reduce", "calcs": ["mean"]}]
    assert plain["overrides"][0]["set"]["cell"] == "background"
    assert plain["overrides"][1] == {"match": {"name": "Time"}, "set": {"hidden": True}}
    new = taken(
        {
            "type": "table",
            "options": {
                "showHeader": False,
                "sortBy": [{"displayName": "a", "desc": True}],
                "footer": {"show": True, "reducer": ["sum"], "fields": ""},
            },
            "fieldConfig": {"defaults": {"custom": {"align": "left", "cellOptions": {"type": "color-background"}}}},
            "transformations": [
                {
                    "id": "organize",
                    "options": {
                        "excludeByName": {"Time": True, "x": False},
                        "indexByName": {"b": 0, "a": 1},
                        "renameByName": {"a": "A"},
                    },
                },
                {
                    "id": "calculateField",
                    "options": {
                        "mode": "binary",
                        "binary": {"left": "a", "operator": "/", "right": "2"},
                        "alias": "half",
                    },
                },
                {
                    "id": "groupBy",
                    "options": {
                        "fields": {
                            "a": {"operation": "groupby"},
                            "b": {"operation": "aggregate", "aggregations": ["sum"]},
                        }
                    },
                },
                {
                    "id": "filterByValue",
                    "options": {
                        "type": "include",
                        "match": "any",
                        "filters": [{"fieldName": "a", "config": {"id": "greater", "options": {"value": 3}}}],
                    },
                },
                {"id": "joinByField", "options": {"byField": "a", "mode": "inner"}},
            ],
        }
    )
    assert to_plain(new)["transformations"] == [
        {"type": "organize", "hide": ["Time"], "rename": {"a": "A"}, "order": ["b", "a"]},
        {"type": "calculate", "left": "a", "op": "/", "right": "2", "name": "half"},
        {"type": "group_by", "fields": [{"field": "a", "group": True}, {"field": "b", "calcs": ["sum"]}]},
        {"type": "filter_rows", "conditions": [{"field": "a", "op": ">", "value": 3}], "match": "any"},
        {"type": "join", "field": "a", "mode": "inner"},
    ]
    assert (new.options.header, new.options.footer, new.options.cell) == (False, ("sum",), "background")


@pytest.mark.parametrize(
    ("theirs", "options", "ours", "settings"),
    [
        ("bargauge", {"displayMode": "lcd", "orientation": "horizontal"}, "bar", {"bar_style": "lcd"}),
        ("barchart", {"xField": "a", "stacking": "normal"}, "bar", {"bar_style": "columns", "category": "a"}),
        ("piechart", {}, "bar", {"bar_style": "basic"}),
        ("state-timeline", {"mergeValues": False}, "state_timeline", {"merge_equal": False}),
        ("status-history", {}, "state_timeline", {"merge_equal": False}),
        ("gauge", {"showThresholdLabels": True}, "gauge", {"threshold_labels": True}),
        (
            "stat",
            {"colorMode": "background", "textMode": "name"},
            "stat",
            {"color_mode": "background", "text_mode": "name"},
        ),
        ("grafana-polystat-panel", {}, "stat", {"text_mode": "value_and_name"}),
    ],
)
def test_other_types(theirs: str, options: dict, ours: str, settings: dict) -> None:
    panel = taken({"type": theirs, "options": options})
    assert panel.type == ours
    assert {key: getattr(panel.options, key) for key in settings} == settings


def test_heat_maps_of_both_ages() -> None:
    old = taken(
        {
            "type": "heatmap",
            "dataFormat": "tsbuckets",
            "color": {"colorScheme": "interpolateSpectral"},
            "yAxis": {"format": "s"},
        }
    )
    assert (old.unit, old.options.heat.calculate, old.options.heat.scheme) == ("s", False, "spectral")
    new = taken({"type": "heatmap", "options": {"calculate": True, "color": {"scheme": "Blues", "steps": 20}}})
    assert (new.options.heat.calculate, new.options.heat.scheme, new.options.heat.steps) == (True, "blues", 20)


def test_texts_lose_their_html_and_scripts() -> None:
    (panel,) = imported(
        {
            "type": "text",
            "options": {
                "mode": "html",
                "content": '<h2>A</h2><script>x()</script><p>b <a href="https://e.org">c</a> '
                '<a href="javascript:x">d</a></p>',
            },
        }
    ).dashboard.panels
    assert panel.options.content == "## A\n\nb [c](https://e.org) d"


def test_variables_of_all_kinds() -> None:
    result = imported(
        templating={
            "list": [
                {"name": "ds", "type": "datasource", "query": "prometheus"},
                {
                    "name": "q",
                    "type": "query",
                    "datasource": {"uid": "$ds"},
                    "query": {"query": "label_values(up, job)"},
                    "regex": "/a(.*)/",
                    "sort": 3,
                    "refresh": 2,
                    "multi": True,
                    "includeAll": True,
                    "allValue": ".*",
                    "current": {"value": ["$__all"]},
                    "hide": 1,
                },
                {"name": "c", "type": "custom", "query": "one : 1, two\\,three", "current": {"value": "1"}},
                {
                    "name": "i",
                    "type": "interval",
                    "query": "1m,5m",
                    "auto": True,
                    "auto_count": 20,
                    "auto_min": "10s",
                    "current": {"value": "$__auto_interval_i"},
                },
                {"name": "k", "type": "constant", "query": "v", "hide": 2},
                {"name": "t", "type": "textbox", "query": "x"},
                {"name": "a", "type": "adhoc"},
                {"name": "l", "type": "query", "datasource": {"type": "loki"}, "query": "label_values(job)"},
                {"name": "q", "type": "constant", "query": "again"},
            ]
        }
    )
    assert [to_plain(one) for one in result.dashboard.variables] == [
        {
            "name": "q",
            "type": "query",
            "query": "label_values(up, job)",
            "regex": "/a(.*)/",
            "sort": "numerical",
            "multi": True,
            "include_all": True,
            "all_value": ".*",
            "default": ["$__all"],
            "hide": "label",
            "refresh": "time",
        },
        {"name": "c", "type": "custom", "options": [{"value": "1", "text": "one"}, "two,three"], "default": ["1"]},
        {
            "name": "i",
            "type": "interval",
            "options": ["1m", "5m"],
            "default": ["auto"],
            "auto_count": 20,
            "auto_min": "10s",
        },
        {"name": "k", "type": "constant", "query": "v", "hide": "variable"},
        {"name": "t", "type": "text", "default": ["x"]},
    ]
    assert codes(result) == ["datasource_variable", "variable_type", "datasource", "variable_name"]


def test_inputs_are_filled_in_and_sources_known_by_them() -> None:
    result = imported(
        {"id": 1, "type": "stat", "datasource": "${DS_P}", "targets": [{"expr": "up{j='${VAR_JOB}'}"}]},
        {"id": 2, "type": "stat", "datasource": "${DS_L}", "targets": [{"expr": "{a='b'}"}]},
        __inputs=[
            {"name": "DS_P", "type": "datasource", "pluginId": "prometheus"},
            {"name": "DS_L", "type": "datasource", "pluginId": "loki"},
            {"name": "VAR_JOB", "type": "constant", "value": "node"},
        ],
    )
    assert [one.queries[0].expr for one in result.dashboard.panels] == ["up{j='node'}"]
    assert codes(result) == ["loki", "no_queries"]
    assert (result.panels, result.taken) == (2, 1)


def test_what_is_dropped_says_so_in_both_languages() -> None:
    result = imported(
        {"id": 1, "title": "Map", "type": "geomap"},
        {"id": 2, "type": "alertlist"},
        {"id": 3, "type": "dashlist"},
        {"id": 4, "libraryPanel": {"uid": "x", "name": "L"}},
        {"id": 5, "type": "stat", "targets": [{"datasource": {"type": "__expr__"}, "expression": "$A"}]},
        {
            "id": 6,
            "type": "stat",
            "targets": [{"expr": "up"}],
            "alert": {"name": "x"},
            "transformations": [{"id": "nope"}],
        },
    )
    assert codes(result) == [
        "type",
        "alerts",
        "dashboards",
        "library",
        "expression",
        "no_queries",
        "alert_rule",
        "transformation",
    ]
    first = result.notes[0]
    assert (first.panel, first.title, first.what, first.level) == (1, "Map", "panel", "dropped")
    assert first.reason() == "there is no panel of the type geomap here"
    assert first.reason("ja") == "geomap 型のパネルはこの製品にありません"
    assert (result.panels, result.taken, result.changed) == (6, 1, 1)


def test_annotations_and_links() -> None:
    result = imported(
        annotations={
            "list": [
                {"builtIn": 1, "name": "Annotations & Alerts", "datasource": "-- Grafana --"},
                {
                    "name": "restarts",
                    "datasource": "Prometheus",
                    "expr": "changes(x[5m])",
                    "titleFormat": "{{job}}",
                    "tagKeys": "a, b",
                    "step": "60s",
                    "iconColor": "red",
                },
                {"name": "logs", "datasource": {"type": "loki"}, "expr": "x"},
            ]
        },
        links=[
            {"type": "dashboards", "tags": ["a"], "asDropdown": True, "keepTime": True},
            {"type": "link", "url": "https://e.org", "title": "E", "targetBlank": True},
            {"type": "link", "url": "/d/abc/name", "includeVars": True},
        ],
    )
    assert [to_plain(one) for one in result.dashboard.annotations] == [
        {
            "name": "restarts",
            "query": "changes(x[5m])",
            "title": "{{job}}",
            "tags": ["a", "b"],
            "interval": "60s",
            "color": "red",
        }
    ]
    assert [to_plain(one) for one in result.dashboard.links] == [
        {"tags": ["a"], "keep_time": True, "as_list": True},
        {"title": "E", "url": "https://e.org", "new_tab": True},
        {"dashboard": "abc", "keep_variables": True},
    ]
    assert codes(result) == ["annotation"]


def test_the_head_of_a_dashboard() -> None:
    found = imported(
        uid="has spaces",
        title="My: Dash",
        tags=["a"],
        time={"from": "now-6h", "to": "now"},
        refresh="10s",
        timezone="utc",
        graphTooltip=1,
    ).dashboard
    assert (found.uid, found.time.from_, found.refresh, found.timezone, found.cursor) == (
        "my-dash",
        "-6h",
        "10s",
        "UTC",
        "crosshair",
    )


@pytest.mark.parametrize(
    "data", [None, [], 3, {}, {"a": 1}, {"elements": {}, "layout": {}, "title": "v2"}, {"dashboard": {"x": 1}}]
)
def test_what_is_no_dashboard_is_refused(data: Any) -> None:
    with pytest.raises(NotGrafanaError):
        from_grafana(data)


@pytest.mark.parametrize("junk", [None, 3, "x", [], [3], {"a": []}, {"list": 3}, True, 1e400])
def test_junk_anywhere_stops_nothing(junk: Any) -> None:
    names = (
        "gridPos",
        "targets",
        "fieldConfig",
        "options",
        "transformations",
        "links",
        "datasource",
        "repeat",
        "id",
        "yaxes",
        "legend",
        "styles",
    )
    panels = [
        {"type": kind, name: junk}
        for kind in ("graph", "timeseries", "table", "singlestat", "heatmap")
        for name in names
    ]
    panels += [{"type": junk}, junk]  # type: ignore[list-item]
    heads = (
        "templating",
        "annotations",
        "links",
        "time",
        "tags",
        "uid",
        "refresh",
        "__inputs",
        "schemaVersion",
        "timezone",
    )
    for name in heads:
        from_grafana({"title": "t", "panels": panels, name: junk})
    from_grafana({"title": "t", "rows": junk, "panels": junk})
    from_grafana({"title": "t", "rows": [junk, {"panels": junk, "height": junk}]})


def test_ours_and_theirs_are_told_apart() -> None:
    assert is_grafana({"dashboard": {"title": "t", "schemaVersion": 30, "panels": []}})
    assert is_grafana({"title": "t", "panels": [{"gridPos": {}}]})
    assert not is_grafana({"title": "t", "panels": [{"grid": {}}]})
    assert not is_grafana([])
