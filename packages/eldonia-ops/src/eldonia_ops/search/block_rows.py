"""Which rows of a block of records a search finds, without making the records.

The meaning is that of :func:`~eldonia_ops.search.evaluate.matches`; a property test holds the two together. What is the
same in the whole block is compared once, and a part is asked of the rows that are left by those before it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.model.condition_fields import LOG_ATTRIBUTES, LOG_ERRORS, LOG_MEASUREMENTS, LOG_TEXTS
from eldonia_ops.model.conditions import Condition, FieldName
from eldonia_ops.model.log_batch import LogBlock
from eldonia_ops.model.logs import source_name
from eldonia_ops.search.evaluate import matches, wildcard_condition
from eldonia_ops.search.message_text import text_test
from eldonia_ops.search.tree import (
    All,
    And,
    AtLeast,
    Comparison,
    LevelTest,
    Node,
    Not,
    OneOf,
    Or,
    Text,
    Wildcard,
)
from eldonia_ops.search.values import TIMESTAMP

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """What the N records of a block hold for a field: ``values``, or the one value that all have when that is None."""

    values: Sequence[Any] | None
    same: Any = None

    def at(self, row: int) -> Any:
        """What one record holds; None when the field is missing."""
        return self.same if self.values is None else self.values[row]


MISSING: Final = Column(None)


def column_of(block: LogBlock, name: FieldName) -> Column:
    """What the records of a block hold for a field, as :func:`~eldonia_ops.search.values.field_value` says of one."""
    if not name.exact and name.name == TIMESTAMP:
        return Column([ns // _NS_PER_MS for ns in block.timestamps_ns])
    return _column(block, name)


def _column(block: LogBlock, name: FieldName) -> Column:
    if name.column:
        return _first(_attribute(block, name), _text(block, LOG_TEXTS[name.column]))
    if not name.exact:
        plain = name.name
        if own := LOG_TEXTS.get(plain):
            return _text(block, own)
        if plain in LOG_ERRORS or plain in LOG_MEASUREMENTS:
            return MISSING  # no record of a block has any
        if field := LOG_ATTRIBUTES.get(plain):
            return _first(_attribute(block, name), _column(block, FieldName(tuple(field.split(".")))))
    return _attribute(block, name)


def _attribute(block: LogBlock, name: FieldName) -> Column:
    # The values of a block are scalars: a path of several steps leads to none.
    found = [block.metadata[path[0]] for path in name.paths if len(path) == 1 and path[0] in block.metadata]
    return Column(found[0]) if found else MISSING


def _text(block: LogBlock, own: str) -> Column:
    if own == "message":
        return Column([text or None for text in block.messages])
    if own == "level":
        return Column([str(level) for level in block.levels])
    if (values := block.texts.get(own)) is not None:
        return Column([(source_name(text) if own == "source" else text) or None for text in values])
    text = block.shared.get(own, "")
    return Column(None, (source_name(text) if own == "source" else text) or None)


def _first(wanted: Column, otherwise: Column) -> Column:
    if wanted.values is None:
        return wanted if wanted.same is not None else otherwise
    return Column([otherwise.at(row) if value is None else value for row, value in enumerate(wanted.values)])


def cheapest_first(node: Node) -> Node:
    """The same search with the parts first that cost little to ask of a record."""
    match node:
        case And():
            return And(tuple(sorted(map(cheapest_first, node.parts), key=_cost)), node.span)
        case Or():
            return Or(tuple(sorted(map(cheapest_first, node.parts), key=_cost)), node.span)
        case Not():
            return Not(cheapest_first(node.part), node.span)
        case _:
            return node


def matching_rows(node: Node, block: LogBlock) -> Sequence[int]:
    """The rows of a block that a search finds, ascending."""
    return _rows(node, block, range(len(block)))


def _rows(node: Node, block: LogBlock, rows: Sequence[int]) -> Sequence[int]:
    if not rows:
        return rows
    match node:
        case All():
            return rows
        case And():
            for part in node.parts:
                rows = _rows(part, block, rows)
            return rows
        case Or():
            found: set[int] = set()
            for part in node.parts:
                found.update(_rows(part, block, [row for row in rows if row not in found]))
            return sorted(found)
        case Not():
            out = set(_rows(node.part, block, rows))
            return [row for row in rows if row not in out]
        case AtLeast():
            counts = dict.fromkeys(rows, 0)
            for part in node.parts:
                for row in _rows(part, block, rows):
                    counts[row] += 1
            return [row for row in rows if counts[row] >= node.count]
        case Text():
            test = text_test(node.pieces).holds
            return [row for row in rows if test(block.messages[row])]
        case LevelTest():
            levels = frozenset(node.levels)
            return [row for row in rows if block.levels[row] in levels]
        case Comparison():
            return _holding(block, rows, node.condition.name, node.condition.holds)
        case Wildcard():
            return _holding(block, rows, node.name, wildcard_condition(node).holds)
        case OneOf():
            return _holding(block, rows, node.name, _one_of(node.conditions))
        case _:
            return [row for row in rows if matches(node, block.record(row))]


def _one_of(conditions: Sequence[Condition]) -> Callable[[Any], bool]:
    return lambda value: any(one.holds(value) for one in conditions)


def _holding(block: LogBlock, rows: Sequence[int], name: FieldName, test: Callable[[Any], bool]) -> Sequence[int]:
    column = _column(block, name)
    if column.values is None:
        return rows if test(column.same) else ()
    known: dict[tuple[type, Any], bool] = {}
    found: list[int] = []
    for row in rows:
        value = column.values[row]
        key = (value.__class__, value)
        holds = known.get(key)
        if holds is None:
            holds = known[key] = test(value)
        if holds:
            found.append(row)
    return found


def _cost(node: Node) -> int:
    match node:
        case All() | LevelTest():
            return 0
        case Comparison() | OneOf() | Wildcard():
            return 1
        case Text():
            return 2
        case _:
            return 3
