"""``fieldConfig`` of a panel for Grafana."""

from typing import Any, Final

from eldonia_ops.dashboards.display import ColorMode, FieldSet, Mapping, Match, Options, Override, Thresholds, ValueLink
from eldonia_ops.dashboards.document import Panel
from eldonia_ops.dashboards.part import shown
from eldonia_ops.dashboards.units import unit_to_grafana
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.protocols.grafana.tables import (
    AXIS,
    CELLS,
    COLOR_MODE,
    INTERPOLATION,
    LINE_STYLE,
    POINTS,
    SCHEMES,
    SPECIAL,
    THRESHOLD_STYLE,
)
from eldonia_ops.protocols.grafana.values import lean

_DRAWN: Final = frozenset({"timeseries", "bar"})


def field_config(panel: Panel, language: str) -> dict[str, Any]:
    """Settings for all series, and overrides."""
    defaults = lean(
        {
            "unit": unit_to_grafana(panel.unit) if panel.unit else "",
            "decimals": panel.decimals,
            "min": panel.min,
            "max": panel.max,
            "displayName": shown(panel.display_name, language),
            "noValue": shown(panel.no_value, language),
            "color": _color(panel.color),
            "thresholds": _thresholds(panel.thresholds),
            "mappings": _mappings(panel.mappings, language),
            "links": [_link(one, language) for one in panel.value_links],
        }
    )
    custom = _custom_defaults(panel)
    if custom:
        defaults["custom"] = custom
    return {"defaults": defaults, "overrides": [_override(one, language) for one in panel.overrides]}


def _color(color: ColorMode) -> dict[str, Any] | None:
    if color.mode == "auto":
        return None
    found: dict[str, Any] = {"mode": SCHEMES[color.scheme] if color.mode == "scale" else COLOR_MODE[color.mode]}
    if color.color:
        found["fixedColor"] = color.color
    if color.by != "last":
        found["seriesBy"] = color.by
    return found


def _thresholds(thresholds: Thresholds) -> dict[str, Any] | None:
    if not thresholds.steps:
        return None
    steps = [{"color": step.color, "value": step.value} for step in thresholds.steps]
    return {"mode": thresholds.mode, "steps": steps}


def _mappings(mappings: tuple[Mapping, ...], language: str) -> list[dict[str, Any]]:
    """Mappings in their order; values that follow one another are one mapping there."""
    found: list[dict[str, Any]] = []
    for index, one in enumerate(mappings):
        result: dict[str, Any] = {"index": index, **lean({"text": shown(one.text, language), "color": one.color})}
        if one.value is not None:
            if found and found[-1]["type"] == "value" and one.value not in found[-1]["options"]:
                found[-1]["options"][one.value] = result
            else:
                found.append({"type": "value", "options": {one.value: result}})
        elif one.range is not None:
            bounds = {"from": one.range.from_, "to": one.range.to}
            found.append({"type": "range", "options": {**bounds, "result": result}})
        elif one.regex is not None:
            found.append({"type": "regex", "options": {"pattern": one.regex, "result": result}})
        elif one.special is not None:
            found.append({"type": "special", "options": {"match": SPECIAL[one.special], "result": result}})
    return found


def _link(link: ValueLink, language: str) -> dict[str, Any]:
    return {"title": shown(link.title, language), "url": link.url, "targetBlank": link.new_tab}


def _custom_defaults(panel: Panel) -> dict[str, Any]:
    options = panel.options
    found: dict[str, Any] = {}
    if panel.type in ("timeseries", "bar"):
        drawn = {name: getattr(options, name) for name in _BOTH if hasattr(options, name)}
        found = _custom(drawn) if panel.type == "timeseries" else _differing(options, drawn)
    elif panel.type == "table":
        found = _custom({"align": options.align, "cell": options.cell, "filterable": options.filterable})
    return found


def _differing(options: Options, drawn: dict[str, Any]) -> dict[str, Any]:
    plain = Options()
    return _custom({name: value for name, value in drawn.items() if value != getattr(plain, name)})


_BOTH: Final = (
    "draw", "interpolation", "line_width", "line_style", "fill", "gradient", "points", "point_size", "stacking",
    "connect", "bar_width", "threshold_style", "axis", "axis_label", "axis_scale", "axis_soft_min", "axis_soft_max",
    "axis_centered", "axis_grid",
)  # fmt: skip


def _custom(values: dict[str, Any]) -> dict[str, Any]:
    """Grafana's ``custom`` for our options by name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None:
            found |= _one(name, value, values)
    return found


def _one(name: str, value: Any, values: dict[str, Any]) -> dict[str, Any]:
    match name:
        case "interpolation":
            return {"lineInterpolation": INTERPOLATION[value]}
        case "line_style":
            return {"lineStyle": {"fill": LINE_STYLE[value]}}
        case "points":
            return {"showPoints": POINTS[value]}
        case "stacking":
            return {"stacking": {"mode": value, "group": values.get("stack_group") or "A"}}
        case "stack_group":
            mode = values.get("stacking")
            return {"stacking": lean({"mode": mode, "group": value})}
        case "connect":
            return {"spanNulls": _gap(value)}
        case "threshold_style":
            return {"thresholdsStyle": {"mode": THRESHOLD_STYLE[value]}}
        case "axis":
            return {"axisPlacement": AXIS[value]}
        case "axis_scale":
            return {"scaleDistribution": _scale(value)}
        case "axis_grid":
            return {} if value == "auto" else {"axisGridShow": value == "on"}
        case "negative":
            return {"transform": "negative-Y"} if value else {}
        case "hide_in":
            return {"hideFrom": {theirs: ours in value for ours, theirs in _HIDING}}
        case "cell":
            return {"cellOptions": {"type": CELLS[value]}}
    return {_NAMES[name]: value} if name in _NAMES else {}


def _gap(value: str) -> bool | int:
    """Whether points are joined over gaps, or over gaps of so many ms."""
    if value in ("", "always"):
        return value == "always"
    try:
        return parse_duration(value)
    except ValueError:
        return False  # a variable, for which there is no place


_HIDING: Final = (("chart", "viz"), ("legend", "legend"), ("tooltip", "tooltip"))
_NAMES: Final = {
    "draw": "drawStyle", "line_width": "lineWidth", "fill": "fillOpacity", "fill_below": "fillBelowTo",
    "gradient": "gradientMode", "point_size": "pointSize", "bar_width": "barWidthFactor", "axis_label": "axisLabel",
    "axis_soft_min": "axisSoftMin", "axis_soft_max": "axisSoftMax", "axis_centered": "axisCenteredZero",
    "width": "width", "align": "align", "filterable": "filterable", "hidden": "hidden",
}  # fmt: skip


def _scale(value: str) -> dict[str, Any]:
    if value in ("log2", "log10"):
        return {"type": "log", "log": 2 if value == "log2" else 10}
    return {"type": value}


def _override(override: Override, language: str) -> dict[str, Any]:
    return {"matcher": _matcher(override.match), "properties": _properties(override.set, language)}


def _matcher(match: Match) -> dict[str, Any]:
    if match.name is not None:
        return {"id": "byName", "options": match.name}
    if match.regex is not None:
        return {"id": "byRegexp", "options": match.regex}
    if match.ref is not None:
        return {"id": "byFrameRefID", "options": match.ref}
    if match.names is not None:
        mode = "exclude" if match.exclude else "include"
        return {"id": "byNames", "options": {"mode": mode, "names": list(match.names), "readOnly": True}}
    return {"id": "byType", "options": match.type or "number"}


def _properties(chosen: FieldSet, language: str) -> list[dict[str, Any]]:
    values: dict[str, Any] = {}
    if chosen.unit is not None:
        values["unit"] = unit_to_grafana(chosen.unit)
    for name, id in (("decimals", "decimals"), ("min", "min"), ("max", "max")):
        values[id] = getattr(chosen, name)
    for name, id in (("display_name", "displayName"), ("no_value", "noValue")):
        text = getattr(chosen, name)
        values[id] = None if text is None else shown(text, language)
    if chosen.thresholds is not None:
        values["thresholds"] = _thresholds(chosen.thresholds)
    if chosen.mappings is not None:
        values["mappings"] = _mappings(chosen.mappings, language)
    if chosen.color is not None:
        values["color"] = _color(chosen.color)
    if chosen.links is not None:
        values["links"] = [_link(one, language) for one in chosen.links]
    names = (
        *_BOTH,
        "stack_group",
        "fill_below",
        "negative",
        "hide_in",
        "width",
        "align",
        "cell",
        "filterable",
        "hidden",
    )
    custom = _custom({name: getattr(chosen, name) for name in names})
    found = [{"id": id, "value": value} for id, value in values.items() if value is not None]
    return [*found, *({"id": f"custom.{key}", "value": value} for key, value in custom.items())]
