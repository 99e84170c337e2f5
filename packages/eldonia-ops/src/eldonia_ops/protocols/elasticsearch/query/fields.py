"""What the names of a search mean: one field, several with boosts, and the indices of a path."""

from fnmatch import fnmatchcase
from typing import Final

from eldonia_ops.model.condition_fields import LOG_TEXTS
from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.protocols.elasticsearch.fields import (
    ID_FIELD,
    INDEX_FIELD,
    TAG,
    FieldKind,
    of_ids,
    of_indices,
    resolved,
)
from eldonia_ops.protocols.elasticsearch.query.patterns import wildcard_pattern
from eldonia_ops.search.tree import Comparison, Node, Not, disjunction

TIME: Final = "@timestamp"
INDEX: Final = INDEX_FIELD
ID: Final = ID_FIELD
OTHER_INDEX: Final = "logs"
"""The index of records that came without one."""

EVERY_FIELD: Final = ("*", "_all", "*.*")


def is_time(name: str) -> bool:
    """Whether a field is the time of a record."""
    return resolved(name).kind is FieldKind.TIME


def field_name(name: str) -> FieldName:
    """The field of a record.

    A key that became a field of the record is looked for among the attributes first: there it is when the record could
    not hold it as it was (``level: CRITICAL``).
    """
    found = resolved(name)
    if found.attribute is None:
        return found.column or FieldName((found.name,))
    if found.column is None:
        return found.attribute
    own = found.column.name
    if LOG_TEXTS.get(found.name) == own and own not in ("level", TAG):
        return found.column  # the same name: the column has an index, and the attribute is hardly ever there
    return FieldName(found.attribute.segments, column=own)


def text_fields(patterns: list[str]) -> list[tuple[str, float]]:
    """Names with their boosts out of ``message^2``, ``*``; all fields are the message."""
    found: dict[str, float] = {}
    for pattern in patterns:
        name, _, boost = pattern.partition("^")
        if name in EVERY_FIELD or ("*" in name and fnmatchcase("message", name)):
            name = "message"
        if "*" not in name:
            try:
                found[name] = float(boost or 1.0)
            except ValueError:
                found[name] = 1.0
    return list(found.items())


def index_node(names: tuple[str, ...]) -> Node:
    """Records of indices by their exact names."""
    return of_indices(names, OTHER_INDEX)


def pattern_node(name: str) -> Node:
    """Records of the indices that a name with ``*`` means."""
    if "*" not in name:
        return index_node((name,))
    found: list[Node] = [Comparison(Condition(INDEX, ConditionOp.MATCHES, wildcard_pattern(name)))]
    if fnmatchcase(OTHER_INDEX, name):
        found.append(Not(Comparison(Condition(INDEX, ConditionOp.EXISTS))))
    return disjunction(found)


def ids_node(values: tuple[str, ...]) -> Node:
    """Documents by their ids."""
    return of_ids(values)
