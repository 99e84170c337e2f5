"""Whether a record is found: the meaning of a tree, to which every store's answer is compared."""

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import Condition, ConditionOp, text_of
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


def wildcard_condition(node: Wildcard) -> Condition:
    """A wildcard as the regular expression that it abbreviates."""
    return Condition(node.name, ConditionOp.MATCHES, f"^{'.*'.join(map(quoted_pattern, node.pieces))}$")
