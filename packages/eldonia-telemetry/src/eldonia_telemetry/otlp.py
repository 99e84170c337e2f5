"""What all signals share in OTLP's JSON form (opentelemetry-proto 1.x: 64-bit integers as strings, lowerCamelCase)."""

import math
import os
from collections.abc import Mapping
from typing import Any

import msgspec

from eldonia_telemetry import dropped_data, values

_decode = msgspec.json.Decoder().decode


def attributes(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Plain values (see :func:`eldonia_telemetry.values.fields`) as ``KeyValue`` list; None is left out."""
    return [{"key": name, "value": any_value(value)} for name, value in given.items() if value is not None]


def any_value(value: Any) -> dict[str, Any]:
    """One plain value as ``AnyValue``."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        # proto3's JSON mapping spells the values that JSON lacks.
        if not math.isfinite(value):
            return {"doubleValue": "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"}
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value if item is not None]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": attributes(value)}}
    return {"stringValue": values.text(value)}


def of_this_process(resource: Mapping[str, Any]) -> dict[str, Any]:
    """The resource of a process that was forked from the one that it describes."""
    pid = os.getpid()
    renewed = {"process.pid": pid, "service.instance.id": f"{resource.get('host.name', '')}:{pid}"}
    return {name: renewed.get(name, value) for name, value in resource.items()}


def count_rejected(signal: str, field: str, answer: bytes) -> None:
    """Count what a backend that answered 200 has left out: the number ``field`` of its ``partialSuccess``."""
    if b"partialSuccess" not in answer:
        return
    try:
        partial = _decode(answer)["partialSuccess"]
        number = int(partial.get(field) or 0)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, msgspec.DecodeError):
        return
    if number > 0:
        dropped_data.count(signal, "otlp: rejected", RuntimeError(str(partial.get("errorMessage"))[:200]), number)
