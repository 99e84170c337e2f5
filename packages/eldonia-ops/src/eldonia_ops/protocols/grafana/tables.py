"""Words of ours and of Grafana's that mean the same."""

from typing import Final

REDUCERS: Final = {
    "last": "lastNotNull", "last_or_null": "last", "first": "firstNotNull", "first_or_null": "first", "min": "min",
    "max": "max", "mean": "mean", "median": "median", "sum": "sum", "count": "count", "range": "range",
    "delta": "delta", "step": "step", "diff": "diff", "diff_percent": "diffperc", "log_min": "logmin",
    "all_zero": "allIsZero", "all_null": "allIsNull", "change_count": "changeCount",
    "distinct_count": "distinctCount", "variance": "variance", "std_dev": "stdDev", "all_values": "allValues",
    "unique_values": "uniqueValues", **{f"p{one}": f"p{one}" for one in (1, 5, 10, 25, 50, 75, 80, 90, 95, 99)},
}  # fmt: skip
_REDUCERS: Final = {
    **{theirs: ours for ours, theirs in REDUCERS.items()},
    "avg": "mean", "current": "last", "total": "sum", "name": "last", "last_time": "last", "lastnotnull": "last",
}  # fmt: skip
INTERPOLATION: Final = {"linear": "linear", "smooth": "smooth", "step_before": "stepBefore", "step_after": "stepAfter"}
LINE_STYLE: Final = {"solid": "solid", "dash": "dash", "dots": "dot"}
THRESHOLD_STYLE: Final = {
    "off": "off", "line": "line", "dashed": "dashed", "area": "area", "line_and_area": "line+area",
    "dashed_and_area": "dashed+area",
}  # fmt: skip
COLOR_MODE: Final = {
    "palette": "palette-classic", "name": "palette-classic-by-name", "fixed": "fixed", "shades": "shades",
    "thresholds": "thresholds",
}  # fmt: skip
SCHEMES: Final = {
    "green_yellow_red": "continuous-GrYlRd", "red_yellow_green": "continuous-RdYlGr",
    "blue_yellow_red": "continuous-BlYlRd", "yellow_red": "continuous-YlRd", "blue_purple": "continuous-BlPu",
    "yellow_blue": "continuous-YlBl", "blues": "continuous-blues", "reds": "continuous-reds",
    "greens": "continuous-greens", "purples": "continuous-purples",
}  # fmt: skip
CELLS: Final = {
    "auto": "auto", "text": "auto", "color": "color-text", "background": "color-background", "gauge": "gauge",
    "sparkline": "sparkline", "json": "json-view", "link": "data-links",
}  # fmt: skip
"""``text`` is ``auto`` there."""
COLOR_TEXT: Final = {"none": "none", "value": "value", "background": "background_solid"}
STAT_COLOR: Final = {
    "none": "none", "value": "value", "background": "background", "background_solid": "background_solid",
}  # fmt: skip
SORTS: Final = {
    "none": 0, "alphabetical": 1, "alphabetical_descending": 2, "numerical": 3, "numerical_descending": 4,
    "case_insensitive": 5, "case_insensitive_descending": 6, "natural": 7, "natural_descending": 8,
}  # fmt: skip
AXIS: Final = {"auto": "auto", "left": "left", "right": "right", "hidden": "hidden"}
POINTS: Final = {"auto": "auto", "always": "always", "never": "never"}
SPECIAL: Final = {
    "null": "null", "nan": "nan", "null_or_nan": "null+nan", "true": "true", "false": "false", "empty": "empty",
}  # fmt: skip
TOOLTIP: Final = {"single": "single", "all": "multi", "none": "none"}
TOOLTIP_SORT: Final = {"none": "none", "ascending": "asc", "descending": "desc"}
BAR_STYLES: Final = {"gradient": "gradient", "basic": "basic", "lcd": "lcd"}
PANEL_TYPES: Final = {
    "timeseries": "timeseries", "stat": "stat", "gauge": "gauge", "bar": "bargauge", "table": "table",
    "heatmap": "heatmap", "state_timeline": "state-timeline", "logs": "logs", "traces": "traces", "text": "text",
    "row": "row",
}  # fmt: skip


def back(table: dict[str, str]) -> dict[str, str]:
    """The table from Grafana's words to ours; of two that mean one there, the first."""
    found: dict[str, str] = {}
    for ours, theirs in table.items():
        found.setdefault(theirs, ours)
    return found


def reducers(names: object) -> list[str]:
    """Our reducers for a list of Grafana's; those that there are not are left out."""
    known = [_REDUCERS.get(one) for one in names if isinstance(one, str)] if isinstance(names, list) else []
    return list(dict.fromkeys(one for one in known if one is not None))
