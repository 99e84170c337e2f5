"""What a declared mapping refuses: a field that a strict object does not have, and a value that its type cannot hold.

Only what a template or an index declares counts. What documents show of themselves binds none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from functools import lru_cache
from ipaddress import ip_address
from math import isfinite
from typing import Any, Final

import msgspec

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError, document_error
from eldonia_ops.protocols.elasticsearch.query.date_math import moment
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.time_format import formatted
from eldonia_ops.protocols.elasticsearch.templates import MAX_DEPTH

Check = Callable[[Any], str]
"""What is wrong with a value, "" for nothing."""

TIMESTAMP: Final = "@timestamp"
_BITS: Final = {"byte": 7, "short": 15, "integer": 31, "long": 63}
_FLOATS: Final = ("double", "float", "half_float", "scaled_float")
_TEXTS: Final = ("keyword", "text", "match_only_text", "wildcard", "constant_keyword")
_LONGEST: Final = 400
_decode: Final = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class _Value:
    """A field with a type. An object is no value of it; ``check`` is that of each other value."""

    type: str
    check: Check | None


@dataclass(slots=True)
class _Object:
    """An object with its fields. One that is not ``strict`` may have others; ``open`` ones are not looked into."""

    fields: "dict[str, _Object | _Value]" = field(default_factory=dict)
    strict: bool = False
    open: bool = False


@dataclass(frozen=True, slots=True)
class MappingRules:
    """What the mapping of one index refuses."""

    root: _Object

    def fault(self, document: Mapping[str, Any], id: str = "") -> ElasticsearchError | None:
        """Why a document is refused, None when it is not."""
        return next(_faults(self.root, document, "", id, 0), None)

    def check(self, document: Mapping[str, Any], id: str = "") -> None:
        """Refuse a document.

        Raises:
            ElasticsearchError: a field or a value is not allowed; the reason names it.
        """
        if (error := self.fault(document, id)) is not None:
            raise error


@lru_cache(maxsize=256)
def mapping_rules(index: str) -> MappingRules | None:
    """The rules in the JSON of an index's declaration; None when it refuses nothing."""
    body = _decode(index)
    mappings, settings = body.get("mappings"), body.get("settings") or {}
    if not isinstance(mappings, dict):
        return None
    options = {name: str(settings.get(f"index.mapping.{name}", default)) for name, default in _OPTIONS.items()}
    root = _object(mappings, {**options, "strict": "false"}, 0)
    if body.get("data_stream"):
        root.fields.setdefault(TIMESTAMP, _Value("date", None))
    return MappingRules(root) if _refuses(root) else None


_OPTIONS: Final = {"ignore_malformed": "false", "coerce": "true"}


def _object(stated: Mapping[str, Any], around: Mapping[str, str], depth: int) -> _Object:
    strict = str(stated.get("dynamic", around["strict"])).lower()
    strict = "true" if strict in ("strict", "strict_allow_templates") else "false" if "dynamic" in stated else strict
    own = {**around, "strict": strict}
    found = _Object(strict=strict == "true", open=stated.get("enabled") in (False, "false") or depth > MAX_DEPTH)
    properties = stated.get("properties")
    if not isinstance(properties, dict) or found.open:
        return found
    for name, one in properties.items():
        if not isinstance(one, dict):
            continue
        type = str(one.get("type") or "object")
        part = _object(one, own, depth + 1) if type in ("object", "nested") else _value(type, one, around)
        place = found
        *path, last = str(name).split(".")
        for step in path:
            inner = place.fields.setdefault(step, _Object(strict=found.strict))
            place = inner if isinstance(inner, _Object) else _Object()
        place.fields[last] = part
    return found


def _value(type: str, stated: Mapping[str, Any], around: Mapping[str, str]) -> _Value:
    option = {name: str(stated.get(name, around[name])).lower() == "true" for name in _OPTIONS}
    if option["ignore_malformed"]:
        return _Value(type, None)
    match type:
        case "byte" | "short" | "integer" | "long" | "unsigned_long":
            return _Value(type, _whole(type, option["coerce"]))
        case "boolean":
            return _Value(type, _boolean)
        case "ip":
            return _Value(type, _address)
        case "date" | "date_nanos":
            return _Value(type, _date(str(stated.get("format") or "")))
        case _ if type in _FLOATS:
            return _Value(type, _float(option["coerce"]))
        case _:
            return _Value(type, None)


def _refuses(one: "_Object | _Value") -> bool:
    """Whether anything can be refused."""
    return isinstance(one, _Value) or one.strict or any(map(_refuses, one.fields.values()))


def _faults(
    around: _Object, document: Mapping[str, Any], prefix: str, id: str, depth: int
) -> Iterator[ElasticsearchError]:
    if around.open or depth > MAX_DEPTH:
        return
    for key, value in document.items():
        place: _Object | _Value | None = around.fields.get(key)
        if place is None and "." in key:
            place = _below(around, key)
        if place is None:
            if _strict_at(around, key):
                within = prefix.removesuffix(".") or "_doc"
                reason = (
                    f"mapping set to strict, dynamic introduction of [{key[:200]}] within [{within}] is not allowed"
                )
                yield ElasticsearchError(400, "strict_dynamic_mapping_exception", reason)
        elif value is not None:
            yield from _faults_of(place, value, f"{prefix}{key}", id, depth)


def _faults_of(place: "_Object | _Value", value: Any, name: str, id: str, depth: int) -> Iterator[ElasticsearchError]:
    if isinstance(value, list):
        if depth <= MAX_DEPTH and not (isinstance(place, _Value) and place.check is None and place.type not in _TEXTS):
            for one in value:
                yield from _faults_of(place, one, name, id, depth + 1)
    elif isinstance(place, _Object):
        if isinstance(value, dict):
            yield from _faults(place, value, f"{name}.", id, depth + 1)
        elif value is not None and not place.open:
            short = name.rpartition(".")[2]
            yield document_error(
                f"object mapping for [{name}] tried to parse field [{short}] as object, but found a concrete value"
            )
    elif value is not None:
        if isinstance(value, dict):
            wrong = "Can't get text on a START_OBJECT" if place.check is not None or place.type in _TEXTS else ""
        else:
            wrong = place.check(value) if place.check is not None else ""
        if wrong:
            of = f" in document with id '{id}'" if id else ""
            preview = str(value).lower() if isinstance(value, bool) else str(value)
            yield document_error(
                f"failed to parse field [{name}] of type [{place.type}]{of}. Preview of field's value: "
                f"'{preview[:100]}'",
                wrong,
            )


def _below(around: _Object, key: str) -> "_Object | _Value | None":
    place: _Object | _Value | None = around
    for step in key.split("."):
        place = place.fields.get(step) if isinstance(place, _Object) else None
    return place


def _strict_at(around: _Object, key: str) -> bool:
    """Whether the object that a key with dots would be new in is strict."""
    place = around
    for step in key.split("."):
        inner = place.fields.get(step)
        if place.open or isinstance(inner, _Value):
            return False
        if inner is None:
            return place.strict
        place = inner
    return False


def _whole(type: str, coerce: bool) -> Check:
    low, high = (0, 2**64) if type == "unsigned_long" else (-(2 ** _BITS[type]), 2 ** _BITS[type])

    def check(value: Any) -> str:
        if isinstance(value, str) and not coerce:
            return f"[{type}] value passed as String"
        number = _number(value)
        if number is None:
            return f'For input string: "{str(value)[:100]}"'
        if not coerce and number != int(number):
            return f"[{value}] cannot be converted to {type} without data loss"
        return "" if low <= number < high else f"Value [{str(value)[:100]}] is out of range for a {type}"

    return check


def _float(coerce: bool) -> Check:
    def check(value: Any) -> str:
        if isinstance(value, str) and not coerce:
            return "value passed as String"
        return "" if _number(value) is not None else f'For input string: "{str(value)[:100]}"'

    return check


def _number(value: Any) -> int | float | None:
    """A finite number, or a text that is one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip()
        if not text.isascii() or "_" in text or len(text) > _LONGEST:
            return None
        try:
            value = int(text) if text.lstrip("+-").isdigit() else float(text)
        except ValueError:
            return None
    return value if isinstance(value, int) or isfinite(value) else None


def _boolean(value: Any) -> str:
    if (value in (True, False) and isinstance(value, bool)) or value in ("true", "false", ""):
        return ""
    return f"Failed to parse value [{str(value)[:100]}] as only [true] or [false] are allowed."


def _address(value: Any) -> str:
    try:
        ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return f"'{str(value)[:100]}' is not an IP string literal."
    return ""


def _date(format: str) -> Check | None:
    """None for formats that we cannot read: such a field takes anything."""
    formats = [one for one in format.split("||") if one] or [""]
    try:
        for one in formats:
            moment(formatted(0, one), 0, UTC, one)
    except (DslError, ValueError, OverflowError):
        return None

    def check(value: Any) -> str:
        text = str(value)
        if not isinstance(value, bool) and not text.startswith("now") and "||" not in text and len(text) <= _LONGEST:
            for one in formats:
                try:
                    moment(value, 0, UTC, one)
                except (DslError, ValueError, OverflowError):
                    continue
                return ""
        return f"failed to parse date field [{text[:100]}] with format [{format or _DATES}]"

    return check


_DATES: Final = "strict_date_optional_time||epoch_millis"
