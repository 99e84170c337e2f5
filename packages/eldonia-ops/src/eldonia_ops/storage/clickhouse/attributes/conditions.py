"""SQL for conditions on attributes, in the JSON column, and on the columns of their own.

Names and values are parameters of the statement; only names of columns, from the tables below, are in its text.
What a condition means is said in :mod:`eldonia_ops.model.conditions`; tests compare the two.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from eldonia_ops.model.condition_fields import (
    LOG_ATTRIBUTES,
    LOG_ERRORS,
    LOG_MEASUREMENTS,
    LOG_TEXTS,
    SPAN_DURATION,
    SPAN_TEXTS,
    in_events,
)
from eldonia_ops.model.conditions import (
    LARGEST_EXACT,
    MAX_CONDITIONS,
    NEGATIONS,
    ORDERINGS,
    Condition,
    ConditionOp,
    FieldName,
)
from eldonia_ops.model.logs import FILE_IDENTITY
from eldonia_ops.search.tree import OneOf, TextRange
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.schema import DOCUMENT_ID

_PLAIN_NAME: Final = re.compile(r"(?=\D)[\w\-@]++(?:\.[\w\-@]++)*+")
"""A name that is written without quotes."""

_DOCUMENT_ID: Final = FieldName(("_id",), exact=True)
_NUMBERS: Final = "('Int64', 'UInt64', 'Float64', 'Int128', 'UInt128', 'Int256', 'UInt256')"


@dataclass(frozen=True, slots=True)
class ConditionColumns:
    """Where the fields of one table are: the JSON column, texts (empty: missing), and numbers (null: missing).

    ``moved`` are texts of attributes that may have left the JSON column; ``events`` whether rows have events.
    """

    document: str
    texts: Mapping[str, str]
    numbers: Mapping[str, str]
    moved: Mapping[str, str] = field(default_factory=dict)
    events: bool = False

    def text_of(self, name: FieldName) -> str | None:
        """SQL of the text field that a name means before any attribute."""
        return None if name.exact or name.column else self.texts.get(name.name)


_LOG_TEXTS: Final = {
    **LOG_TEXTS,
    "source": f"replaceRegexpOne(source, '{FILE_IDENTITY}', '')",
    **{name: f"JSONExtractString(details, 'error', '{key}')" for name, key in LOG_ERRORS.items()},
}
LOG_COLUMNS: Final = ConditionColumns(
    "metadata",
    _LOG_TEXTS,
    {
        name: f"nullIf(JSONExtract(details, 'performance', '{name.partition('.')[2]}', 'Nullable(Float64)'), 0)"
        for name in LOG_MEASUREMENTS
    },
    {name: _LOG_TEXTS[field] for name, field in LOG_ATTRIBUTES.items()},
)
SPAN_COLUMNS: Final = ConditionColumns(
    "attributes", {name: name for name in SPAN_TEXTS}, {SPAN_DURATION: "toNullable(duration_ns / 1e6)"}, events=True
)


@dataclass(frozen=True, slots=True)
class _Field:
    """SQL for what a field holds: whether it is there, its text, whether that may be compared, its number if any."""

    exists: str
    text: str
    scalar: str
    string: str
    number: str


def conditions_sql(
    conditions: Sequence[Condition], columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str = "c"
) -> list[str]:
    """SQL of each condition; the values go into ``parameters``, under names that begin with ``prefix``.

    Raises:
        ValueError: there are more than :data:`~eldonia_ops.model.conditions.MAX_CONDITIONS`.
    """
    if len(conditions) > MAX_CONDITIONS:
        raise ValueError(f"more than {MAX_CONDITIONS} conditions")
    return [
        condition_sql(condition, columns, parameters, f"{prefix}{number}")
        for number, condition in enumerate(conditions)
    ]


def condition_sql(
    condition: Condition, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str
) -> str:
    """SQL that is 1 for the rows for which a condition holds, else 0."""
    positive = NEGATIONS.get(condition.op)
    if positive is None:
        return _positive(condition, condition.op, columns, parameters, prefix)
    return f"NOT {_positive(condition, positive, columns, parameters, prefix)}"


def _positive(
    condition: Condition, op: ConditionOp, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str
) -> str:
    name = condition.name
    own = columns.text_of(name)
    if own is not None:
        return _of_column(condition, op, own, parameters, prefix)
    if columns.events and in_events(name):
        one = _compared(condition, op, _of_event(name, parameters, prefix), parameters, prefix)
        # Events have no column: the document of each span that has some is read.
        return (
            "(position(details, '\"events\":') > 0 "
            f"AND arrayExists(one -> {one}, JSONExtractArrayRaw(details, 'events')))"
        )
    return _compared(condition, op, _field(name, columns, parameters, prefix), parameters, prefix)


def _compared(
    condition: Condition, op: ConditionOp, field: _Field, parameters: dict[str, Parameter], prefix: str
) -> str:
    if op is ConditionOp.EXISTS:
        return f"({field.exists})"
    if op in ORDERINGS:
        return f"ifNull({field.number} {op.value} {_bound(condition, parameters, prefix)}, 0)"
    value = _value(condition, parameters, prefix)
    match op:
        case ConditionOp.CONTAINS:
            return f"({field.scalar} AND position({field.text}, {value}) > 0)"
        case ConditionOp.MATCHES:
            return f"({field.scalar} AND match({field.text}, {value}))"
        case _ if condition.quoted:
            return f"({field.string} AND {field.text} = {value})"
        case _:
            same = f"({field.scalar} AND {field.text} = {value})"
            if condition.number is None or abs(condition.number) > LARGEST_EXACT:
                return same
            return f"({same} OR ifNull({field.number} = {_bound(condition, parameters, prefix)}, 0))"


def _of_column(
    condition: Condition, op: ConditionOp, column: str, parameters: dict[str, Parameter], prefix: str
) -> str:
    if op is ConditionOp.EXISTS:
        return f"({column} != '')"
    if op in ORDERINGS:
        return "(0)"
    value = _value(condition, parameters, prefix)
    match op:
        case ConditionOp.CONTAINS:
            return f"({column} != '' AND position({column}, {value}) > 0)"
        case ConditionOp.MATCHES:
            return f"({column} != '' AND match({column}, {value}))"
        case _:
            return f"({column} = {value})" if condition.value else "(0)"


def _field(name: FieldName, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str) -> _Field:
    own = None if name.exact or name.column else columns.numbers.get(name.name)
    if own is not None:
        present = f"isNotNull({own})"
        return _Field(present, f"ifNull(toString({own}), '')", present, "0", own)
    kind, text = "", ""
    for number, path in reversed(list(enumerate(name.paths))):
        parameter = f"{prefix}p{number}"
        # Dots in keys are stored escaped, so that `http.method` is one key and not an object.
        parameters[parameter] = ".".join(escaped_key(segment) for segment in path)
        column = f"getSubcolumn({columns.document}, {{{parameter}:String}})"
        kind = f"if(isNotNull({column}), dynamicType({column}), {kind})" if kind else f"dynamicType({column})"
        text = f"if(isNotNull({column}), toString({column}), {text})" if text else f"toString({column})"
    moved = columns.texts[name.column] if name.column else None if name.exact else columns.moved.get(name.name)
    if moved is not None:
        text = f"if({kind} != 'None', {text}, {moved})"
        kind = f"multiIf({kind} != 'None', {kind}, {moved} != '', 'String', 'None')"
    return _Field(
        f"{kind} != 'None'",
        text,
        f"{kind} != 'None' AND NOT startsWith({kind}, 'Array')",
        # Earlier releases stored texts that look like instants as instants.
        f"({kind} = 'String' OR startsWith({kind}, 'Date'))",
        f"if({kind} IN {_NUMBERS}, toFloat64OrNull({text}), NULL)",
    )


def _of_event(name: FieldName, parameters: dict[str, Parameter], prefix: str) -> _Field:
    """A field of the event whose JSON is ``one``."""
    key = FieldName(name.segments[1:])
    if key.name == "name":
        text = "JSONExtractString(one, 'name')"
        present = f"({text} != '')"
        return _Field(present, text, present, present, "CAST(NULL AS Nullable(Float64))")
    kind, text, number = "'Null'", "''", "0"
    for place, path in reversed(list(enumerate(key.paths))):
        steps: list[str] = []
        for step, segment in enumerate(path):
            parameters[f"{prefix}p{place}s{step}"] = clean(segment)
            steps.append(f"{{{prefix}p{place}s{step}:String}}")
        at = f"one, 'attributes', {', '.join(steps)}"
        found = f"toString(JSONType({at}))"
        there = f"{found} NOT IN ('Null', 'Object')"
        value = (
            f"multiIf({found} = 'String', JSONExtractString({at}), {found} = 'Double', "
            f"toString(JSONExtractFloat({at}) + 0), JSONExtractRaw({at}))"  # + 0: of -0.0 a 0
        )
        number = f"if({there}, JSONExtractFloat({at}), {number})"
        text = f"if({there}, {value}, {text})"
        kind = f"if({there}, {found}, {kind})"
    return _Field(
        f"{kind} != 'Null'",
        text,
        f"{kind} NOT IN ('Null', 'Array')",
        f"({kind} = 'String')",
        f"if({kind} IN ('Int64', 'UInt64', 'Double'), {number}, NULL)",
    )


def one_of_sql(node: OneOf, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str) -> str:
    """SQL that is 1 for the rows in which a field, or an element of its list, is one of several values."""
    conditions = node.conditions
    parameters[f"{prefix}v"] = [clean(one.value) for one in conditions if one.value]
    texts = f"{{{prefix}v:Array(String)}}"
    own = columns.text_of(node.name)
    if own is not None:
        return f"({own} IN {texts} AND {own} != '')"
    if node.name == _DOCUMENT_ID:
        return f"ifNull({DOCUMENT_ID} IN {texts}, 0)"  # as its index has it
    field = _field(node.name, columns, parameters, prefix)
    parts = [f"({field.scalar} AND {field.text} IN {texts})"]
    numbers = [one.number for one in conditions if one.number is not None and abs(one.number) <= LARGEST_EXACT]
    if numbers:
        parameters[f"{prefix}n"] = numbers
        parts.append(f"ifNull({field.number} IN {{{prefix}n:Array(Float64)}}, 0)")
    parts.append(f"arrayExists(one -> one IN {texts}, {elements_sql(node.name, columns, prefix)})")
    return f"({' OR '.join(parts)})"


def text_range_sql(node: TextRange, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str) -> str:
    """SQL that is 1 for the rows in which a field's text lies between two texts."""
    present, text = value_sql(node.name, columns, parameters, prefix)
    parts = [present]
    for bound, key, op in (
        (node.low, "a", ">=" if node.low_included else ">"),
        (node.high, "b", "<=" if node.high_included else "<"),
    ):
        if bound is not None:
            parameters[f"{prefix}{key}"] = clean(bound)
            parts.append(f"{text} {op} {{{prefix}{key}:String}}")
    return f"({' AND '.join(parts)})"


def elements_sql(name: FieldName, columns: ConditionColumns, prefix: str) -> str:
    """SQL for the texts in a list that a field holds; no elements where it holds no list.

    The paths are parameters that :func:`value_sql` has set for the same prefix.
    """
    if columns.text_of(name) is not None or (not name.exact and name.name in columns.numbers):
        return "CAST([] AS Array(String))"
    found = ""
    for number in reversed(range(len(name.paths))):
        column = f"getSubcolumn({columns.document}, {{{prefix}p{number}:String}})"
        parts = [
            f"arrayMap(one -> ifNull(toString(one), ''), dynamicElement({column}, 'Array(Nullable({kind}))'))"
            for kind in ("String", "Int64", "Float64", "Bool")
        ]
        elements = f"arrayConcat({', '.join(parts)})"
        found = f"if(isNotNull({column}), {elements}, {found})" if found else elements
    return found


def value_sql(
    name: FieldName, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str
) -> tuple[str, str]:
    """SQL that is 1 where a field has one value (no list), and that value as a text."""
    own = columns.text_of(name)
    if own is not None:
        return f"({own} != '')", own
    field = _field(name, columns, parameters, prefix)
    return f"({field.scalar})", field.text


def number_sql(name: FieldName, columns: ConditionColumns, parameters: dict[str, Parameter], prefix: str) -> str:
    """SQL for a field's number, null where it holds none."""
    if columns.text_of(name) is not None:
        return "CAST(NULL AS Nullable(Float64))"
    return _field(name, columns, parameters, prefix).number


def field_of_path(path: str, columns: ConditionColumns) -> FieldName:
    """The name of the attribute at a path of the JSON column."""
    segments = tuple(segment.replace("%2E", ".") for segment in path.split("."))
    plain = FieldName(tuple(".".join(segments).split(".")))
    name = plain.name
    if _PLAIN_NAME.fullmatch(name) and name not in columns.texts and name not in columns.numbers:
        return plain
    return FieldName(segments, exact=True)


def escaped_key(key: str) -> str:
    """A key as the JSON column stores it in its paths."""
    return clean(key).replace(".", "%2E")


def _value(condition: Condition, parameters: dict[str, Parameter], prefix: str) -> str:
    parameters[f"{prefix}v"] = clean(condition.value)
    return f"{{{prefix}v:String}}"


def _bound(condition: Condition, parameters: dict[str, Parameter], prefix: str) -> str:
    parameters[f"{prefix}n"] = condition.number or 0.0
    return f"{{{prefix}n:Float64}}"
