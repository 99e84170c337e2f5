"""``sort`` and ``search_after`` of a request, and the values of both in an answer.

A record's place in the store (``_doc``, ``_shard_doc``) is answered as a text, ``<nanoseconds>.<id>``: clients send it
back as it is, and a number of that size would lose digits in JavaScript.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from enum import StrEnum
from typing import Any, Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.protocols.elasticsearch.query.date_math import moment
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal, parsing
from eldonia_ops.protocols.elasticsearch.query.fields import field_name, is_time
from eldonia_ops.protocols.elasticsearch.query.shapes import listed
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted
from eldonia_ops.search.selection import NS_IN_MS, Selected, SortKey, SortValue, Standard

_PLACE: Final = re.compile(r"([0-9]{1,19})\.([0-9]{1,20})")
_MISSING_NUMBERS: Final = (2**63 - 1, -(2**63))
_KNOWN: Final = frozenset({"order", "missing", "unmapped_type", "format", "numeric_type", "mode", "nested"})


class SortBy(StrEnum):
    """What to sort by."""

    TIME = "time"
    SCORE = "score"
    PLACE = "place"
    FIELD = "field"


@dataclass(frozen=True, slots=True)
class SortSpec:
    """One entry of ``sort``. ``nanoseconds`` and ``format`` are of the values of times."""

    by: SortBy
    name: str
    descending: bool = False
    missing_first: bool = False
    nanoseconds: bool = False
    format: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A sort as a selection has it. ``after`` and ``place`` come from ``search_after``."""

    keys: tuple[SortKey, ...]
    oldest_first: bool = False
    after: tuple[SortValue, ...] | None = None
    place: tuple[int, int] | None = None


def read_sort(value: Any) -> tuple[SortSpec, ...]:
    """``"a:desc,b"``, ``["a", {"b": "desc"}, {"c": {"order": "asc", "missing": "_first"}}]``.

    Raises:
        DslError: it is something else.
    """
    if value is None:
        return ()
    found: list[SortSpec] = []
    for one in listed(value):
        if isinstance(one, str):
            name, _, order = one.rpartition(":") if one.endswith((":asc", ":desc")) else (one, "", "")
            found.append(_spec(name, {"order": order} if order else {}))
        elif isinstance(one, dict):
            for name, options in one.items():
                found.append(_spec(name, {"order": options} if isinstance(options, str) else options))
        else:
            raise parsing(
                "malformed sort format, within the sort array, an object, or an actual string are allowed", "sort"
            )
    return tuple(found)


def _spec(name: str, options: Any) -> SortSpec:
    if not isinstance(options, dict):
        raise parsing(f"[{name}] sort: expected an object or a text", name)
    if name in ("_script", "_geo_distance"):
        raise illegal(f"sort by [{name}] is not supported: sort by fields, [_score] or [_doc]")
    for key in options:
        if key not in _KNOWN:
            raise parsing(f"[field_sort] unknown field [{key}]", key)
    by = {"_score": SortBy.SCORE, "_doc": SortBy.PLACE, "_shard_doc": SortBy.PLACE}.get(name)
    by = by or (SortBy.TIME if is_time(name) else SortBy.FIELD)
    order = str(options.get("order", "desc" if by is SortBy.SCORE else "asc")).lower()
    if order not in ("asc", "desc"):
        raise illegal(f"No enum constant org.elasticsearch.search.sort.SortOrder.{order.upper()}")
    missing = options.get("missing", "_last")
    if missing not in ("_last", "_first"):
        raise illegal(f"sort by [{name}] with [missing] [{missing}] is not supported: [_first] and [_last] are")
    format = str(options.get("format") or "")
    nanoseconds = options.get("numeric_type") == "date_nanos" or "nanos" in format
    return SortSpec(by, name, order == "desc", missing == "_first", nanoseconds, format)


def order_of(specs: Sequence[SortSpec], after: Sequence[Any] | None, now_ns: int) -> Order:
    """The order of a selection.

    Raises:
        DslError: ``search_after`` does not fit to the sort.
    """
    if after is not None and len(after) != len(specs):
        raise DslError(
            "illegal_argument_exception",
            f"search_after has {len(after)} value(s) but sort has {len(specs)}.",
            of_phase=True,
        )
    if not specs:
        return Order((SortKey(Standard.SCORE, descending=True),))
    keys: list[SortKey] = []
    values: list[SortValue] = []
    place: tuple[int, int] | None = None
    oldest_first = False
    for number, spec in enumerate(specs):
        value = after[number] if after is not None else None
        if spec.by is SortBy.PLACE:
            oldest_first = not spec.descending
            place = _place(value) if after is not None else None
            break  # nothing behind it makes a difference
        last = number + 1 == len(specs) or specs[number + 1].by is SortBy.PLACE
        key = _key(spec, last=last)
        keys.append(key)
        if after is not None:
            values.append(_value(spec, key, value, now_ns, exact=number + 1 < len(specs)))
    else:
        oldest_first = bool(keys) and keys[0].by is Standard.TIME and not keys[0].descending
    if after is not None and place is not None and keys and keys[-1].by is Standard.TIME:
        # The place says the time to the nanosecond.
        values[-1] = place[0]
    return Order(tuple(keys), oldest_first, tuple(values) if after is not None else None, place)


def answered(specs: Sequence[SortSpec], one: Selected, keys: Sequence[SortKey]) -> list[Any]:
    """The values of ``sort`` in a hit."""
    found: list[Any] = []
    for number, spec in enumerate(specs):
        match spec.by:
            case SortBy.PLACE:
                found.append(f"{one.record.timestamp_ns}.{one.record.id}")
            case SortBy.SCORE:
                found.append(one.score)
            case SortBy.TIME:
                found.append(_time_answer(spec, one.record.timestamp_ns))
            case SortBy.FIELD:
                found.append(plain_number(one.values[number]) if number < len(keys) else None)
    return found


def plain_number(value: Any) -> Any:
    """A whole float as an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**63 else value


def _time_answer(spec: SortSpec, ns: int) -> Any:
    if spec.format:
        return formatted(ns, spec.format, UTC)
    return ns if spec.nanoseconds else ns // NS_IN_MS


def _key(spec: SortSpec, *, last: bool) -> SortKey:
    match spec.by:
        case SortBy.SCORE:
            return SortKey(Standard.SCORE, spec.descending)
        case SortBy.TIME:
            # In milliseconds where another key decides within one: that is how the values of the sort are given back.
            by: Standard | FieldName = Standard.TIME if spec.nanoseconds or last else Standard.TIME_MS
            return SortKey(by, spec.descending)
        case _:
            return SortKey(field_name(spec.name), spec.descending, spec.missing_first)


def _value(spec: SortSpec, key: SortKey, value: Any, now_ns: int, *, exact: bool) -> SortValue:
    if isinstance(value, dict | list):
        raise illegal(f"Can't parse search_after value [{value}] for [{spec.name}]")
    if key.by is Standard.SCORE:
        try:
            return float(value)
        except (TypeError, ValueError):
            raise illegal(f"Failed to parse search_after value for field [{spec.name}].") from None
    if spec.by is not SortBy.TIME:
        if isinstance(value, bool):
            return "true" if value else "false"
        return None if value in _MISSING_NUMBERS else float(value) if isinstance(value, int | float) else value
    if isinstance(value, str) and not value.isdigit():
        ns = moment(value, now_ns, UTC, spec.format).low
        coarse = "nanos" not in spec.format
    elif value is None:
        raise illegal(f"Failed to parse search_after value for field [{spec.name}].")
    else:
        coarse = not spec.nanoseconds
        ns = int(value) * NS_IN_MS if coarse else int(value)
    if key.by is Standard.TIME_MS:
        return ns // NS_IN_MS
    return ns + NS_IN_MS - 1 if coarse and not spec.descending and not exact else ns


def _place(value: Any) -> tuple[int, int]:
    found = _PLACE.fullmatch(str(value))
    if not found:
        raise illegal(f"search_after value [{str(value)[:50]}] of [_doc] is none that a search here has answered")
    return int(found[1]), int(found[2])
