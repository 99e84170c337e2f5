"""Values of JSON that may be of any kind, and what to make of them."""

import math
import re
from typing import Any, Final

from eldonia_ops.model.durations import format_duration, parse_duration

_GO_DURATION: Final = re.compile(r"[><]?=?\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w|M|y)?")
_MS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 2_592_000_000,
              "y": 31_536_000_000}  # fmt: skip


def mapping(value: Any) -> dict[str, Any]:
    """A mapping; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list."""
    return [one for one in sequence(value) if isinstance(one, dict)]


def text(value: Any) -> str:
    """A text; numbers as they are written, '' for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return repr(value)


def number(value: Any) -> int | float | None:
    """A finite number, also of a text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e300:
        return None
    return int(value) if isinstance(value, float) and value == int(value) and abs(value) < 2**53 else value


def whole(value: Any, least: int, most: int, default: int = 0) -> int:
    """A whole number within bounds."""
    found = number(value)
    return default if found is None else max(least, min(most, round(found)))


def duration(value: Any) -> str | None:
    """A duration as ours, '' for none; None when it is no duration. Variables stay."""
    written = text(value).strip()
    if not written or "$" in written or "[[" in written:
        return written[:20] if len(written) <= 20 else None
    written = written.lstrip("><= ")
    try:
        parse_duration(written)
    except ValueError:
        match = _GO_DURATION.fullmatch(written)
        if match is None or float(match[1]) > 1e6:
            return None
        return format_duration(round(float(match[1]) * _MS[match[2] or "s"]))
    return written if len(written) <= 20 else None


def lean(values: dict[str, Any]) -> dict[str, Any]:
    """The same without what says nothing: None, empty texts, lists and mappings."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {}, ())}
