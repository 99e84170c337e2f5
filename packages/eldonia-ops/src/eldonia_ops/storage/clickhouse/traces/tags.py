"""The condition that one tag of a trace search puts on a span.

A tag is what Jaeger's API shows on a span or its process: an attribute of the span or its resource, or one of the
fields that OpenTelemetry maps to tags (https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/). Values
are compared as that API writes them: booleans as ``true`` and ``false``, numbers in any spelling, lists and
objects in JSON.

Jaeger finds spans by the fields of their logs (events), too. Those have no column, so their condition reads the whole
document of each span. It is put only for the fields that OpenTelemetry's libraries give to events.
"""

import json
from typing import Any, Final

from eldonia_ops.model.conditions import LARGEST_EXACT, Condition, ConditionOp, FieldName
from eldonia_ops.storage.clickhouse.attributes.conditions import SPAN_COLUMNS, condition_sql, escaped_key
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter

_MAX_LEAVES: Final = 20
_MAX_JSON: Final = 4_096
_LARGEST_EXACT: Final = 2**53
_EVENT_FIELDS: Final = ("event", "message", "level", "exception.")
"""Names, and beginnings of names, of fields that are looked for in events as well."""


def tag_condition(prefix: str, key: str, value: str, parameters: dict[str, Parameter]) -> str:
    """SQL that holds for spans with this tag; its values go into ``parameters``, their names begin with ``prefix``."""
    parameters[prefix] = clean(value)
    text = f"{{{prefix}:String}}"
    ways = [_attribute(f"{prefix}a", key, value, parameters)]
    match key:
        case "span.kind":
            ways.append(f"kind = lower({text})")
        case "otel.status_code":
            ways.append(f"status = lower({text})")
        case "error" if value == "true":
            ways.append("status = 'error'")
        case "otel.status_description" if value:
            ways.append(f"JSONExtractString(details, 'status_message') = {text}")
        case "otel.scope.name" if value:
            ways.append(f"JSONExtractString(details, 'scope') = {text}")
        case _:
            pass
    if value and key.startswith(_EVENT_FIELDS):
        ways.append(_event(prefix, key, parameters))
    return ways[0] if len(ways) == 1 else f"({' OR '.join(ways)})"


def _event(prefix: str, key: str, parameters: dict[str, Parameter]) -> str:
    """Whether one of a span's events has this field; its value is the parameter ``prefix``. ``event`` is its name."""
    parameters[f"{prefix}e"] = clean(key)
    value, name = f"{{{prefix}:String}}", f"{{{prefix}e:String}}"
    ways = [
        f"JSONExtractString(one, 'attributes', {name}) = {value}",
        f"JSONExtractRaw(one, 'attributes', {name}) = {value}",  # numbers, true and false
    ]
    if key == "event":
        ways.append(f"JSONExtractString(one, 'name') = {value}")
    return (
        "(position(details, '\"events\":') > 0 "
        f"AND arrayExists(one -> {' OR '.join(ways)}, JSONExtractArrayRaw(details, 'events')))"
    )


def _attribute(prefix: str, key: str, value: str, parameters: dict[str, Parameter]) -> str:
    equal = Condition(FieldName((key,), exact=True), ConditionOp.EQUAL, value)
    plain = condition_sql(equal, SPAN_COLUMNS, parameters, prefix)
    # What conditions say of lists, objects and null does not hold for tags: Jaeger shows them as JSON.
    match _json(value):
        case None if value == "null":
            parameters[f"{prefix}_name"] = clean(key)
            return (
                f"({plain} OR 'null' IN (JSONExtractRaw(details, 'attributes', {{{prefix}_name:String}}), "
                f"JSONExtractRaw(details, 'resource', {{{prefix}_name:String}})))"
            )
        case list() as items:
            parameters[f"{prefix}_key"] = escaped_key(key)
            parameters[f"{prefix}_json"] = _compact(items)
            return f"({plain} OR toJSONString({_subcolumn(f'{prefix}_key')}) = {{{prefix}_json:String}})"
        case dict() as entries if leaves := _leaves(entries, escaped_key(key)):
            parts: list[str] = []
            for number, (path, leaf) in enumerate(leaves):
                parameters[f"{prefix}_path{number}"] = path
                parameters[f"{prefix}_leaf{number}"] = _compact(leaf)
                parts.append(f"toJSONString({_subcolumn(f'{prefix}_path{number}')}) = {{{prefix}_leaf{number}:String}}")
            return f"({plain} OR ({' AND '.join(parts)}))"
        case _:
            return plain


def _subcolumn(parameter: str) -> str:
    return f"getSubcolumn(attributes, {{{parameter}:String}})"


def _json(text: str) -> Any:
    """The value that a text is in JSON; the text itself where it is none."""
    if len(text) > _MAX_JSON:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _leaves(value: dict[str, Any], path: str) -> list[tuple[str, Any]]:
    """Values of an object by their paths in the column, which keeps neither nulls nor empty objects."""
    found: list[tuple[str, Any]] = []
    waiting: list[tuple[str, Any]] = [(path, value)]
    while waiting:
        path, one = waiting.pop()
        if isinstance(one, dict):
            waiting += [(f"{path}.{escaped_key(str(name))}", inner) for name, inner in one.items()]
        elif one is not None:
            found.append((path, one))
        if len(found) + len(waiting) > _MAX_LEAVES:
            return []
    return found


def _compact(value: Any) -> str:
    """JSON as ClickHouse writes it: without spaces, whole numbers without a fraction."""
    return clean(json.dumps(_whole(value), ensure_ascii=False, separators=(",", ":")).replace("/", "\\/"))


def _whole(value: Any) -> Any:
    match value:
        case float() if value.is_integer() and abs(value) <= LARGEST_EXACT:
            return int(value)
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {key: _whole(one) for key, one in value.items()}
        case _:
            return value
