"""Processors of the shape of values: ``sort``, ``bytes`` and ``dot_expander``."""

import re
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.ingest.changes import Run, over
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import MISSING, IngestDocument, java_name
from eldonia_ops.protocols.elasticsearch.ingest.options import Options

_SIZE: Final = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([kmgtp]?b)", re.ASCII)
_UNITS: Final = {"b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}


def sort(options: Options) -> Run:
    """``sort``: the values of a list in their order."""
    order = options.text("order", "asc")
    if order not in ("asc", "desc"):
        raise options.bad(f"Sort direction [{order[:40]}] not recognized. Valid values are: [asc, desc]", "order")

    def ordered(value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise ProcessorError(f"field of type [{java_name(value)}] cannot be cast to [java.util.List]")
        try:
            return sorted(value, reverse=order == "desc")
        except TypeError:
            raise ProcessorError("the values of the list are of several types and have no order") from None

    return over(options, ordered, lists=False)


def size_in_bytes(value: str) -> int:
    """What ``bytes`` makes of ``1.5kb``."""
    match = _SIZE.fullmatch(value.strip().lower())
    if match is None:
        raise ProcessorError(f"failed to parse setting [Ingest Field] with value [{value[:100]}] as a size in bytes")
    return int(float(match[1]) * _UNITS[match[2]])


def dot_expander(options: Options) -> Run:
    """``dot_expander``: a key with dots in it as objects in objects."""
    field, path = options.text("field"), options.text("path", "")
    override = options.flag("override")
    if "." not in field and field != "*":
        raise options.bad("field does not contain a dot and is not a wildcard", "field")

    def run(document: IngestDocument) -> None:
        around = document.get(path) if path else document.source
        if not isinstance(around, dict):
            return
        names = [key for key in around if "." in key] if field == "*" else [field]
        for name in names:
            if name not in around or not all(name.split(".")):
                continue
            value = around.pop(name)
            full = f"{path}.{name}" if path else name
            if override or document.get(full) is MISSING:
                document.set(full, value)
            else:
                document.append(full, value if isinstance(value, list) else [value])

    return run
