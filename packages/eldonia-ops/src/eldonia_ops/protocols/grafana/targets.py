"""Queries of a panel, and what they are for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.protocols.grafana.report import Report
from eldonia_ops.protocols.grafana.values import duration, lean, mapping, mappings, number, text

OURS: Final = "eldonia-ops"
"""The type of our data source in what we export."""
_PROMETHEUS: Final = frozenset({
    "prometheus", "grafana-amazonprometheus-datasource", "grafana-azureprometheus-datasource",
    "victoriametrics-datasource", "victoriametrics-metrics-datasource", "",
})  # fmt: skip
_OF_EMPTY: Final = frozenset({
    "refId", "datasource", "hide", "expr", "format", "editorMode", "range", "legendFormat", "instant",
    "intervalFactor", "useBackend", "disableTextWrap", "fullMetaSearch",
})  # fmt: skip
"""What a query that was never written may have."""
_VARIABLE: Final = re.compile(r"\$\{?([A-Za-z0-9_]+)(?::[a-z]+)?\}?")
SOURCE_NAMES: Final = {
    "loki": "Loki", "tempo": "Tempo", "elasticsearch": "Elasticsearch", "influxdb": "InfluxDB", "mysql": "MySQL",
    "postgres": "PostgreSQL", "cloudwatch": "CloudWatch", "graphite": "Graphite", "jaeger": "Jaeger",
    "grafana-clickhouse-datasource": "ClickHouse",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sources:
    """What is known of data sources: the kinds of those that ``__inputs`` and variables name."""

    kinds: Mapping[str, str] = field(default_factory=dict[str, str])

    def kind_of(self, value: Any) -> str | None:
        """The type of a data source by a reference to it; None when it cannot be known."""
        if isinstance(value, dict):
            kind = text(value.get("type"))
            if kind and not kind.startswith("$"):
                return kind
            value = value.get("uid")
        name = text(value)
        if name.startswith("-- "):
            return name
        match = _VARIABLE.fullmatch(name)
        return self.kinds.get(match[1]) if match else self.kinds.get(name)


def queries_of(panel: dict[str, Any], sources: Sources, report: Report) -> list[dict[str, Any]]:
    """Our queries of a panel's targets; those of other data sources are left out."""
    common = sources.kind_of(panel.get("datasource"))
    found: list[dict[str, Any]] = []
    refs: set[str] = set()
    for target in mappings(panel.get("targets")):
        own = sources.kind_of(target.get("datasource"))
        kind = own if own is not None else common
        query = _query(target, kind, report)
        if query is not None:
            if query.get("ref") in refs:
                query.pop("ref")  # it gets one of its own
            refs.add(query.get("ref", ""))
            found.append(query)
    return found


def _query(target: dict[str, Any], kind: str | None, report: Report) -> dict[str, Any] | None:
    ref = text(target.get("refId"))[:50]
    what = f"query {ref}".strip()
    if kind == OURS:
        language = target.get("language")
        return _ours(target, ref, language if language in ("logs", "traces") else "promql")
    if kind in ("__expr__", "-- Expression --"):
        report.dropped(what, "expression")
        return None
    if kind in ("-- Dashboard --", "datasource"):
        report.dropped(what, "other_panel")
        return None
    if kind == "loki":
        report.dropped(what, "loki")
        return None
    if kind is not None and kind not in _PROMETHEUS and not kind.startswith("-- Mixed"):
        report.dropped(what, "datasource", SOURCE_NAMES.get(kind, kind))
        return None
    expr = text(target.get("expr"))
    if not expr.strip():
        if any(target.get(key) for key in ("rawSql", "query", "target", "namespace", "measurement", "metricName")):
            report.dropped(what, "datasource", "another data source")
        elif not target.get("hide") and target.keys() - _OF_EMPTY:
            report.dropped(what, "no_expr")
        return None
    if kind is None and re.search(r"\|[=~]\s*[\"`]|\|\s*(?:json|logfmt|line_format|unwrap)\b", expr):
        report.dropped(what, "loki")
        return None
    return _ours(target, ref, "promql", report)


def _ours(target: dict[str, Any], ref: str, language: str, report: Report | None = None) -> dict[str, Any]:
    legend = text(target.get("legendFormat"))
    interval = text(target.get("interval")) or _step(target)
    least = duration(interval)
    if least is None and report is not None:
        report.dropped(f"query {ref}", "duration", interval)
    form = target.get("format")
    return lean(
        {
            "ref": ref,
            "language": language,
            "expr": text(target.get("expr")),
            "legend": "" if legend in ("__auto", "time_series") else legend,
            "instant": (bool(target.get("instant")) and not target.get("range")) or None,
            "format": form if form in ("table", "heatmap") else None,
            "interval": least or "",
            "hide": bool(target.get("hide")) or None,
        }
    )


def _step(target: dict[str, Any]) -> str:
    """The oldest way to give a step: ``step`` in seconds, as a number."""
    step = number(target.get("step"))
    factor = number(target.get("intervalFactor")) or 1
    # The editor of old Grafana filled "step" in by itself, so only what a person could have meant counts.
    return f"{round(step)}s" if step and step >= 60 and factor == 1 and not target.get("intervalFactor") else ""


def kinds_of_sources(document: dict[str, Any]) -> dict[str, str]:
    """The types of data sources by the names of inputs and of variables."""
    found = {
        text(one.get("name")): text(one.get("pluginId"))
        for one in mappings(document.get("__inputs"))
        if one.get("type") == "datasource"
    }
    for variable in mappings(mapping(document.get("templating")).get("list")):
        if variable.get("type") == "datasource":
            found[text(variable.get("name"))] = text(variable.get("query"))
    return found
