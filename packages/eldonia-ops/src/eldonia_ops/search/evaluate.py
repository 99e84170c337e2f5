"""Whether a record is found: the meaning of a tree, to which every store's answer is compared."""

from collections.abc import Callable
from typing import Any

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import NEGATIONS, ORDERINGS, Condition, ConditionOp, FieldName, text_of
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.search.message_text import quoted_pattern, text_test
from eldonia_ops.search.tree import (
    All,
    And,
    AtLeast,
    AtPlaces,
    Comparison,
    LevelTest,
    Node,
    Not,
    OneOf,
    Or,
    StoredUntil,
    Text,
    TextRange,
    TimeRange,
    Wildcard,
)
from eldonia_ops.search.values import value_number, value_text

_MESSAGE = FieldName(("message",))
_LEVEL = FieldName(("level",))


def matches(node: Node, record: LogRecord) -> bool:
    """Whether a record is among those that a search wants."""
    match node:
        case All():
            return True
        case And():
            return all(matches(part, record) for part in node.parts)
        case Or():
            return any(matches(part, record) for part in node.parts)
        case Not():
            return not matches(node.part, record)
        case Text():
            return text_test(node.pieces).holds(record.message)
        case Comparison():
            return node.condition.holds(log_value(record, node.condition.name))
        case Wildcard():
            return wildcard_condition(node).holds(log_value(record, node.name))
        case LevelTest():
            return record.level in node.levels
        case OneOf():
            found = log_value(record, node.name)
            values = found if isinstance(found, list | tuple) else (found,)
            return any(one.holds_for_any(values) for one in node.conditions)
        case TextRange():
            value = log_value(record, node.name)
            return value is not None and not isinstance(value, list | tuple | dict) and node.holds(text_of(value))
        case TimeRange():
            if node.since_ns is not None and record.timestamp_ns < node.since_ns:
                return False
            return node.until_ns is None or record.timestamp_ns < node.until_ns
        case StoredUntil():
            return record.id <= node.last_id
        case AtPlaces():
            if (record.timestamp_ns, record.id) in node.records:
                return True
            return record.source == node.source and record.offset in node.offsets
        case AtLeast():
            return sum(matches(part, record) for part in node.parts) >= node.count


def holds(node: Node, value: Callable[[FieldName], Any]) -> bool:
    """Whether a search finds what has these values, as :func:`column_holds` compares them."""
    match node:
        case All():
            return True
        case And():
            return all(holds(part, value) for part in node.parts)
        case Or():
            return any(holds(part, value) for part in node.parts)
        case Not():
            return not holds(node.part, value)
        case Text():
            return text_test(node.pieces).holds(value_text(value(_MESSAGE)) or "")
        case Comparison():
            return column_holds(node.condition, value(node.condition.name))
        case Wildcard():
            return column_holds(wildcard_condition(node), value(node.name))
        case LevelTest():
            return value_text(value(_LEVEL)) in node.levels
        case OneOf():
            return any(column_holds(one, value(node.name)) for one in node.conditions)
        case AtLeast():
            return sum(holds(part, value) for part in node.parts) >= node.count
        case _:
            raise TypeError(f"{type(node).__name__} is of a record, and not of what a pipe made")


def column_holds(condition: Condition, value: Any) -> bool:
    """Whether a value that a pipe made satisfies a condition.

    Other than in a record, a text that is written as a number is compared as one: what a template takes is a text.
    """
    positive = NEGATIONS.get(condition.op)
    if positive is not None:
        return not _column_holds(condition, positive, value)
    return _column_holds(condition, condition.op, value)


def _column_holds(condition: Condition, op: ConditionOp, value: Any) -> bool:
    text, number = value_text(value), value_number(value)
    if text is None:
        return False
    if op in ORDERINGS:
        return number is not None and condition.holds(number)
    if op is ConditionOp.EQUAL:
        return text == condition.value or (number is not None and number == condition.number)
    return condition.holds(text) is (op is condition.op)


def wildcard_condition(node: Wildcard) -> Condition:
    """A wildcard as the regular expression that it abbreviates."""
    return Condition(node.name, ConditionOp.MATCHES, f"^{'.*'.join(map(quoted_pattern, node.pieces))}$")
