"""Prometheus' text formats: 0.0.4, and OpenMetrics 1.0 for scrapers that prefer it.

https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md and
https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
"""

import math
from collections.abc import Iterable
from typing import Final

from eldonia_telemetry.metrics.registry import Snapshot

TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def negotiate(accept: str) -> str:
    """The content type to answer with: OpenMetrics only when the Accept header prefers it."""
    best, chosen = 0.0, TEXT
    for item in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        quality, version = 1.0, ""
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
            elif name == "version":
                version = value.strip('"')
        if kind == "application/openmetrics-text" and version in {"", "1.0.0", "0.0.1"} and quality > best:
            best, chosen = quality, OPENMETRICS
        elif kind in {"text/plain", "text/*", "*/*"} and quality > best:
            best, chosen = quality, TEXT
    return chosen


def render(families: Iterable[Snapshot], content_type: str = TEXT) -> bytes:
    """The families in one of the two formats."""
    openmetrics = content_type == OPENMETRICS
    rows: list[str] = []
    for family in families:
        title = family.name
        if openmetrics and family.type == "counter":
            title = title.removesuffix("_total")  # OpenMetrics names the family without it
        if family.help:
            rows.append(f"# HELP {title} {_escape_help(family.help, openmetrics)}")
        rows.append(f"# TYPE {title} {family.type}")
        for line in family.lines:
            name = family.name + line.suffix
            tail = ""
            if openmetrics and line.exemplar is not None:
                one = line.exemplar
                tail = f' # {{trace_id="{_escape(one.trace_id)}"}} {_number(one.value)} {one.at:.3f}'
            if line.labels:
                pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in line.labels)
                rows.append(f"{name}{{{pairs}}} {_number(line.value)}{tail}")
            else:
                rows.append(f"{name} {_number(line.value)}{tail}")
    if openmetrics:
        rows.append("# EOF")
    return ("\n".join(rows) + "\n").encode("utf-8", "replace")


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _escape(value: str) -> str:
    if "\\" in value or '"' in value or "\n" in value:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return value


def _escape_help(value: str, openmetrics: bool) -> str:
    value = value.replace("\\", "\\\\").replace("\n", "\\n")
    return value.replace('"', '\\"') if openmetrics else value
