"""SQL for buckets: one statement for a level of them."""

from typing import Final

from eldonia_ops.search.buckets import (
    MAX_ROWS,
    BucketOrder,
    BucketRequest,
    BucketRow,
    BucketRows,
    ByNumber,
    GroupKey,
    MeasureKind,
)
from eldonia_ops.search.selection import Selected, Selection
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.logs.bucket_keys import key_columns, read_key, typed_key, written_key
from eldonia_ops.storage.clickhouse.logs.bucket_measures import measure_sql, read_measure
from eldonia_ops.storage.clickhouse.logs.field_sql import FieldSql
from eldonia_ops.storage.clickhouse.logs.search import SearchSql
from eldonia_ops.storage.clickhouse.logs.selection import SelectionSql, selected_of
from eldonia_ops.storage.clickhouse.schema import decode_rows

_SEPARATOR: Final = "\x1f"


class BucketSql:
    """Writes the statement of one request; ``parameters`` are filled as it goes."""

    def __init__(self, request: BucketRequest) -> None:
        self._request = request
        self.parameters: dict[str, Parameter] = {}
        self.search = self._search = SearchSql(self.parameters)
        self._fields = FieldSql(self.parameters)
        self.keys = [
            key_columns(group, number, self._fields, self._search) for number, group in enumerate(request.groups)
        ]
        self.measures = [measure_sql(one, self._fields) for one in request.measures]

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
            _SEPARATOR.join(part for group, key in zip(around, keys, strict=True) for part in written_key(group, key))
            for keys in one.parents
        ]
        written = f", {self._fields.text(_SEPARATOR)}, ".join(f"toString({sql})" for sql in parts)
        return [f"concat({written}, '') IN {self._fields.texts(listed)}"]

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
            for part, (value, kind) in enumerate(typed_key(group, key)):
                columns.append((f"k{place}_{part}", sign, self._fields.parameter(value, kind)))
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
        keys = tuple(read_key(group, own, number) for number, group in enumerate(request.groups))
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
        keys = tuple(read_key(group, row, number) for number, group in enumerate(request.groups))
        measures = tuple(read_measure(row[f"m{number}"]) for number in range(len(request.measures)))
        rows.append(BucketRow(keys, row["count"], measures))
        if request.groups:
            parent = keys[:around]
            left[parent] = left.get(parent, row["around"]) - row["count"]
    others = {parent: count for parent, count in left.items() if count > 0}
    return BucketRows(rows, others)


def _all(parts: list[str]) -> str:
    return " AND ".join(parts) or "1"
