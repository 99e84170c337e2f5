"""Panels of the present kinds: their options become ours."""

from html.parser import HTMLParser
from typing import Any, Final

from eldonia_ops.protocols.grafana.fields import custom_of, overrides_of, settings_of
from eldonia_ops.protocols.grafana.report import Report
from eldonia_ops.protocols.grafana.tables import STAT_COLOR, TOOLTIP, TOOLTIP_SORT, back, reducers
from eldonia_ops.protocols.grafana.values import lean, mapping, mappings, number, sequence, text, whole

TYPES: Final = {
    "timeseries": "timeseries", "graph": "timeseries", "stat": "stat", "singlestat": "stat",
    "grafana-singlestat-panel": "stat", "gauge": "gauge", "bargauge": "bar", "barchart": "bar", "piechart": "bar",
    "grafana-piechart-panel": "bar", "table": "table", "table-old": "table", "heatmap": "heatmap",
    "heatmap-new": "heatmap", "heatmap-old": "heatmap", "state-timeline": "state_timeline",
    "status-history": "state_timeline", "text": "text", "text2": "text", "logs": "logs", "traces": "traces",
    "row": "row", "grafana-polystat-panel": "stat", "flant-statusmap-panel": "heatmap", "trend": "timeseries",
}  # fmt: skip


def modern(panel: dict[str, Any], kind: str, report: Report) -> dict[str, Any]:
    """Everything of a panel but its place and queries: settings of values, options, overrides."""
    config = mapping(panel.get("fieldConfig"))
    defaults = mapping(config.get("defaults"))
    options = mapping(panel.get("options"))
    old = mapping(options.get("fieldOptions"))  # Grafana 6
    if old:
        defaults = {**mapping(old.get("defaults")), **defaults}
        defaults.setdefault("thresholds", {"steps": old.get("thresholds")} if old.get("thresholds") else None)
        defaults.setdefault("mappings", old.get("mappings"))
        options = {"reduceOptions": {"calcs": old.get("calcs"), "values": old.get("values")}, **options}
    found = settings_of({key: value for key, value in defaults.items() if value is not None}, report)
    ours = custom_of(mapping(defaults.get("custom")), report) if kind in ("timeseries", "bar", "table") else {}
    if kind == "table":
        ours = {key: value for key, value in ours.items() if key in ("align", "cell", "filterable")}
    ours |= _options(panel, kind, options, report)
    if kind == "timeseries" and mapping(mapping(defaults.get("custom")).get("hideFrom")).get("legend"):
        ours["legend"] = {"show": False}
    overrides = overrides_of(config.get("overrides"), report)
    return lean({**found, "options": ours, "overrides": overrides})


def _options(panel: dict[str, Any], kind: str, options: dict[str, Any], report: Report) -> dict[str, Any]:
    theirs = text(panel.get("type"))
    found: dict[str, Any] = {}
    charts = kind in ("timeseries", "bar", "heatmap", "state_timeline")
    if charts and (legend := legend_of(mapping(options.get("legend")))):
        found["legend"] = legend
    tooltip = mapping(options.get("tooltip") or options.get("tooltipOptions"))
    if charts and (
        tooltip := lean(
            {
                "mode": back(TOOLTIP).get(text(tooltip.get("mode"))),
                "sort": back(TOOLTIP_SORT).get(text(tooltip.get("sort"))),
            }
        )
    ):
        found["tooltip"] = tooltip
    if kind in ("stat", "gauge", "bar"):
        found |= _single_values(theirs, options, report)
    match kind:
        case "table":
            found |= _table(options)
        case "heatmap":
            found["heat"] = _heat(options)
        case "state_timeline":
            found |= _timeline(theirs, options)
        case "logs":
            found |= lean({"wrap": options.get("wrapLogMessage") if "wrapLogMessage" in options else None})
            found["newest_first"] = options.get("sortOrder") != "Ascending"
            found["columns"] = [text(one) for one in sequence(options.get("columns")) if text(one)]
            found |= lean({"limit": number(options.get("limit"))})
        case "traces":
            found["columns"] = [text(one) for one in sequence(options.get("columns")) if text(one)]
            found |= lean({"limit": number(options.get("limit"))})
        case "text":
            found["content"] = _content(panel, options, report)
    return {key: value for key, value in found.items() if value not in ({}, [], None)}


def legend_of(legend: dict[str, Any]) -> dict[str, Any]:
    """The legend of charts."""
    if not legend:
        return {}
    mode = legend.get("displayMode")
    shown = legend.get("showLegend", legend.get("show", True)) is not False and mode != "hidden"
    calcs = reducers(legend.get("calcs")) or reducers(legend.get("values"))
    return lean(
        {
            "show": None if shown else False,
            "mode": "table" if mode == "table" else None,
            "placement": "right" if legend.get("placement") == "right" else None,
            "calcs": calcs,
            "sort_by": text(legend.get("sortBy")),
            "sort_descending": bool(legend.get("sortDesc")) or None,
            "width": whole(legend.get("width"), 0, 2_000) or None,
        }
    )


def _single_values(theirs: str, options: dict[str, Any], report: Report) -> dict[str, Any]:
    reduce = mapping(options.get("reduceOptions"))
    size = mapping(options.get("text"))
    color_mode = back(STAT_COLOR).get(text(options.get("colorMode")))
    found = {
        "reduce": lean(
            {
                "calcs": reducers(reduce.get("calcs")),
                "values": bool(reduce.get("values")) or None,
                "limit": whole(reduce.get("limit"), 0, 10_000) or None,
                "fields": text(reduce.get("fields")),
            }
        ),
        "orientation": _one_of(options.get("orientation"), "horizontal", "vertical"),
        "color_mode": color_mode,
        "graph_mode": "none" if options.get("graphMode") == "none" else None,
        "text_mode": _one_of(options.get("textMode"), "value", "value_and_name", "name", "none"),
        "justify": _one_of(options.get("justifyMode"), "center"),
        "title_size": whole(size.get("titleSize"), 0, 400) or None,
        "value_size": whole(size.get("valueSize"), 0, 400) or None,
        "percent_change": bool(options.get("showPercentChange")) or None,
        "threshold_labels": bool(options.get("showThresholdLabels")) or None,
        "threshold_markers": False if options.get("showThresholdMarkers") is False else None,
    }
    match theirs:
        case "bargauge":
            found["bar_style"] = _one_of(options.get("displayMode"), "basic", "lcd")
            found["show_unfilled"] = False if options.get("showUnfilled") is False else None
        case "barchart":
            found |= _bar_chart(options)
        case "piechart" | "grafana-piechart-panel":
            report.changed("panel", "pie")
            found["bar_style"] = "basic"
            found["orientation"] = "horizontal"
        case "grafana-polystat-panel":
            report.changed("panel", "polystat")
            found |= {"text_mode": "value_and_name", "color_mode": "background", "graph_mode": "none"}
    return lean(found)


def _bar_chart(options: dict[str, Any]) -> dict[str, Any]:
    stacking = options.get("stacking")
    return {
        "bar_style": "columns",
        "category": text(options.get("xField")),
        "stacking": stacking if stacking in ("normal", "percent") else None,
        "show_values": _one_of(options.get("showValue"), "always", "never"),
        "bar_width": max(0.05, min(1.0, float(number(options.get("barWidth")) or 0.97))),
    }


def _one_of(value: Any, *words: str) -> str | None:
    return value if isinstance(value, str) and value in words else None


def _table(options: dict[str, Any]) -> dict[str, Any]:
    footer = mapping(options.get("footer"))
    fields = footer.get("fields")
    by = [
        lean({"field": text(one.get("displayName")), "descending": bool(one.get("desc")) or None})
        for one in mappings(options.get("sortBy"))
        if text(one.get("displayName"))
    ]
    return lean(
        {
            "header": False if options.get("showHeader") is False else None,
            "sort": by,
            "footer": reducers(footer.get("reducer"))[:5] if footer.get("show") else None,
            "footer_fields": [text(one) for one in (fields if isinstance(fields, list) else [fields]) if text(one)],
            "page_size": 50 if options.get("enablePagination") or footer.get("enablePagination") else None,
        }
    )


def _heat(options: dict[str, Any]) -> dict[str, Any]:
    color = mapping(options.get("color"))
    filtered = number(mapping(options.get("filterValues")).get("le"))
    return lean(
        {
            "calculate": bool(options.get("calculate")) or None,
            "scheme": (text(color.get("scheme")) or "oranges").lower(),
            "reverse": bool(color.get("reverse")) or None,
            "steps": whole(color.get("steps"), 2, 128, 64),
            "scale": "linear" if color.get("scale") == "linear" else None,
            "exponent": number(color.get("exponent")),
            "min": number(color.get("min")),
            "max": number(color.get("max")),
            "hide_below": None if filtered is not None and abs(filtered) < 1e-6 else filtered,
            "cell_gap": whole(options.get("cellGap"), 0, 20, 1),
            "reverse_y": bool(mapping(options.get("yAxis")).get("reverse")) or None,
        }
    )


def _timeline(theirs: str, options: dict[str, Any]) -> dict[str, Any]:
    height = number(options.get("rowHeight"))
    return lean(
        {
            "merge_equal": False if theirs == "status-history" or options.get("mergeValues") is False else None,
            "row_height": None if height is None else max(0.05, min(1, height)),
            "show_values": _one_of(options.get("showValue"), "always", "never"),
        }
    )


def _content(panel: dict[str, Any], options: dict[str, Any], report: Report) -> str:
    mode = options.get("mode") or panel.get("mode")
    content = text(options.get("content")) or text(panel.get("content"))
    if mode == "html" and "<" in content:
        report.changed("content", "html")
        return plain_text(content)
    if mode == "code":
        return f"```\n{content}\n```"
    return content


def plain_text(html: str) -> str:
    """The words of an HTML text, its links as Markdown; tags and what is no text left out."""
    parser = _Words()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.parts).split("\n")]
    return "\n".join(line for index, line in enumerate(lines) if line or (index and lines[index - 1])).strip()


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._address = ""
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style"):
            self._silent += 1
        elif tag == "a":
            self._address = dict(attrs).get("href") or ""
            if self._address.startswith(("http://", "https://", "/")):
                self.parts.append("[")
            else:
                self._address = ""
        elif tag in ("br", "p", "div", "tr", "ul", "ol", "table"):
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif len(tag) == 2 and tag[0] == "h" and tag[1].isdecimal():
            self.parts.append("\n" + "#" * int(tag[1]) + " ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent = max(0, self._silent - 1)
        elif tag == "a" and self._address:
            self.parts.append(f"]({self._address})")
            self._address = ""
        elif tag in ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)
