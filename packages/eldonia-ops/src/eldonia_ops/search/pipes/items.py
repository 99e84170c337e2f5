"""What goes through a pipeline, and what its stages make of it: what they mean, to which stores are compared.

What a store answers for the first stages goes through the rest of them here.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.aggregate_records import Reader, aggregate_rows
from eldonia_ops.search.aggregates import AggregateRows
from eldonia_ops.search.evaluate import holds, matches
from eldonia_ops.search.pipes.pipeline import (
    COUNT_COLUMN,
    PERCENT_COLUMN,
    TIME_COLUMN,
    Counting,
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
    Stage,
    Stats,
    Timechart,
    Top,
    Where,
)
from eldonia_ops.search.pipes.plan import Width, aggregate_of
from eldonia_ops.search.tree import And, Node, Not, Or, leaves
from eldonia_ops.search.values import field_value, value_number, value_order, value_text

_FUNCTIONS: Final[Mapping[str, Callable[[float], float]]] = {
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "abs": abs,
    "sqrt": math.sqrt,
}


@dataclass(frozen=True, slots=True)
class Item:
    """A record with what stages made beside its fields, or a row, which has its ``values`` alone.

    ``place`` is Unix nanoseconds and an order of what shares them.
    """

    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    record: LogRecord | None = None
    place: tuple[int, int] = (0, 0)

    def value(self, name: FieldName) -> Any:
        """What is there under a name; None when nothing is."""
        if name.name in self.values:
            return self.values[name.name]
        return field_value(self.record, name) if self.record is not None else None


def items_of(records: Iterable[LogRecord]) -> list[Item]:
    """Records as they enter a pipeline."""
    return [Item({}, record, (record.timestamp_ns, record.id)) for record in records]


def found(search: Node, item: Item) -> bool:
    """Whether a search finds an item. Fields of a record are compared as in the search itself."""
    if item.record is not None and not _looks_at(search, item.values):
        return matches(search, item.record)
    return _mixed(search, item)


READER: Final[Reader[Item]] = Reader(lambda item, name: item.value(name), found, lambda item: item.place)


def passed(items: Sequence[Item], stages: Sequence[Stage], width: Width) -> list[Item]:
    """What comes out of some stages."""
    some = list(items)
    for stage in stages:
        some = _one(some, stage, width)
    return some


def _one(items: list[Item], stage: Stage, width: Width) -> list[Item]:
    if isinstance(stage, Stats | Timechart | Top):
        return rows_of(stage, aggregate_rows(items, aggregate_of(stage, width), READER))
    return _selected(items, stage)


def _selected(items: list[Item], stage: Selecting) -> list[Item]:
    match stage:
        case Where():
            return [item for item in items if found(stage.search, item)]
        case Extract():
            return [_with(item, extracted(stage, value_text(item.value(stage.source)))) for item in items]
        case Eval():
            return [_with(item, {stage.name: evaluated(stage.expression, item)}) for item in items]
        case Rename():
            return [_with(item, {new: item.value(old) for old, new in stage.names}) for item in items]
        case Fields():
            return items
        case Sort():
            for name, descending in reversed(stage.keys):
                items = sorted(items, key=lambda item: value_order(item.value(name), descending=descending))
            return items
        case Head():
            return items[: stage.count]
        case Dedup():
            seen: dict[tuple[str | None, ...], Item] = {}
            for item in items:
                seen.setdefault(tuple(value_text(item.value(name)) for name in stage.names), item)
            return list(seen.values())


def rows_of(stage: Counting, answer: AggregateRows) -> list[Item]:
    """The rows of a stage that counts."""
    found: list[Item] = []
    for number, row in enumerate(answer.rows):
        values: dict[str, Any] = {}
        keys = list(row.keys)
        if isinstance(stage, Timechart):
            start = keys.pop(0)
            values[TIME_COLUMN] = int(start) // 1_000_000 if isinstance(start, int | float) else None
        names = stage.names if isinstance(stage, Top) else stage.by
        values |= {name.name: key for name, key in zip(names, keys, strict=True)}
        if isinstance(stage, Top):
            values[COUNT_COLUMN] = float(row.count)
            values[PERCENT_COLUMN] = 100 * row.count / answer.total
        else:
            values |= {name: value for (name, _), value in zip(stage.metrics, row.values, strict=True)}
        found.append(Item(values, None, (0, number)))
    return found


def extracted(stage: Extract, text: str | None) -> dict[str, str | None]:
    """The parts that a template or pattern takes out of a text."""
    match = None if text is None else stage.compiled.search(text)
    return {name: (match.group(group) or None) if match else None for name, group in stage.holes}


def evaluated(expression: Expression, item: Item) -> float | None:
    """The result of arithmetic; None when a number is missing, or the result is none."""
    match expression:
        case Number():
            return expression.value
        case FieldName():
            return value_number(item.value(expression))
        case Operation():
            numbers = [evaluated(one, item) for one in expression.operands]
            known = [number for number in numbers if number is not None]
            if len(known) < len(numbers):
                return None
            try:
                result = _calculated(expression.name, known)
            except (ZeroDivisionError, OverflowError, ValueError):
                return None
            return result if math.isfinite(result) else None


def _calculated(name: str, numbers: list[float]) -> float:
    if len(numbers) == 1:
        return float(_FUNCTIONS[name](numbers[0]))
    left, right = numbers
    match name:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case _:
            return left / right


def _with(item: Item, values: Mapping[str, Any]) -> Item:
    return Item({**item.values, **values}, item.record, item.place)


def _looks_at(search: Node, made: Mapping[str, Any]) -> bool:
    return any(
        (name := getattr(leaf, "name", None) or getattr(getattr(leaf, "condition", None), "name", None)) is not None
        and name.name in made
        for leaf, _ in leaves(search)
    )


def _mixed(search: Node, item: Item) -> bool:
    """A search of which some leaves look at what stages made."""
    match search:
        case And():
            return all(_mixed(part, item) for part in search.parts)
        case Or():
            return any(_mixed(part, item) for part in search.parts)
        case Not():
            return not _mixed(search.part, item)
        case _ if item.record is not None and not _looks_at(search, item.values):
            return matches(search, item.record)
        case _:
            return holds(search, item.value)
