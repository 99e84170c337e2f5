"""``options`` of a panel for Grafana."""

from typing import Any

from eldonia_ops.dashboards.display import Legend, Options, Reduce
from eldonia_ops.dashboards.document import Panel
from eldonia_ops.dashboards.part import shown
from eldonia_ops.protocols.grafana.tables import BAR_STYLES, REDUCERS, STAT_COLOR, TOOLTIP, TOOLTIP_SORT
from eldonia_ops.protocols.grafana.values import lean


def options_of(panel: Panel, language: str) -> dict[str, Any]:
    """The options of a panel's type."""
    options = panel.options
    match panel.type:
        case "timeseries":
            return {"legend": legend(options.legend), "tooltip": _tooltip(options)}
        case "stat" | "gauge":
            return _single(options)
        case "bar":
            return _bars(options)
        case "table":
            return _table(options)
        case "heatmap":
            return {**_heat(options), "legend": {"show": options.legend.show}, "tooltip": _tooltip(options)}
        case "state_timeline":
            return {
                "mergeValues": options.merge_equal,
                "rowHeight": options.row_height,
                "showValue": options.show_values,
                "legend": legend(options.legend),
                "tooltip": _tooltip(options),
            }
        case "logs" | "traces":
            return {
                "wrapLogMessage": options.wrap,
                "sortOrder": "Descending" if options.newest_first else "Ascending",
                "columns": list(options.columns),
                "limit": options.limit,
                "showTime": True,
            }
        case "text":
            return {"mode": "markdown", "content": shown(options.content, language)}
        case "row":
            return {}


def legend(legend: Legend) -> dict[str, Any]:
    """The legend of a chart."""
    return lean(
        {
            "showLegend": legend.show,
            "displayMode": legend.mode,
            "placement": legend.placement,
            "calcs": [REDUCERS[calc] for calc in legend.calcs],
            "sortBy": legend.sort_by,
            "sortDesc": legend.sort_descending or None,
            "width": legend.width or None,
        }
    )


def _tooltip(options: Options) -> dict[str, Any]:
    return {"mode": TOOLTIP[options.tooltip.mode], "sort": TOOLTIP_SORT[options.tooltip.sort]}


def _reduce(reduce: Reduce) -> dict[str, Any]:
    found = {"calcs": [REDUCERS[calc] for calc in reduce.calcs], "values": reduce.values, "fields": reduce.fields}
    return {**found, "limit": reduce.limit} if reduce.limit else found


def _single(options: Options) -> dict[str, Any]:
    return {
        "reduceOptions": _reduce(options.reduce),
        "orientation": options.orientation,
        "colorMode": STAT_COLOR[options.color_mode],
        "graphMode": options.graph_mode,
        "textMode": options.text_mode,
        "justifyMode": options.justify,
        "showPercentChange": options.percent_change,
        "showThresholdLabels": options.threshold_labels,
        "showThresholdMarkers": options.threshold_markers,
        "text": lean({"titleSize": options.title_size or None, "valueSize": options.value_size or None}),
    }


def _bars(options: Options) -> dict[str, Any]:
    if options.bar_style != "columns":
        return {
            **_single(options),
            "displayMode": BAR_STYLES[options.bar_style],
            "showUnfilled": options.show_unfilled,
            "legend": legend(options.legend),
            "tooltip": _tooltip(options),
        }
    return {
        **_single(options),
        "xField": options.category,
        "stacking": options.stacking,
        "showValue": options.show_values,
        "barWidth": options.bar_width,
        "legend": legend(options.legend),
        "tooltip": _tooltip(options),
    }


def _table(options: Options) -> dict[str, Any]:
    return {
        "showHeader": options.header,
        "sortBy": [{"displayName": one.field, "desc": one.descending} for one in options.sort],
        "footer": {
            "show": bool(options.footer),
            "reducer": [REDUCERS[calc] for calc in options.footer],
            "fields": list(options.footer_fields),
            "enablePagination": options.page_size > 0,
        },
    }


def _heat(options: Options) -> dict[str, Any]:
    heat = options.heat
    color = lean({"min": heat.min, "max": heat.max})
    return {
        "calculate": heat.calculate,
        "color": {
            "mode": "scheme",
            "scheme": heat.scheme.capitalize(),
            "reverse": heat.reverse,
            "steps": heat.steps,
            "scale": heat.scale,
            "exponent": heat.exponent,
            **color,
        },
        "filterValues": lean({"le": heat.hide_below}),
        "cellGap": heat.cell_gap,
        "yAxis": {"reverse": heat.reverse_y},
    }
