"""Panels of Grafana before 8: ``graph``, ``singlestat``, the old ``table`` and ``heatmap``."""

from typing import Any, Final

from eldonia_ops.dashboards.units import unit_from_grafana
from eldonia_ops.protocols.grafana.report import Report
from eldonia_ops.protocols.grafana.tables import reducers
from eldonia_ops.protocols.grafana.values import lean, mapping, mappings, number, sequence, text, whole

_LEGEND_VALUES: Final = (("current", "last"), ("min", "min"), ("max", "max"), ("avg", "mean"), ("total", "sum"))
_FILL: Final = 10
"""Percent of opacity for one of the ten steps of ``fill``."""


def graph(panel: dict[str, Any], report: Report) -> dict[str, Any]:
    """A ``graph``."""
    axes = [*mappings(panel.get("yaxes")), {}, {}]
    left, right = axes[0], axes[1]
    mode = mapping(panel.get("xaxis")).get("mode")
    if mode == "histogram":
        report.changed("x axis", "histogram_axis")
    found: dict[str, Any] = lean(
        {
            "unit": unit_from_grafana(text(left.get("format"))),
            "min": number(left.get("min")),
            "max": number(left.get("max")),
            "decimals": _decimals(panel.get("decimals"), left.get("decimals")),
        }
    )
    if mode == "series":
        report.changed("x axis", "series_axis")
        calcs = reducers([text(one) for one in sequence(mapping(panel.get("xaxis")).get("values"))])
        found |= {"type": "bar", "options": {"bar_style": "basic", **({"reduce": {"calcs": calcs}} if calcs else {})}}
        return found
    if panel.get("nullPointMode") == "null as zero":
        report.changed("null value", "null_as_zero")
    options = {**_drawn(panel), **_stacked(panel)}
    options |= lean(
        {
            "axis": "hidden" if left.get("show") is False else None,
            "axis_label": text(left.get("label")),
            "axis_scale": {2: "log2", 10: "log10", 32: "log10", 1024: "log2"}.get(whole(left.get("logBase"), 0, 2_000)),
            "legend": _legend(mapping(panel.get("legend"))),
            "tooltip": _tooltip(mapping(panel.get("tooltip"))),
        }
    )
    thresholds, style = _thresholds(panel, report)
    if thresholds:
        found["thresholds"] = thresholds
        options["threshold_style"] = style
    found["options"] = options
    found["overrides"] = [*_colors(panel), *_series(panel, right)]
    return lean(found)


def _decimals(*values: Any) -> int | None:
    return next((whole(value, 0, 20) for value in values if number(value) is not None), None)


def _drawn(panel: dict[str, Any]) -> dict[str, Any]:
    bars, lines = bool(panel.get("bars")), panel.get("lines", True) is not False
    draw = "bars" if bars else None if lines else "points"
    fill = number(panel.get("fill"))
    fill = 1 if fill is None else fill
    return lean(
        {
            "draw": draw,
            "line_width": max(0, min(20, number(panel.get("linewidth")) or 1)),
            "fill": 100 if bars else max(0, min(100, fill * _FILL)),
            "gradient": "opacity" if number(panel.get("fillGradient")) else None,
            "points": "always" if panel.get("points") else "never",
            "point_size": max(1, min(40, 2 * (number(panel.get("pointradius")) or 2.5)))
            if panel.get("points")
            else None,
            "interpolation": "step_after" if panel.get("steppedLine") else None,
            "line_style": "dash" if panel.get("dashes") else None,
            "connect": "always" if panel.get("nullPointMode") == "connected" else None,
        }
    )


def _stacked(panel: dict[str, Any]) -> dict[str, Any]:
    if not panel.get("stack"):
        return {}
    return {"stacking": "percent" if panel.get("percentage") else "normal"}


def _legend(legend: dict[str, Any]) -> dict[str, Any]:
    if not legend:
        return {}
    calcs = [ours for theirs, ours in _LEGEND_VALUES if legend.get(theirs)] if legend.get("values") else []
    words = {"current": "last", "avg": "mean", "total": "sum"}
    by = text(legend.get("sort"))
    return lean(
        {
            "show": False if legend.get("show") is False else None,
            "mode": "table" if legend.get("alignAsTable") else None,
            "placement": "right" if legend.get("rightSide") else None,
            "calcs": calcs,
            "sort_by": words.get(by, by),
            "sort_descending": bool(legend.get("sortDesc")) or None,
            "width": whole(legend.get("sideWidth"), 0, 2_000) or None,
        }
    )


def _tooltip(tooltip: dict[str, Any]) -> dict[str, Any]:
    sort = {1: "ascending", 2: "descending"}.get(whole(tooltip.get("sort"), 0, 2))
    return lean({"mode": "all" if tooltip.get("shared", True) else None, "sort": sort})


def _thresholds(panel: dict[str, Any], report: Report) -> tuple[dict[str, Any], str]:
    colors = {"critical": "red", "warning": "orange", "ok": "green"}
    steps: list[dict[str, Any]] = []
    area = line = False
    for one in mappings(panel.get("thresholds")):
        value = number(one.get("value"))
        if value is None:
            continue
        if one.get("op") == "lt":
            report.changed("threshold", "thresholds")
        color = colors.get(
            text(one.get("colorMode")), text(one.get("lineColor")) or text(one.get("fillColor")) or "red"
        )
        steps.append({"value": value, "color": color})
        area, line = area or bool(one.get("fill")), line or bool(one.get("line"))
    if not steps:
        return {}, "off"
    steps.sort(key=lambda step: step["value"])
    style = "line_and_area" if area and line else "area" if area else "line"
    return {"steps": [{"color": "transparent"}, *steps]}, style


def _colors(panel: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"match": {"name": text(name)}, "set": {"color": {"mode": "fixed", "color": text(color)}}}
        for name, color in mapping(panel.get("aliasColors")).items()
        if text(color) and text(name)
    ]


def _series(panel: dict[str, Any], right: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for one in mappings(panel.get("seriesOverrides")):
        alias = text(one.get("alias"))
        if not alias:
            continue
        match = {"regex": alias} if alias.startswith("/") and alias.rfind("/") > 0 else {"name": alias}
        values = _series_settings(one, right)
        if values:
            found.append({"match": match, "set": values})
    return found


def _series_settings(one: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if color := text(one.get("color")):
        found["color"] = {"mode": "fixed", "color": color}
    if one.get("bars"):
        found["draw"] = "bars"
    elif one.get("points") and one.get("lines") is False:
        found["draw"] = "points"
    elif one.get("lines") is False and "bars" not in one:
        found["line_width"] = 0
    elif one.get("lines") is True or one.get("bars") is False:
        found["draw"] = "line"
    if (width := number(one.get("linewidth"))) is not None:
        found["line_width"] = max(0, min(20, width))
    if (fill := number(one.get("fill"))) is not None:
        found["fill"] = max(0, min(100, fill * _FILL))
    if "stack" in one:
        stack = one["stack"]
        found["stacking"] = "none" if stack in (False, "false") else "normal"
        if isinstance(stack, str) and stack not in ("true", "false", "A"):
            found["stack_group"] = stack
    if one.get("dashes"):
        found["line_style"] = "dash"
    if one.get("steppedLine"):
        found["interpolation"] = "step_after"
    if one.get("transform") == "negative-Y":
        found["negative"] = True
    if one.get("nullPointMode") == "connected":
        found["connect"] = "always"
    if below := text(one.get("fillBelowTo")):
        found["fill_below"] = below
    hidden = [
        name for name, off in (("legend", one.get("legend") is False), ("tooltip", one.get("hideTooltip"))) if off
    ]
    if one.get("hiddenSeries"):
        hidden.append("chart")
    if hidden:
        found["hide_in"] = hidden
    if whole(one.get("yaxis"), 0, 9) == 2:
        found["axis"] = "right"
        found |= lean(
            {
                "unit": unit_from_grafana(text(right.get("format"))),
                "min": number(right.get("min")),
                "max": number(right.get("max")),
                "axis_label": text(right.get("label")),
            }
        )
    return found


def single_stat(panel: dict[str, Any], report: Report) -> dict[str, Any]:
    """A ``singlestat``: a single value, or a gauge."""
    gauge = mapping(panel.get("gauge"))
    is_gauge = bool(gauge.get("show"))
    name = text(panel.get("valueName")) or "avg"
    options: dict[str, Any] = {"reduce": {"calcs": reducers([name]) or ["last"]}}
    colored = "background" if panel.get("colorBackground") else "value" if panel.get("colorValue") else "none"
    if is_gauge:
        options |= {"threshold_labels": bool(gauge.get("thresholdLabels")) or None}
        options |= {"threshold_markers": False if gauge.get("thresholdMarkers") is False else None}
    else:
        options |= {
            "color_mode": colored,
            "graph_mode": None if mapping(panel.get("sparkline")).get("show") else "none",
        }
    if name == "name":
        options["text_mode"] = "name"
    affixes = [text(panel.get(key)).strip() for key in ("prefix", "postfix")]
    unit = unit_from_grafana(text(panel.get("format")))
    display = ""
    if any(affixes):
        plain = unit in ("", "none", "short")
        if affixes[1] and not affixes[0] and plain:
            unit = f"suffix:{text(panel.get('postfix'))}"
        elif affixes[0] and not affixes[1] and plain:
            unit = f"prefix:{text(panel.get('prefix'))}"
        else:
            display = " ".join(affixes).strip()
            options["text_mode"] = "value_and_name"
            report.changed("prefix, postfix", "affix")
    return lean(
        {
            "type": "gauge" if is_gauge else "stat",
            "unit": unit,
            "display_name": display,
            "decimals": _decimals(panel.get("decimals")),
            "min": number(gauge.get("minValue")) if is_gauge else None,
            "max": number(gauge.get("maxValue")) if is_gauge else None,
            "no_value": text(panel.get("nullText")),
            "thresholds": _steps(panel.get("thresholds"), panel.get("colors")),
            "mappings": _value_maps(panel),
            "options": lean(options),
        }
    )


def _steps(thresholds: Any, colors: Any) -> dict[str, Any] | None:
    """Steps of ``"60,80"`` and three colours; also of a list."""
    parts = thresholds.split(",") if isinstance(thresholds, str) else sequence(thresholds)
    values = [value for value in (number(one) for one in parts) if value is not None]
    names = [text(one) for one in sequence(colors)] or ["green", "orange", "red"]
    if not values:
        return None
    steps: list[dict[str, Any]] = [{"color": names[0]}]
    steps += [
        {"value": value, "color": names[min(index + 1, len(names) - 1)]}
        for index, value in enumerate(sorted(values)[:20])
    ]
    return {"steps": steps}


def _value_maps(panel: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if whole(panel.get("mappingType"), 0, 9, 1) == 2:
        for one in mappings(panel.get("rangeMaps")):
            bounds = lean({"from": number(one.get("from")), "to": number(one.get("to"))})
            if bounds:
                found.append({"range": bounds, "text": text(one.get("text"))})
        if found:
            return found
    for one in mappings(panel.get("valueMaps")):
        value, words = text(one.get("value")), text(one.get("text"))
        if value == "null":
            if words != "N/A":
                found.append({"special": "null", "text": words})
        elif value:
            found.append({"value": value, "text": words})
    return found


def old_table(panel: dict[str, Any], report: Report) -> dict[str, Any]:
    """The table before Grafana 7: ``transform``, ``columns`` and ``styles``."""
    transformations: list[dict[str, Any]] = []
    match panel.get("transform"):
        case "timeseries_aggregations":
            calcs = reducers([text(one.get("value")) for one in mappings(panel.get("columns"))])
            transformations.append({"type": "reduce", "calcs": calcs or ["mean"]})
        case "timeseries_to_columns":
            transformations.append({"type": "join"})
        case "timeseries_to_rows":
            transformations.append({"type": "series_as_rows"})
        case "table":
            if len(sequence(panel.get("targets"))) > 1:
                transformations.append({"type": "merge"})
        case _:
            pass
    overrides: list[dict[str, Any]] = []
    hidden: list[str] = []
    for style in mappings(panel.get("styles")):
        pattern = text(style.get("pattern"))
        if not pattern:
            continue
        values = _column(style)
        if style.get("type") == "hidden":
            values = {"hidden": True}
            hidden.append(pattern)
        if values:
            match = {"regex": pattern} if pattern.startswith("/") and pattern.rfind("/") > 0 else {"name": pattern}
            overrides.append({"match": match, "set": values})
    return lean({"transformations": transformations, "overrides": overrides[::-1]})


def _column(style: dict[str, Any]) -> dict[str, Any]:
    mode = style.get("colorMode")
    cell = {"cell": "background", "row": "background", "value": "color"}.get(text(mode))
    link = text(style.get("linkUrl"))
    maps = _value_maps({**style, "mappingType": style.get("mappingType", 1)})
    found = lean(
        {
            "display_name": text(style.get("alias")),
            "decimals": _decimals(style.get("decimals")) if style.get("type") == "number" else None,
            "cell": cell,
            "align": style.get("align") if style.get("align") in ("left", "center", "right") else None,
            "thresholds": _steps(style.get("thresholds"), style.get("colors")) if cell else None,
            "mappings": maps,
            "links": [lean({"title": text(style.get("linkTooltip")), "url": link})]
            if style.get("link") and link
            else None,
        }
    )
    if style.get("type") == "number" and text(style.get("unit")):
        found["unit"] = unit_from_grafana(text(style.get("unit")))
    elif style.get("type") == "date":
        found["unit"] = "datetime"
    if cell:
        found["color"] = {"mode": "thresholds"}
    return found


def old_heatmap(panel: dict[str, Any]) -> dict[str, Any]:
    """The heat map before Grafana 9."""
    axis, color, tooltip = (mapping(panel.get(key)) for key in ("yAxis", "color", "tooltip"))
    heat = lean(
        {
            "calculate": None if panel.get("dataFormat") == "tsbuckets" else True,
            "scheme": text(color.get("colorScheme")).removeprefix("interpolate").lower() or "oranges",
            "scale": "linear" if color.get("colorScale") == "linear" else None,
            "exponent": number(color.get("exponent")),
            "min": number(color.get("min")),
            "max": number(color.get("max")),
            "reverse_y": bool(panel.get("reverseYBuckets")) or None,
            "hide_below": 1e-9 if panel.get("hideZeroBuckets") else None,
        }
    )
    heat.pop("hide_below", None)
    return lean(
        {
            "unit": unit_from_grafana(text(axis.get("format"))),
            "decimals": _decimals(axis.get("decimals")),
            "options": lean(
                {
                    "heat": heat,
                    "legend": {} if mapping(panel.get("legend")).get("show") else {"show": False},
                    "tooltip": {"mode": "none"} if tooltip.get("show") is False else None,
                }
            ),
        }
    )
