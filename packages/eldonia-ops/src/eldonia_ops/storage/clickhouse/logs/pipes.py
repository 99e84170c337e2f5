"""SQL for the stages of a pipeline that are about records: rows of the table of logs with what stages made beside.

:mod:`eldonia_ops.search.pipes.items` says what they mean; tests compare the two.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.search.pipes.pipeline import (
    Dedup,
    Eval,
    Expression,
    Extract,
    Fields,
    Head,
    Number,
    Operation,
    Rename,
    Selecting,
    Sort,
    Where,
)
from eldonia_ops.search.tree import Comparison, Node, Wildcard, leaves
from eldonia_ops.storage.clickhouse.attributes.cells import Cell, LogCells, text_cell
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter
from eldonia_ops.storage.clickhouse.logs.aggregates import LogSource, order_sql
from eldonia_ops.storage.clickhouse.logs.search import SearchSql

_NEWEST: Final = ("timestamp DESC", "id DESC")
_ROWS: Final = "\0rows\0"
"""Stands for the rows before a layer, in the SQL of one that reads them twice."""

_FUNCTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {"round": "roundBankers", "floor": "floor", "ceil": "ceil", "abs": "abs", "sqrt": "sqrt"}
)


class PipedLogs:
    """The records of a search after some stages; ``where`` is what the search asks of the table.

    What stages made are columns of subqueries, each made once. So are fields that they look at, since attributes are
    read by their types only where the table itself is read.
    """

    def __init__(self, where: str, parameters: dict[str, Parameter], stages: Sequence[Selecting]) -> None:
        self._parameters = parameters
        self._table = [where]
        self._fields: list[str] = []
        self._rows = ""
        self._cut = False
        self._layered = any(not isinstance(stage, Where | Fields) for stage in stages)
        self.computed: dict[str, Cell] = {}
        self.order: tuple[str, ...] = _NEWEST
        self.cells = _FieldColumns(parameters, self.computed, self._fields) if self._layered else LogCells(parameters)
        self._layers: list[tuple[str, str]] = []
        for stage in stages:
            self._add(stage)

    @property
    def source(self) -> LogSource:
        """What an aggregate counts. It is written last: columns that only an aggregate needs are known by then."""
        return LogSource(self, self.cells, self.condition)

    def __str__(self) -> str:
        """What follows FROM."""
        if not self._layered:
            return f"logs WHERE {' AND '.join(self._table)}"
        columns = "".join(f", {field}" for field in self._fields)
        rows = f"(SELECT *{columns} FROM logs WHERE {' AND '.join(self._table)})"  # noqa: S608
        for columns, rest in self._layers:
            rows = f"(SELECT *{columns} FROM {rows}{rest.replace(_ROWS, rows)})"  # noqa: S608
        return rows

    def condition(self, search: Node) -> str:
        """SQL that is 1 for the rows that a search finds, else 0."""
        return self._sql(indexed=not self._layered).written(search)

    def _sql(self, *, indexed: bool) -> SearchSql:
        prefix = f"z{len(self._parameters)}"
        return SearchSql(self._parameters, prefix, computed=self.computed, indexed=indexed)

    def _add(self, stage: Selecting) -> None:
        match stage:
            case Where():
                if self._cut or self._looks_at_computed(stage.search):
                    self._layers.append(("", f" WHERE {self._sql(indexed=False).written(stage.search)}"))
                else:
                    self._table += self._sql(indexed=True).conjuncts(stage.search)
            case Extract():
                column = self._column(
                    f"extractGroups(ifNull({self.cells.cell(stage.source).text}, ''), "
                    f"{self._parameter('String', clean(stage.pattern))})"
                )
                for name, group in stage.holes:
                    self.computed[name] = text_cell(f"nullIf({column}[{group}], '')")
            case Eval():
                value = self._arithmetic(stage.expression)
                column = self._column(f"if(isFinite({value}), {value}, NULL)")
                self.computed[stage.name] = Cell(f"toString({column})", column, numeric=True)
            case Rename():
                cells = {new: self.cells.cell(old) for old, new in stage.names}
                self.computed.update(cells)
            case Sort():
                keys = [self._order(name, descending=descending) for name, descending in stage.keys]
                self.order = (*(one for key in keys for one in key), *self.order)
            case Head():
                self._limit(f"LIMIT {stage.count}")
            case Dedup():
                keys = ", ".join(self.cells.cell(name).text for name in stage.names)
                if self.order == _NEWEST and not self._cut:
                    # Which are the newest is counted: to sort all rows would take the memory of all.
                    newest = f"SELECT max((timestamp, id)) FROM {_ROWS} GROUP BY {keys}"  # noqa: S608
                    self._layers.append(("", f" WHERE (timestamp, id) IN ({newest})"))
                    self._cut = True
                else:
                    self._limit(f"LIMIT 1 BY {keys}")
            case Fields():
                pass

    def _limit(self, limit: str) -> None:
        self._layers.append(("", f" ORDER BY {', '.join(self.order)} {limit}"))
        self._cut = True

    def _column(self, sql: str) -> str:
        name = f"x{len(self._layers)}"
        self._layers.append((f", {sql} AS {name}", ""))
        return name

    def _order(self, name: FieldName, *, descending: bool) -> list[str]:
        cell = self.cells.cell(name)
        if cell.numeric:
            return order_sql(cell.number, text=False, descending=descending)
        direction = "DESC NULLS LAST" if descending else "ASC NULLS LAST"
        return [f"isNull({cell.number})", f"{cell.number} {direction}", f"{cell.text} {direction}"]

    def _arithmetic(self, expression: Expression) -> str:
        match expression:
            case Number():
                return self._parameter("Float64", expression.value)
            case FieldName():
                return self.cells.cell(expression).number
            case Operation(name, (one,)):
                return f"{_FUNCTIONS[name]}({self._arithmetic(one)})"
            case Operation("/", (left, right)):
                return f"({self._arithmetic(left)} / nullIf({self._arithmetic(right)}, 0))"
            case Operation(name, (left, right)):
                return f"({self._arithmetic(left)} {name} {self._arithmetic(right)})"
            case _:
                raise ValueError("an operation has one operand or two")

    def _looks_at_computed(self, search: Node) -> bool:
        for leaf, _ in leaves(search):
            name = (
                leaf.condition.name
                if isinstance(leaf, Comparison)
                else leaf.name
                if isinstance(leaf, Wildcard)
                else None
            )
            if name is not None and name.name in self.computed:
                return True
        return False

    def _parameter(self, kind: str, value: Parameter) -> str:
        name = f"y{len(self._parameters)}"
        self._parameters[name] = value
        return f"{{{name}:{kind}}}"


class _FieldColumns(LogCells):
    """Cells that are columns of the innermost rows; ``columns`` grow as fields are asked for."""

    def __init__(self, parameters: dict[str, Parameter], computed: Mapping[str, Cell], columns: list[str]) -> None:
        super().__init__(parameters, computed)
        self._columns = columns

    def _named(self, cell: Cell, prefix: str) -> Cell:
        self._columns += [f"{cell.text} AS {prefix}text", f"{cell.number} AS {prefix}number"]
        return Cell(f"{prefix}text", f"{prefix}number", cell.numeric)
