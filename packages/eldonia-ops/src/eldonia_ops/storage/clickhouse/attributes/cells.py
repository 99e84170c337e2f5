"""SQL for what a record holds for a field, as aggregates and pipes look at it: its text and its number.

:mod:`eldonia_ops.search.values` says what they are; tests compare the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from eldonia_ops.model.conditions import NEGATIONS, NUMBER, ORDERINGS, Condition, ConditionOp, FieldName
from eldonia_ops.search.values import TIMESTAMP
from eldonia_ops.storage.clickhouse.attributes.conditions import LOG_COLUMNS, escaped_key, value_sql
from eldonia_ops.storage.clickhouse.attributes.documents import clean
from eldonia_ops.storage.clickhouse.engines.engine import Parameter, quoted

_WHOLE_NUMBER: Final = quoted(f"^(?:{NUMBER.pattern})$")
_MS: Final = "intDiv(toUnixTimestamp64Nano(timestamp), 1000000)"
_WHOLE_KINDS: Final = ("Int64", "UInt64")


@dataclass(frozen=True, slots=True)
class Cell:
    """SQL of one value: ``text`` is a text and ``number`` a Float64, each NULL where there is none.

    ``numeric`` says that there are numbers alone.
    """

    text: str
    number: str
    numeric: bool = False


TIME_CELL: Final = Cell(f"toString({_MS})", f"toFloat64({_MS})", numeric=True)


def parsed_number(text: str) -> str:
    """SQL for the number that a text is, or NULL: as :func:`~eldonia_ops.search.values.value_number` reads it."""
    return f"if(match({text}, {_WHOLE_NUMBER}), nullIf(nullIf(toFloat64OrNull({text}), inf), -inf), NULL)"


def text_cell(text: str) -> Cell:
    """The cell of a text, which may be NULL."""
    return Cell(text, parsed_number(text))


class LogCells:
    """Writes cells of one statement over logs; ``parameters`` are filled as it goes.

    ``computed`` are values that have been made before, by their names; they come before fields of the record.
    """

    def __init__(
        self, parameters: dict[str, Parameter], computed: Mapping[str, Cell] = MappingProxyType({}), prefix: str = "a"
    ) -> None:
        self._parameters = parameters
        self._known: dict[FieldName, Cell] = {}
        self._computed = computed
        self._prefix = prefix

    def cell(self, name: FieldName) -> Cell:
        """The cell of a field."""
        if name.name in self._computed:
            return self._computed[name.name]
        if name not in self._known:
            prefix = f"{self._prefix}{len(self._known)}"
            self._known[name] = self._named(self._field(name, prefix), prefix)
        return self._known[name]

    def _named(self, cell: Cell, prefix: str) -> Cell:
        """The cell as it is used; ``prefix`` is a name of its own."""
        return cell

    def _field(self, name: FieldName, prefix: str) -> Cell:
        if not name.exact:
            if name.name == TIMESTAMP:
                return TIME_CELL
            if own := LOG_COLUMNS.texts.get(name.name):
                return text_cell(f"nullIf({own}, '')")
            if number := LOG_COLUMNS.numbers.get(name.name):
                return Cell(f"toString({number})", number, numeric=True)
        present, text = value_sql(name, LOG_COLUMNS, self._parameters, prefix)
        found = f"if({present}, {text}, NULL)"
        if not name.exact and name.name in LOG_COLUMNS.moved:
            return text_cell(found)
        return Cell(found, self._attribute_number(name, prefix))

    def _typed(self, path: tuple[str, ...], kind: str, parameter: str) -> str:
        """The values of one type at a path of the attributes, NULL for those of another."""
        column = ".".join(escaped_key(segment) for segment in path)
        self._parameters[parameter] = f"{column}.:`{kind}`"
        return f"getSubcolumn({LOG_COLUMNS.document}, {{{parameter}:String}})"

    def _attribute_number(self, name: FieldName, prefix: str) -> str:
        """Each type of an attribute is a column of its own: reading those takes a third of looking at each value."""
        number = ""
        for place, path in reversed(list(enumerate(name.paths))):
            kinds: list[str] = []
            for kind in (*_WHOLE_KINDS, "Float64", "String"):
                one = self._typed(path, kind, f"{prefix}t{place}{kind}")
                kinds.append(
                    f"toFloat64({one})" if kind in _WHOLE_KINDS else parsed_number(one) if kind == "String" else one
                )
            found = f"coalesce({', '.join(kinds)})"
            here = f"isNotNull(getSubcolumn({LOG_COLUMNS.document}, {{{prefix}p{place}:String}}))"
            number = f"if({here}, {found}, {number})" if number else found
        return number


def computed_condition_sql(condition: Condition, cell: Cell, parameters: dict[str, Parameter], prefix: str) -> str:
    """SQL that is 1 where a value that a pipe made satisfies a condition, else 0.

    It means what :func:`~eldonia_ops.search.evaluate.column_holds` says.
    """
    op = NEGATIONS.get(condition.op)
    if op is not None:
        return f"NOT {_computed(condition, op, cell, parameters, prefix)}"
    return _computed(condition, condition.op, cell, parameters, prefix)


def _computed(condition: Condition, op: ConditionOp, cell: Cell, parameters: dict[str, Parameter], prefix: str) -> str:
    if op is ConditionOp.EXISTS:
        return f"isNotNull({cell.text})"
    if condition.number is not None:
        parameters[f"{prefix}n"] = condition.number
    if op in ORDERINGS:
        return f"ifNull({cell.number} {op.value} {{{prefix}n:Float64}}, 0)"
    parameters[f"{prefix}v"] = clean(condition.value)
    value = f"{{{prefix}v:String}}"
    match op:
        case ConditionOp.CONTAINS:
            return f"ifNull(position({cell.text}, {value}) > 0, 0)"
        case ConditionOp.MATCHES:
            return f"ifNull(match({cell.text}, {value}), 0)"
        case _ if condition.number is None:
            return f"ifNull({cell.text} = {value}, 0)"
        case _:
            return f"(ifNull({cell.text} = {value}, 0) OR ifNull({cell.number} = {{{prefix}n:Float64}}, 0))"
