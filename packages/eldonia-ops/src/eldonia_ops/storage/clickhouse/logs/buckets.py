"""SQL for buckets: one statement for a level of them."""

import math
from typing import Any, Final

from eldonia_ops.model.conditions import FieldName, text_of
from eldonia_ops.search.buckets import (
    MAX_ROWS,
    BucketOrder,
    BucketRequest,
    BucketRow,
    BucketRows,
    ByConditions,
    ByField,
    ByNumber,
    Grouping,
    GroupKey,
    Measure,
    MeasureKind,
)
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.search.time_steps import ByTime
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, elements_sql, number_sql, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.logs.search import SearchSql
from eldonia_ops.storage.clickhouse.logs.selection import SelectionSql, selected_of
from eldonia_ops.storage.clickhouse.logs.time_steps import step_sql
from eldonia_ops.storage.clickhouse.schema import decode_rows

_MS: Final = 1_000_000
_SEPARATOR: Final = "\x1f"
_KEY_COLUMNS: Final = {ByField: 3, ByTime: 1, ByNumber: 1, ByConditions: 1}


class BucketSql:
    """Writes the statement of one request; ``parameters`` are filled as it goes."""

    def __init__(self, request: BucketRequest) -> None:
        self._request = request
        self.parameters: dict[str, Parameter] = {}
        self.search = self._search = SearchSql(self.parameters)
        self._fields = 0
        self.keys = [self._key(group, number) for number, group in enumerate(request.groups)]
        self.measures = [self._measure(one) for one in request.measures]

    def statement(self) -> str:
        """The SELECT of a level: keys as texts, the count, the measures, and how many records there are around."""
        one = self._request
        names = self.names
        parents = [f"k{n}_{m}" for n, key in enumerate(self.keys[: len(self.keys) - one.own]) for m in range(len(key))]
        measured = [f"{sql} AS m{number}" for number, sql in enumerate(self.measures)]
        if not names:
            where = self._search.conjuncts(one.search)
            return f"SELECT count() AS count{''.join(f', {sql}' for sql in measured)} FROM logs WHERE {_all(where)}"  # noqa: S608
        having = [f"count >= {int(one.at_least)}"] if one.at_least > 1 else []
        having += self._behind()
        by = f"PARTITION BY {', '.join(parents)}" if parents else ""
        order = [*self._order(), *names]
        # The groups are computed for each row first: an arrayJoin must not be repeated in what is aggregated.
        sql = (
            f"SELECT {', '.join([*names, 'count() AS count', *measured])} FROM ({self.grouped()}) "  # noqa: S608
            f"GROUP BY {', '.join(names)}{' HAVING ' + _all(having) if having else ''}"
        )
        rank = f"row_number() OVER ({by} ORDER BY {', '.join(order)}) AS place"
        around = f"sum(count) OVER ({by}) AS around"
        outer = f"SELECT *, {rank}, {around} FROM ({sql})"  # noqa: S608
        limit = one.limit if one.limit is not None else MAX_ROWS + 1
        self.parameters["limit"] = limit
        return (
            f"SELECT * FROM ({outer}) WHERE place <= {{limit:UInt64}} "  # noqa: S608
            f"ORDER BY {', '.join([*parents, 'place'])} LIMIT {MAX_ROWS + 1}"
        )

    @property
    def names(self) -> list[str]:
        """The columns of all keys."""
        return [f"k{n}_{m}" for n, key in enumerate(self.keys) for m in range(len(key))]

    def grouped(self) -> str:
        """The SELECT of records with the keys of their groups; a record is in it once for each group that it is in."""
        where = [*self._search.conjuncts(self._request.search), *self._wanted()]
        inner = [
            f"{sql} AS {name}" for name, sql in zip(self.names, [s for key in self.keys for s in key], strict=True)
        ]
        return f"SELECT * FROM (SELECT {', '.join(['*', *inner])} FROM logs WHERE {_all(where)}) {self._filters()}"  # noqa: S608

    def _key(self, group: Grouping, number: int) -> list[str]:
        """The columns of a group's key: of a field its kind (0 missing, 1 number, 2 text), number, and text."""
        match group:
            case ByField():
                return self._field_key(group, number)
            case ByTime():
                return [step_sql(group, self._text(group.zone))]
            case ByNumber():
                found = self._number(group.name)
                if group.missing is not None:
                    found = f"ifNull({found}, {float(group.missing)!r})"
                return [f"floor(({found} - {float(group.offset)!r}) / {float(group.interval)!r})"]
            case ByConditions():
                # What is joined twice in one statement is joined once: each group has numbers of its own.
                first = 1_000 * number
                flags = [f"if({self._search.written(node)}, {first + n}, -1)" for n, node in enumerate(group.nodes)]
                return [f"(arrayJoin(arrayFilter(one -> one >= 0, [{', '.join(flags)}]::Array(Int32))) - {first})"]

    def _field_key(self, group: ByField, number: int) -> list[str]:
        prefix = self._prefix()
        present, text = value_sql(group.name, LOG_COLUMNS, self.parameters, prefix)
        found = number_sql(group.name, LOG_COLUMNS, self.parameters, prefix)
        one = f"(if(isNull({found}), 2, 1), ifNull({found}, 0.), if(isNull({found}), {text}, ''))"
        elements = elements_sql(group.name, LOG_COLUMNS, prefix)
        listed = f"arrayMap(one -> (if(isNull(toFloat64OrNull(one)), 2, 2), 0., one), arrayDistinct({elements}))"
        none = "[]"
        if group.missing is not None:
            missing = group.missing
            none = (
                f"[(1, {float(missing)!r}, '')]"
                if not isinstance(missing, str)
                else f"[(2, 0., {self._text(missing)})]"
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
                    held = f"match({whole}, {self._text(f'^(?:{pattern})$')})"
                else:
                    held = f"has({self._texts(list(pattern))}, {whole})"
                values = f"arrayFilter(one -> {sign}{held}, {values})"
        joined = f"arrayJoin(arrayMap(one -> (one.1, one.2, one.3, {number}), {values}))"
        return [f"tupleElement({joined}, {place})" for place in (1, 2, 3)]

    def _filters(self) -> str:
        """A number that is missing is in no group."""
        kept = [f"isNotNull(k{n}_0)" for n, group in enumerate(self._request.groups) if isinstance(group, ByNumber)]
        return f"WHERE {' AND '.join(kept)} " if kept else ""

    def _wanted(self) -> list[str]:
        one = self._request
        if one.parents is None:
            return []
        around = one.groups[: len(one.groups) - one.own]
        parts = [sql for key in self.keys[: len(around)] for sql in key]
        listed = [
            _SEPARATOR.join(part for group, key in zip(around, keys, strict=True) for part in _written_key(group, key))
            for keys in one.parents
        ]
        written = f", {self._text(_SEPARATOR)}, ".join(f"toString({sql})" for sql in parts)
        return [f"concat({written}, '') IN {self._texts(listed)}"]

    def _behind(self) -> list[str]:
        one = self._request
        if one.after is None:
            return []
        first = len(one.groups) - one.own
        descending = {order.number: order.descending for order in one.order if order.by == "key"}
        columns: list[tuple[str, str, str]] = []
        for place, key in enumerate(one.after, start=first):
            sign = "<" if descending.get(place) else ">"
            group = one.groups[place]
            for part, (value, kind) in enumerate(_typed_key(group, key)):
                columns.append((f"k{place}_{part}", sign, self._parameter(value, kind)))
        condition = ""
        for name, sign, bound in reversed(columns):
            same = f" OR ({name} = {bound} AND {condition})" if condition else ""
            condition = f"({name} {sign} {bound}{same})"
        return [condition]

    def _order(self) -> list[str]:
        found: list[str] = []
        for one in self._request.order:
            direction = "DESC" if one.descending else "ASC"
            found += [f"{sql} {direction}" for sql in self._ordered(one)]
        return found

    def _ordered(self, one: BucketOrder) -> list[str]:
        match one.by:
            case "count":
                return ["count"]
            case "key":
                return [f"k{one.number}_{part}" for part in range(len(self.keys[one.number]))]
            case _:
                measure = self._request.measures[one.number]
                several = measure.kind in (MeasureKind.QUANTILES, MeasureKind.RANKS)
                name = f"m{one.number}[{one.level + 1}]" if several else f"m{one.number}"
                # Buckets without a number come last in either direction.
                return [f"ifNull(toFloat64({name}), {'-inf' if one.descending else 'inf'})"]

    def _measure(self, one: Measure) -> str:
        if one.kind is MeasureKind.DISTINCT:
            return f"ifNull(uniqCombined64({self._value_text(one.of)}), 0)"
        if one.kind is MeasureKind.VALUES and one.of is not None:
            if one.missing is not None:
                return "count()"
            prefix = self._prefix()
            present, _ = value_sql(one.of, LOG_COLUMNS, self.parameters, prefix)
            return f"sum(if({present}, 1, length({elements_sql(one.of, LOG_COLUMNS, prefix)})))"
        value = "toFloat64(toUnixTimestamp64Milli(timestamp))" if one.of is None else self._number(one.of)
        if one.missing is not None:
            value = f"ifNull({value}, {float(one.missing)!r})"
        levels = ", ".join(repr(float(level)) for level in one.levels)
        match one.kind:
            case MeasureKind.VALUES:
                return "count()"
            case MeasureKind.NUMBERS:
                return f"count({value})"
            case MeasureKind.SUM:
                return f"ifNull(sum({value}), 0)"
            case MeasureKind.MIN:
                return f"minOrNull({value})"
            case MeasureKind.MAX:
                return f"maxOrNull({value})"
            case MeasureKind.AVERAGE:
                return f"avgOrNull({value})"
            case MeasureKind.SQUARES:
                return f"ifNull(sum({value} * {value}), 0)"
            case MeasureKind.QUANTILES:
                return f"quantilesExactInclusive({levels})({value})"
            case MeasureKind.RANKS:
                parts = [f"avgOrNull({value} <= {float(level)!r}) * 100" for level in one.levels]
                return f"[{', '.join(parts)}]"
            case _:
                raise AssertionError(one.kind)

    def _value_text(self, name: FieldName | None) -> str:
        """SQL for a value as a text, null where there is none."""
        if name is None:
            return "timestamp"
        present, text = value_sql(name, LOG_COLUMNS, self.parameters, self._prefix())
        return f"if({present}, {text}, NULL)"

    def _number(self, name: FieldName) -> str:
        return number_sql(name, LOG_COLUMNS, self.parameters, self._prefix())

    def _prefix(self) -> str:
        self._fields += 1
        return f"b{self._fields}"

    def _text(self, text: str) -> str:
        return self._parameter(clean(text), "String")

    def _texts(self, texts: list[str]) -> str:
        return self._parameter([clean(text) for text in texts], "Array(String)")

    def _parameter(self, value: Parameter, kind: str) -> str:
        name = f"{self._prefix()}x"
        self.parameters[name] = value
        return f"{{{name}:{kind}}}"


async def records_in_groups(
    engine: Engine, request: BucketRequest, selection: Selection
) -> dict[tuple[GroupKey, ...], list[Selected]]:
    """The first records of each group of a request, in the order of a selection."""
    writer = BucketSql(request)
    records = SelectionSql(selection, writer.parameters, writer.search)
    sql = records.in_groups(writer.names, writer.grouped())
    found: dict[tuple[GroupKey, ...], list[Selected]] = {}
    for row in decode_rows(await engine.query(sql, writer.parameters)):
        own = {name: row.pop(f"g{name}") for name in writer.names}
        row.pop("place")
        keys = tuple(_read_key(group, own, number) for number, group in enumerate(request.groups))
        found.setdefault(keys, []).append(selected_of(selection, row))
    return found


async def buckets(engine: Engine, request: BucketRequest) -> BucketRows:
    """The rows of one level."""
    writer = BucketSql(request)
    rows: list[BucketRow] = []
    others: dict[tuple[GroupKey, ...], int] = {}
    around = len(request.groups) - request.own
    left: dict[tuple[GroupKey, ...], int] = {}
    for row in decode_rows(await engine.query(writer.statement(), writer.parameters)):
        keys = tuple(_read_key(group, row, number) for number, group in enumerate(request.groups))
        measures = tuple(_read_measure(row[f"m{number}"]) for number in range(len(request.measures)))
        rows.append(BucketRow(keys, row["count"], measures))
        if request.groups:
            parent = keys[:around]
            left[parent] = left.get(parent, row["around"]) - row["count"]
    others = {parent: count for parent, count in left.items() if count > 0}
    return BucketRows(rows, others)


def _read_key(group: Grouping, row: dict[str, Any], number: int) -> GroupKey:
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


def _typed_key(group: Grouping, key: GroupKey) -> list[tuple[Parameter, str]]:
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


def _written_key(group: Grouping, key: GroupKey) -> list[str]:
    """A key as ClickHouse's toString writes its columns."""
    return [value if isinstance(value, str) else text_of(value) for value, _ in _typed_key(group, key)]


def _interval_number(group: ByNumber, key: GroupKey) -> float:
    return float(round((float(key or 0) - group.offset) / group.interval))


def _read_measure(value: Any) -> float | tuple[float | None, ...] | None:
    if isinstance(value, list):
        return tuple(None if one is None or math.isnan(one) else float(one) for one in value)
    return None if value is None else float(value)


def _all(parts: list[str]) -> str:
    return " AND ".join(parts) or "1"
