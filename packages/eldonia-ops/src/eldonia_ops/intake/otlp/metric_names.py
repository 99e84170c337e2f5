"""Prometheus' spelling of OpenTelemetry's metric and attribute names.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
"""

import re

_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "%": "percent",
    "1": "",
}
_PER = {"s": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
_ANNOTATION = re.compile(r"\{[^{}]*\}")
_NOT_NAME = re.compile(r"[^a-zA-Z0-9:]+")
_NOT_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def metric_name(name: str, unit: str, *, monotonic: bool = False, gauge: bool = False) -> str:
    """The name with its unit and, for a counter, ``_total``: ``http.duration`` in ``s`` is ``http_duration_seconds``.

    Suffixes that the name has already are not repeated. A gauge of unit ``1`` gets ``_ratio``.
    """
    words = [word for word in _NOT_NAME.split(name) if word]
    words += [word for word in unit_words(unit) if word not in words]
    if monotonic:
        words = [word for word in words if word != "total"] + ["total"]
    elif gauge and unit == "1":
        words = [word for word in words if word != "ratio"] + ["ratio"]
    text = "_".join(words)
    return f"_{text}" if text[:1].isdigit() else text


def unit_words(unit: str) -> list[str]:
    """Words of a UCUM unit: ``By/s`` is ``bytes per second``; annotations in braces say nothing."""
    main, _, per = unit.partition("/")
    words: list[str] = []
    main = _ANNOTATION.sub("", main).strip()
    per = _ANNOTATION.sub("", per).strip()
    if main:
        words += [word for word in _NOT_NAME.split(_UNITS.get(main, main)) if word]
    if per:
        words += ["per", *(word for word in _NOT_NAME.split(_PER.get(per, per)) if word)]
    return words


def label_name(name: str) -> str:
    """An attribute's name as a label name; empty for names that Prometheus keeps to itself (``__x``)."""
    text = _NOT_LABEL.sub("_", name)
    if text[:1].isdigit():
        return f"key_{text}"
    if text.startswith("__"):
        return ""
    return f"key{text}" if text.startswith("_") else text
