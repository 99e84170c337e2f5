"""``fieldConfig``: what is set for all series of a panel, and what overrides set for some."""

from typing import Any, Final

from eldonia_ops.dashboards.units import unit_from_grafana
from eldonia_ops.protocols.grafana.report import Report
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
    back,
)
from eldonia_ops.protocols.grafana.values import lean, mapping, mappings, number, sequence, text, whole

_INTERPOLATION, _LINE, _THRESHOLD, _COLOR, _SCHEME, _CELL, _SPECIAL = map(
    back, (INTERPOLATION, LINE_STYLE, THRESHOLD_STYLE, COLOR_MODE, SCHEMES, CELLS, SPECIAL)
)
_OLD_CELLS: Final = {
    "color-background-solid": "background", "lcd-gauge": "gauge", "gradient-gauge": "gauge", "basic": "gauge",
    "image": "text", "actions": "text", "markdown": "text", "pill": "text",
}  # fmt: skip
_IGNORED: Final = frozenset({
    "custom.inspect", "custom.minWidth", "custom.barAlignment", "custom.axisWidth", "custom.axisColorMode",
    "custom.lineColor", "custom.fillColor", "custom.pointColor", "custom.insertNulls", "custom.wrapText",
    "custom.wrapHeaderText", "custom.axisBorderShow", "custom.barMaxWidth", "custom.tooltip", "custom.footer",
    "custom.pointSymbol", "fieldMinMax", "description", "filterable", "path", "custom.noValue", "custom.sparkline",
    "displayNameFromDS", "writeable", "nullValueMode", "custom.viz", "custom.showValues", "actions",
})  # fmt: skip


def settings_of(defaults: dict[str, Any], report: Report) -> dict[str, Any]:
    """What is at a panel, of ``fieldConfig.defaults``."""
    found: dict[str, Any] = {}
    for key, value in defaults.items():
        if key != "custom":
            found |= property_of(key, value, report) or {}
    return found


def custom_of(custom: dict[str, Any], report: Report) -> dict[str, Any]:
    """Options of a panel, of ``fieldConfig.defaults.custom``; keys that only overrides have are left out."""
    found: dict[str, Any] = {}
    for key, value in custom.items():
        found |= property_of(f"custom.{key}", value, report) or {}
    for key in ("hide_in", "negative", "hidden", "width", "fill_below", "stack_group"):
        found.pop(key, None)
    return found


def property_of(id: str, value: Any, report: Report) -> dict[str, Any] | None:
    """One property by its id, with our keys; None when it is not known."""
    key = id.removeprefix("custom.") if id.startswith("custom.") else ""
    if key:
        return _custom(key, value)
    match id:
        case "unit":
            return {"unit": unit_from_grafana(text(value))}
        case "decimals":
            return _set("decimals", None if number(value) is None else whole(value, 0, 20))
        case "min" | "max":
            return _set(id, number(value))
        case "displayName":
            return _set("display_name", text(value))
        case "noValue":
            return _set("no_value", text(value))
        case "thresholds":
            return _set("thresholds", thresholds_of(mapping(value)))
        case "mappings":
            return {"mappings": mappings_of(value, report)}
        case "color":
            return _set("color", color_of(mapping(value)))
        case "links":
            return {"value_links": links_of(value)}
    return None


def _set(key: str, value: Any) -> dict[str, Any]:
    return {} if value is None or value == "" else {key: value}


def _word(key: str, table: dict[str, str], value: Any) -> dict[str, Any]:
    found = table.get(value) if isinstance(value, str) else None
    return {} if found is None else {key: found}


def _bounded(key: str, value: Any, least: float, most: float) -> dict[str, Any]:
    found = number(value)
    return {} if found is None else {key: max(least, min(most, found))}


def _custom(key: str, value: Any) -> dict[str, Any] | None:
    match key:
        case "drawStyle":
            return {"draw": value} if value in ("line", "bars", "points") else {}
        case "lineInterpolation":
            return _word("interpolation", _INTERPOLATION, value)
        case "lineWidth":
            return _bounded("line_width", value, 0, 20)
        case "lineStyle":
            return _word("line_style", _LINE, mapping(value).get("fill"))
        case "fillOpacity":
            return _bounded("fill", value, 0, 100)
        case "fillBelowTo":
            return _set("fill_below", text(value))
        case "gradientMode":
            return {"gradient": value} if value in ("none", "opacity", "hue", "scheme") else {}
        case "showPoints":
            return _word("points", back(POINTS), value)
        case "pointSize":
            size = number(mapping(value).get("fixed") if isinstance(value, dict) else value)
            return _bounded("point_size", size, 1, 40)
        case "stacking":
            mode = mapping(value).get("mode")
            found = {"stacking": mode} if mode in ("none", "normal", "percent") else {}
            group = text(mapping(value).get("group"))
            return found if group in ("", "A") else {**found, "stack_group": group}
        case "spanNulls":
            if isinstance(value, bool):
                return {"connect": "always" if value else ""}
            gap = number(value)
            return {"connect": f"{round(gap)}ms"} if gap is not None and 0 < gap < 1e13 else {}
        case "barWidthFactor":
            return _bounded("bar_width", value, 0.05, 1)
        case "thresholdsStyle":
            return _word("threshold_style", _THRESHOLD, mapping(value).get("mode"))
        case "transform":
            return {"negative": True} if value == "negative-Y" else {}
        case "hideFrom":
            hidden = [ours for theirs, ours in _HIDING if mapping(value).get(theirs)]
            return {"hide_in": hidden}
        case "axisPlacement":
            return _word("axis", back(AXIS), {"bottom": "auto", "top": "auto"}.get(text(value), value))
        case "axisLabel":
            return _set("axis_label", text(value))
        case "scaleDistribution":
            return {"axis_scale": _scale(mapping(value))}
        case "axisSoftMin":
            return _set("axis_soft_min", number(value))
        case "axisSoftMax":
            return _set("axis_soft_max", number(value))
        case "axisCenteredZero":
            return {"axis_centered": bool(value)}
        case "axisGridShow":
            return {"axis_grid": "on" if value else "off"} if isinstance(value, bool) else {}
        case "align":
            word = (
                {"justify": "left", None: "auto", "": "auto"}.get(value, value) if not isinstance(value, dict) else ""
            )
            return {"align": word} if word in ("auto", "left", "center", "right") else {}
        case "width":
            return {} if number(value) is None else {"width": whole(value, 0, 5_000)}
        case "cellOptions" | "displayMode":
            name = mapping(value).get("type") if isinstance(value, dict) else value
            found = _CELL.get(text(name)) or _OLD_CELLS.get(text(name))
            return {} if found is None else {"cell": found}
        case "filterable":
            return {"filterable": bool(value)}
        case "hidden" | "hideFrom.viz":
            return {"hidden": bool(value)}
    return None


_HIDING: Final = (("viz", "chart"), ("legend", "legend"), ("tooltip", "tooltip"))


def _scale(value: dict[str, Any]) -> str:
    match value.get("type"):
        case "log":
            return "log2" if number(value.get("log")) == 2 else "log10"
        case "symlog":
            return "symlog"
    return "linear"


def thresholds_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """Steps by rising values; the first without a value."""
    steps: list[dict[str, Any]] = []
    for step in mappings(value.get("steps")):
        color = text(step.get("color")) or "green"
        steps.append(lean({"value": number(step.get("value")), "color": color}))
    mode = "percentage" if value.get("mode") == "percentage" else "absolute"
    return {"mode": mode, "steps": steps} if steps else None


def mappings_of(value: Any, report: Report) -> list[dict[str, Any]]:
    """Value mappings, of the present form (with ``options``) and the one before Grafana 8."""
    found: list[dict[str, Any]] = []
    for one in mappings(value):
        options = one.get("options")
        kind = one.get("type")
        if kind == "value" and isinstance(options, dict):
            pairs = sorted(options.items(), key=lambda pair: number(mapping(pair[1]).get("index")) or 0)
            found += [{"value": key, **_result(mapping(result))} for key, result in pairs]
        elif kind == "range" and isinstance(options, dict):
            bounds = lean({"from": number(options.get("from")), "to": number(options.get("to"))})
            found.append({"range": bounds, **_result(mapping(options.get("result")))})
        elif kind == "regex" and isinstance(options, dict):
            found.append({"regex": text(options.get("pattern")), **_result(mapping(options.get("result")))})
        elif kind == "special" and isinstance(options, dict):
            special = _SPECIAL.get(text(options.get("match")) or "null")
            if special is None:
                report.dropped("mapping", "mapping")
            else:
                found.append({"special": special, **_result(mapping(options.get("result")))})
        elif kind in (1, "1") or ("value" in one and kind is None):
            key = text(one.get("value"))
            found.append(
                {"special": "null", "text": text(one.get("text"))}
                if key == "null"
                else {"value": key, "text": text(one.get("text"))}
            )
        elif kind in (2, "2"):
            bounds = lean({"from": number(one.get("from")), "to": number(one.get("to"))})
            found.append({"range": bounds, "text": text(one.get("text"))})
        else:
            report.dropped("mapping", "mapping")
    return found


def _result(result: dict[str, Any]) -> dict[str, Any]:
    return lean({"text": text(result.get("text")), "color": text(result.get("color"))})


def color_of(value: dict[str, Any]) -> dict[str, Any] | None:
    """Where colours come from."""
    mode, fixed, by = value.get("mode"), text(value.get("fixedColor")), value.get("seriesBy")
    ours = _COLOR.get(text(mode))
    scheme = _SCHEME.get(text(mode))
    found: dict[str, Any] = {}
    if ours is not None:
        found["mode"] = ours
    elif scheme is not None:
        found |= {"mode": "scale", "scheme": scheme}
    elif text(mode).startswith("continuous"):
        found["mode"] = "scale"
    elif fixed:
        found["mode"] = "fixed"
    else:
        return None
    if fixed and found["mode"] in ("fixed", "shades"):
        found["color"] = fixed
    if by in ("min", "max"):
        found["by"] = by
    return found


def links_of(value: Any) -> list[dict[str, Any]]:
    """Links from values."""
    return [
        lean({"title": text(one.get("title")), "url": text(one.get("url")), "new_tab": bool(one.get("targetBlank"))})
        for one in mappings(value)
        if text(one.get("url"))
    ]


def overrides_of(value: Any, report: Report) -> list[dict[str, Any]]:
    """Overrides with matchers and properties that are known."""
    found: list[dict[str, Any]] = []
    for one in mappings(value):
        matcher = mapping(one.get("matcher"))
        match = _match(matcher)
        if match is None:
            report.dropped("override", "matcher", text(matcher.get("id")) or "?")
            continue
        set_: dict[str, Any] = {}
        for prop in mappings(one.get("properties")):
            id = text(prop.get("id"))
            taken = property_of(id, prop.get("value"), report)
            if taken is None:
                if id not in _IGNORED:
                    report.dropped("override", "property", id)
                continue
            set_ |= taken
        if "value_links" in set_:
            set_["links"] = set_.pop("value_links")
        if set_:
            found.append({"match": match, "set": set_})
    return found


def _match(matcher: dict[str, Any]) -> dict[str, Any] | None:
    options = matcher.get("options")
    match matcher.get("id"):
        case "byName":
            return _set("name", text(options)) or None
        case "byRegexp":
            return _set("regex", text(options)) or None
        case "byFrameRefID":
            return _set("ref", text(options)) or None
        case "byType":
            kind = text(options)
            return {"type": kind if kind in ("number", "string", "time", "boolean") else "other"}
        case "byNames":
            names = [text(name) for name in sequence(mapping(options).get("names")) if text(name)]
            if not names:
                return None
            return lean({"names": names, "exclude": mapping(options).get("mode") == "exclude" or None})
    return None
