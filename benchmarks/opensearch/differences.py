"""What differs between two answers."""

import math
from collections.abc import Iterator
from typing import Any, Final

_MISSING: Final = (2**63 - 1, -(2**63))
"""What a number that is missing is sorted by there; ours is null."""

_LOOSE: Final = frozenset(
    {"took", "_shards", "max_score", "_score", "timed_out", "doc_count_error_upper_bound", "meta"}
    | {"_scroll_id", "pit_id", "_seq_no", "_primary_term", "metadata_field"}
)


_SAME: Final = (
    {"json_e_o_f_exception", "json_parse_exception", "x_content_parse_exception"},
    {"mapper_parsing_exception", "document_parsing_exception"},
)
"""Types that OpenSearch 2 and Elasticsearch 8 name differently; the last of each is Elasticsearch's."""


def differing(a: Any, b: Any, place: str = "") -> Iterator[str]:
    """What differs between the peer's answer and ours, each with its place."""
    if isinstance(a, dict) and isinstance(b, dict):
        if "error" in a and "error" in b:
            yield from _errors(a, b, place)
            return
        for key in sorted({*a, *b}, key=str):
            if key in _LOOSE:
                continue
            if key not in a or key not in b:
                what = "only ours" if key in b else "only the peer"
                yield f"{place}.{key}: {what}: {str(b.get(key, a.get(key)))[:200]}"
            else:
                yield from differing(a[key], b[key], f"{place}.{key}")
    elif isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            yield f"{place}: {len(a)} items, ours {len(b)}: {str(a)[:200]} | {str(b)[:200]}"
        else:
            for number, (one, other) in enumerate(zip(a, b, strict=True)):
                yield from differing(one, other, f"{place}[{number}]")
    elif isinstance(a, int | float) and isinstance(b, int | float) and not isinstance(a, bool):
        # Percentiles are estimates there, far off for a handful of records.
        near = (
            abs(a - b) <= max(20.0, 0.5 * abs(a))
            if ".values" in place
            else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
        )
        if not near:
            yield f"{place}: {a}, ours {b}"
    elif a != b and not (a in _MISSING and b is None):
        yield f"{place}: {str(a)[:200]}, ours {str(b)[:200]}"


def _errors(a: dict[str, Any], b: dict[str, Any], place: str) -> Iterator[str]:
    """Errors are alike when their status and their type are; the words are ours."""
    for name in ("status", "found"):
        if a.get(name) != b.get(name):
            yield f"{place}.{name}: {a.get(name)}, ours {b.get(name)}: {str(a)[:300]} | {str(b)[:300]}"
    one, other = a["error"], b["error"]
    if isinstance(one, dict) and isinstance(other, dict) and one.get("type") != other.get("type"):
        if (one.get("caused_by") or {}).get("type") == other.get("type"):
            return  # there the reader of the request wraps what is wrong with a value
        if any({one.get("type"), other.get("type")} <= same for same in _SAME):
            return
        yield f"{place}.error.type: {one.get('type')}, ours {other.get('type')}: {str(one)[:300]} | {str(other)[:300]}"
