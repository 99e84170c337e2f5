"""A dashboard of ours as Grafana's JSON, schemaVersion 39.

What Grafana has no place for is left out: folders, and texts in a second language. Searches of logs and traces are
queries of a data source of the type ``eldonia-ops``, so they come back.
"""

from typing import Any, Final

from eldonia_ops.dashboards.document import Annotation, Dashboard, Link, Panel, Query, Variable
from eldonia_ops.dashboards.part import Text, shown
from eldonia_ops.dashboards.selection import ALL
from eldonia_ops.protocols.grafana.exported_fields import field_config
from eldonia_ops.protocols.grafana.exported_options import options_of
from eldonia_ops.protocols.grafana.tables import PANEL_TYPES, SORTS
from eldonia_ops.protocols.grafana.targets import OURS
from eldonia_ops.protocols.grafana.transforms import to_grafana as transformation_to_grafana
from eldonia_ops.protocols.grafana.values import lean

SCHEMA: Final = 39
_PROMETHEUS: Final = {"type": "prometheus", "uid": "${datasource}"}
_OURS: Final = {"type": OURS, "uid": OURS}
_HIDE: Final = {"no": 0, "label": 1, "variable": 2}
_DATASOURCE: Final = {
    "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source", "hide": 0,
    "refresh": 1, "regex": "", "multi": False, "includeAll": False, "options": [], "current": {},
}  # fmt: skip


def to_grafana(dashboard: Dashboard, language: str = "en") -> dict[str, Any]:
    """The dashboard for Grafana 10 or newer, its texts in a language. Its data source is a variable."""
    return {
        "uid": dashboard.uid,
        "title": shown(dashboard.title, language),
        "description": shown(dashboard.description, language),
        "tags": list(dashboard.tags),
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": True,
        "time": {"from": _instant(dashboard.time.from_), "to": _instant(dashboard.time.to)},
        "timepicker": {},
        "refresh": dashboard.refresh,
        "timezone": {"": "browser", "UTC": "utc"}.get(dashboard.timezone, dashboard.timezone),
        "graphTooltip": {"none": 0, "crosshair": 1, "tooltip": 2}[dashboard.cursor],
        "links": [_link(one, language) for one in dashboard.links],
        "templating": {"list": [_DATASOURCE, *(_variable(one, language) for one in dashboard.variables)]},
        "annotations": {"list": [_annotation(one) for one in dashboard.annotations]},
        "panels": _panels(dashboard, language),
    }


def _instant(text: str) -> str:
    return f"now{text}" if text.startswith("-") else text


def _panels(dashboard: Dashboard, language: str) -> list[dict[str, Any]]:
    """All panels on one grid: those outside of rows, then each row below what is above it."""
    found: list[dict[str, Any]] = []
    top = 0
    for panel in dashboard.panels:
        if panel.type == "row":
            continue
        found.append(_panel(panel, 0, dashboard, language))
        top = max(top, (panel.grid.y or 0) + panel.grid.h)
    for row in dashboard.panels:
        if row.type != "row":
            continue
        inner = [_panel(panel, top + 1, dashboard, language) for panel in row.panels]
        height = max(((panel.grid.y or 0) + panel.grid.h for panel in row.panels), default=0)
        found.append(
            {
                "id": row.id,
                "type": "row",
                "title": shown(row.title, language),
                "collapsed": row.collapsed,
                "gridPos": {"x": 0, "y": top, "w": 24, "h": 1},
                "panels": inner if row.collapsed else [],
                **({"repeat": row.repeat.variable} if row.repeat else {}),
            }
        )
        if not row.collapsed:
            found += inner
        top += 1 + (0 if row.collapsed else height)
    return found


def _panel(panel: Panel, top: int, dashboard: Dashboard, language: str) -> dict[str, Any]:
    columns = panel.type == "bar" and panel.options.bar_style == "columns"
    grid = panel.grid
    found = lean(
        {
            "id": panel.id,
            "title": shown(panel.title, language),
            "description": shown(panel.description, language),
            "type": "barchart" if columns else PANEL_TYPES[panel.type],
            "gridPos": {"x": grid.x or 0, "y": (grid.y or 0) + top, "w": grid.w, "h": grid.h},
            "transparent": panel.transparent or None,
            "datasource": None if panel.type == "text" else _PROMETHEUS,
            "targets": [_target(one) for one in panel.queries],
            "interval": panel.interval or dashboard.interval,
            "maxDataPoints": panel.max_points or None,
            "timeFrom": panel.time_from,
            "timeShift": panel.time_shift,
            "links": [_link(one, language) for one in panel.links],
            "transformations": [transformation_to_grafana(one) for one in panel.transformations],
            **_repeat(panel),
        }
    )
    found["fieldConfig"] = field_config(panel, language)
    found["options"] = options_of(panel, language)
    return found


def _repeat(panel: Panel) -> dict[str, Any]:
    if panel.repeat is None:
        return {}
    if panel.repeat.direction == "vertical":
        return {"repeat": panel.repeat.variable, "repeatDirection": "v", "maxPerRow": panel.repeat.max_per_row}
    return {"repeat": panel.repeat.variable, "repeatDirection": "h", "maxPerRow": panel.repeat.max_per_row}


def _target(query: Query) -> dict[str, Any]:
    found = lean(
        {
            "refId": query.ref,
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
            "interval": query.interval,
            "hide": query.hide or None,
        }
    )
    found |= {"instant": query.instant, "range": not query.instant}
    found["format"] = {"series": "time_series"}.get(query.format, query.format)
    if query.language == "promql":
        return {**found, "datasource": _PROMETHEUS, "editorMode": "code"}
    return {**found, "datasource": _OURS, "language": query.language}


def _link(link: Link, language: str) -> dict[str, Any]:
    found = {
        "title": shown(link.title, language),
        "tooltip": shown(link.tooltip, language),
        "keepTime": link.keep_time,
        "includeVars": link.keep_variables,
        "targetBlank": link.new_tab,
        "icon": "external link",
        "tags": [],
    }
    if link.url or link.dashboard or not link.tags:
        return {**found, "type": "link", "url": link.url or (f"/d/{link.dashboard}" if link.dashboard else "")}
    return {**found, "type": "dashboards", "tags": list(link.tags), "asDropdown": link.as_list, "url": ""}


def _variable(variable: Variable, language: str) -> dict[str, Any]:
    found = lean(
        {
            "name": variable.name,
            "label": shown(variable.label, language),
            "description": shown(variable.description, language),
            "type": {"text": "textbox"}.get(variable.type, variable.type),
        }
    )
    found["hide"] = _HIDE[variable.hide]
    found["skipUrlSync"] = False
    found["current"] = _current(variable)
    match variable.type:
        case "query":
            found |= {
                "datasource": _PROMETHEUS,
                "definition": variable.query,
                "query": {"query": variable.query, "refId": "StandardVariableQuery"},
                "regex": variable.regex,
                "sort": SORTS[variable.sort],
                "refresh": 2 if variable.refresh == "time" else 1,
                "options": [],
                **_several(variable),
            }
        case "custom":
            found |= {"query": ",".join(_option(one) for one in variable.options), "options": [], **_several(variable)}
        case "interval":
            found |= {
                "query": ",".join(one if isinstance(one, str) else one.value for one in variable.options),
                "auto": bool(variable.auto_count),
                "auto_count": variable.auto_count,
                "auto_min": variable.auto_min,
                "refresh": 2,
                "options": [],
            }
        case "constant":
            found |= {"query": variable.query}
        case "text":
            found |= {"query": next(iter(variable.default), variable.query)}
    return found


def _option(option: Any) -> str:
    if isinstance(option, str):
        return option.replace(",", "\\,")
    value = option.value.replace(",", "\\,")
    return f"{option.text.replace(',', chr(92) + ',')} : {value}" if option.text else value


def _several(variable: Variable) -> dict[str, Any]:
    return {
        "multi": variable.multi,
        "includeAll": variable.include_all,
        "allValue": variable.all_value or None,
    }


def _current(variable: Variable) -> dict[str, Any]:
    if not variable.default:
        return {}
    if variable.type == "interval":
        value = variable.default[0]
        return {"text": value, "value": f"$__auto_interval_{variable.name}" if value == "auto" else value}
    values = list(variable.default)
    texts = ["All" if value == ALL else value for value in values]
    return {"text": texts, "value": values} if variable.multi else {"text": texts[0], "value": values[0]}


def _annotation(one: Annotation) -> dict[str, Any]:
    found: dict[str, Any] = {"name": one.name, "enable": one.enabled, "hide": one.hide, "iconColor": one.color}
    if one.source != "promql":
        return {**found, "datasource": _OURS, "source": one.source, "expr": one.query}
    return {
        **found,
        "datasource": _PROMETHEUS,
        **lean(
            {
                "expr": one.query,
                "titleFormat": one.title,
                "textFormat": one.text,
                "tagKeys": ",".join(one.tags),
                "step": one.interval,
            }
        ),
    }


__all__ = ["SCHEMA", "Text", "to_grafana"]
