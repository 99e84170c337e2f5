"""SQL for a selection: records in any order, behind any place of it."""

from typing import Any, Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.score import Fixed, Greatest, Scaled, Score, Total, When
from eldonia_ops.search.selection import Selected, Selection, SortKey, SortValue, Standard
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, number_sql, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Engine, Parameter
from eldonia_ops.storage.clickhouse.logs.rows import READ, bounded_ns, record_of
from eldonia_ops.storage.clickhouse.logs.search import SearchSql
from eldonia_ops.storage.clickhouse.schema import decode_rows

MAX_SELECTED: Final = 10_000
"""Records of one page, and records that are skipped."""

_STANDARD: Final = {
    Standard.TIME: "toUnixTimestamp64Nano(timestamp)",
    Standard.TIME_MS: "toUnixTimestamp64Milli(timestamp)",
    Standard.ID: "id",
}


class SelectionSql:
    """Writes the statements of one selection; ``parameters`` are filled as it goes."""

    def __init__(
        self, selection: Selection, parameters: dict[str, Parameter] | None = None, search: SearchSql | None = None
    ) -> None:
        self._selection = selection
        self.parameters: dict[str, Parameter] = {} if parameters is None else parameters
        self._search = search or SearchSql(self.parameters)
        self._score = self.score(selection.score)
        # A key is up to three columns: whether it is missing, its number, its text.
        self._keys = [self._columns(key, number) for number, key in enumerate(selection.sort)]

    def statement(self) -> str:
        """The SELECT of a page."""
        one = self._selection
        where = self._search.conjuncts(one.search) + self._behind()
        self.parameters |= {"limit": min(one.limit, MAX_SELECTED + 1), "skip": min(one.skip, MAX_SELECTED)}
        return (
            f"SELECT {self._columns_wanted()} "  # noqa: S608  names of columns
            f"FROM logs WHERE {' AND '.join(where) or '1'} ORDER BY {', '.join(self._order())} "
            "LIMIT {limit:UInt32} OFFSET {skip:UInt32}"
        )

    def in_groups(self, names: list[str], grouped: str) -> str:
        """The SELECT of the first records of each group of ``grouped``, a SELECT in which groups have these names."""
        by = f"PARTITION BY {', '.join(names)} ORDER BY {', '.join(self._order())}"
        first, last = self._selection.skip, self._selection.skip + self._selection.limit
        return (
            f"SELECT * FROM (SELECT {', '.join(f'{name} AS g{name}' for name in names)}, {self._columns_wanted()}, "  # noqa: S608
            f"row_number() OVER ({by}) AS place FROM ({grouped})) WHERE place > {int(first)} AND place <= {int(last)} "
            f"ORDER BY {', '.join(f'g{name}' for name in names)}, place"
        )

    def _columns_wanted(self) -> str:
        values = [f"{sql} AS s{n}_{m}" for n, key in enumerate(self._keys) for m, (sql, _, _) in enumerate(key)]
        return ", ".join([*values, f"{self._score} AS score", *READ])

    def _order(self) -> list[str]:
        one = self._selection
        order = [f"{sql} {direction}" for key in self._keys for sql, direction, _ in key]
        last = "ASC" if one.oldest_first else "DESC"
        if not any(key.by is Standard.TIME for key in one.sort):
            order.append(f"timestamp {last}")
        return [*order, f"id {last}"]

    def where(self) -> str:
        """The condition of the search alone."""
        return " AND ".join(self._search.conjuncts(self._selection.search)) or "1"

    def score(self, score: Score) -> str:
        """SQL for a score."""
        match score:
            case Fixed():
                return f"toFloat64({float(score.value)!r})"
            case When():
                return f"if({self._search.written(score.node)}, {self.score(score.score)}, 0.)"
            case Total():
                return f"({' + '.join(map(self.score, score.parts))})"
            case Greatest():
                parts = [self.score(part) for part in score.parts]
                greatest = f"arrayMax([{', '.join(parts)}])"
                return f"({greatest} + {float(score.share)!r} * (arraySum([{', '.join(parts)}]) - {greatest}))"
            case Scaled():
                held = self._search.written(score.node)
                return f"({self.score(score.score)} * if({held}, {float(score.factor)!r}, 1.))"

    def _columns(self, key: SortKey, number: int) -> list[tuple[str, str, str]]:
        """The columns of a key: SQL, direction, and type."""
        direction = "DESC" if key.descending else "ASC"
        if not isinstance(key.by, FieldName):
            if key.by is Standard.SCORE:
                return [(self._score, direction, "Float64")]
            # By the bare column, the order of the table serves.
            sql = "timestamp" if key.by is Standard.TIME else _STANDARD[key.by]
            return [(sql, direction, "UInt64" if key.by is Standard.ID else "Int64")]
        present, text = value_sql(key.by, LOG_COLUMNS, self.parameters, f"o{number}")
        found = number_sql(key.by, LOG_COLUMNS, self.parameters, f"o{number}")
        missing = present if key.missing_first else f"(NOT {present})"
        return [
            (missing, "ASC", "UInt8"),
            (f"if(isNotNull({found}), 0, 1)", direction, "UInt8"),
            (f"ifNull({found}, 0)", direction, "Float64"),
            (f"if({present} AND isNull({found}), {text}, '')", direction, "String"),
        ]

    def _behind(self) -> list[str]:
        """The condition of what comes behind ``after`` and ``place``."""
        one = self._selection
        columns: list[tuple[str, str, str]] = []
        if one.after is not None:
            for number, (key, value) in enumerate(zip(one.sort, one.after, strict=True)):
                for (sql, direction, kind), bound in zip(self._keys[number], _bounds(key, value), strict=True):
                    name = f"after{len(columns)}"
                    self.parameters[name] = bound
                    written = f"{{{name}:{kind}}}"
                    written = f"fromUnixTimestamp64Nano({written})" if sql == "timestamp" else written
                    columns.append((sql, "<" if direction == "DESC" else ">", written))
        if one.place is not None:
            sign = ">" if one.oldest_first else "<"
            self.parameters |= {"place": bounded_ns(one.place[0]), "place_id": max(0, one.place[1])}
            columns.append(("timestamp", sign, "fromUnixTimestamp64Nano({place:Int64})"))
            columns.append(("id", sign, "{place_id:UInt64}"))
        if not columns:
            return []
        condition = ""
        for sql, sign, bound in reversed(columns):
            same = f" OR ({sql} = {bound} AND {condition})" if condition else ""
            condition = f"({sql} {sign} {bound}{same})"
        first, sign, bound = columns[0]
        # The bare bound on the sorting key's first column is what lets the engine skip granules.
        return [condition, f"{first} {sign}= {bound}"] if first == "timestamp" else [condition]


async def select(engine: Engine, selection: Selection) -> list[Selected]:
    """The records of a selection."""
    writer = SelectionSql(selection)
    return [
        selected_of(selection, row) for row in decode_rows(await engine.query(writer.statement(), writer.parameters))
    ]


def selected_of(selection: Selection, row: dict[str, Any]) -> Selected:
    """A row of a selection."""
    score = float(row.pop("score"))
    keys: list[list[SortValue]] = []
    for number, key in enumerate(selection.sort):
        names = [f"s{number}_{place}" for place in range(4 if isinstance(key.by, FieldName) else 1)]
        keys.append([row.pop(name) for name in names])
    record = record_of(row)
    values = tuple(
        record.timestamp_ns if key.by is Standard.TIME else _value(key, columns)
        for key, columns in zip(selection.sort, keys, strict=True)
    )
    return Selected(record, values, score)


async def count(engine: Engine, selection: Selection, most: int | None = None) -> int:
    """How many records the search finds; with ``most`` it counts no further than one more than that."""
    writer = SelectionSql(selection)
    if most is None:
        sql = f"SELECT count() AS count FROM logs WHERE {writer.where()}"  # noqa: S608
    else:
        sql = f"SELECT count() AS count FROM (SELECT 1 FROM logs WHERE {writer.where()} LIMIT {{most:UInt64}})"  # noqa: S608
        writer.parameters["most"] = most + 1
    return decode_rows(await engine.query(sql, writer.parameters))[0]["count"]


def _bounds(key: SortKey, value: SortValue) -> list[str | int | float]:
    """The values of a key's columns for a value."""
    if not isinstance(key.by, FieldName):
        return [float(value or 0) if key.by is Standard.SCORE else int(value or 0)]
    if value is None:
        return [0 if key.missing_first else 1, 1, 0.0, ""]
    there = 1 if key.missing_first else 0
    return [there, 1, 0.0, clean(value)] if isinstance(value, str) else [there, 0, float(value), ""]


def _value(key: SortKey, columns: list[SortValue]) -> SortValue:
    if not isinstance(key.by, FieldName):
        return columns[0]
    missing, kind, number, text = columns
    if missing == (0 if key.missing_first else 1):
        return None
    return text if kind else number
