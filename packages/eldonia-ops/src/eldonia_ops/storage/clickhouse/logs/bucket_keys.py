"""Keys of buckets: the columns that hold one, and what is read from them and compared with them."""

from typing import Any

from eldonia_ops.model.conditions import text_of
from eldonia_ops.search.buckets import ByConditions, ByField, ByNumber, Grouping, GroupKey
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, elements_sql, number_sql, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.field_sql import FieldSql
from eldonia_ops.storage.clickhouse.logs.search import SearchSql
from eldonia_ops.storage.clickhouse.logs.time_steps import step_sql


def key_columns(group: Grouping, number: int, fields: FieldSql, search: SearchSql) -> list[str]:
    """The columns of a group's key: of a field its kind (0 missing, 1 number, 2 text), number, and text."""
    match group:
        case ByField():
            return _field_key(group, number, fields)
        case ByTime():
            return [step_sql(group, fields.text(group.zone))]
        case ByNumber():
            found = fields.number(group.name)
            if group.missing is not None:
                found = f"ifNull({found}, {float(group.missing)!r})"
            return [f"floor(({found} - {float(group.offset)!r}) / {float(group.interval)!r})"]
        case ByConditions():
            # What is joined twice in one statement is joined once: each group has numbers of its own.
            first = 1_000 * number
            flags = [f"if({search.written(node)}, {first + n}, -1)" for n, node in enumerate(group.nodes)]
            return [f"(arrayJoin(arrayFilter(one -> one >= 0, [{', '.join(flags)}]::Array(Int32))) - {first})"]


def _field_key(group: ByField, number: int, fields: FieldSql) -> list[str]:
    prefix = fields.prefix()
    present, text = value_sql(group.name, LOG_COLUMNS, fields.parameters, prefix)
    found = number_sql(group.name, LOG_COLUMNS, fields.parameters, prefix)
    one = f"(if(isNull({found}), 2, 1), ifNull({found}, 0.), if(isNull({found}), {text}, ''))"
    elements = elements_sql(group.name, LOG_COLUMNS, prefix)
    listed = f"arrayMap(one -> (2, 0., one), arrayDistinct({elements}))"
    none = "[]"
    if group.missing is not None:
        missing = group.missing
        none = (
            f"[(1, {float(missing)!r}, '')]" if not isinstance(missing, str) else f"[(2, 0., {fields.text(missing)})]"
        )
    elif group.null_group:
        none = "[(0, 0., '')]"
    kind = "Array(Tuple(UInt8, Float64, String))"
    values = f"if({present}, CAST([{one}] AS {kind}), CAST({listed} AS {kind}))"
    values = f"if(notEmpty({values} AS v{number}), v{number}, CAST({none} AS {kind}))" if none != "[]" else values
    for sign, pattern in (("", group.include), ("NOT ", group.exclude)):
        if pattern is not None:
            whole = "if(one.1 = 1, toString(one.2), one.3)"
            if isinstance(pattern, str):
                held = f"match({whole}, {fields.text(f'^(?:{pattern})$')})"
            else:
                held = f"has({fields.texts(list(pattern))}, {whole})"
            values = f"arrayFilter(one -> {sign}{held}, {values})"
    joined = f"arrayJoin(arrayMap(one -> (one.1, one.2, one.3, {number}), {values}))"
    return [f"tupleElement({joined}, {place})" for place in (1, 2, 3)]


def read_key(group: Grouping, row: dict[str, Any], number: int) -> GroupKey:
    """The key of a group in a row of the answer."""
    first = row[f"k{number}_0"]
    match group:
        case ByField():
            if first == 0:
                return None
            return row[f"k{number}_1"] if first == 1 else row[f"k{number}_2"]
        case ByNumber():
            return group.offset + group.interval * first
        case _:
            return int(first)


def typed_key(group: Grouping, key: GroupKey) -> list[tuple[Parameter, str]]:
    """The values of a key's columns with their types."""
    match group:
        case ByField():
            if key is None:
                return [(0, "UInt8"), (0.0, "Float64"), ("", "String")]
            if isinstance(key, str):
                return [(2, "UInt8"), (0.0, "Float64"), (clean(key), "String")]
            return [(1, "UInt8"), (float(key), "Float64"), ("", "String")]
        case ByNumber():
            return [(_interval_number(group, key), "Float64")]
        case _:
            return [(int(key or 0), "Int64")]


def written_key(group: Grouping, key: GroupKey) -> list[str]:
    """A key as ClickHouse's toString writes its columns."""
    return [value if isinstance(value, str) else text_of(value) for value, _ in typed_key(group, key)]


def _interval_number(group: ByNumber, key: GroupKey) -> float:
    return float(round((float(key or 0) - group.offset) / group.interval))
