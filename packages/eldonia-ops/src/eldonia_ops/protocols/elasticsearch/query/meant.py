"""The records that an expression of names means: those of indices, and of aliases with a filter only some of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.fields import NOTHING, of_indices
from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.search.tree import Node, conjunction, disjunction

Group = tuple[tuple[str, ...], tuple[Any, ...]]
"""Names of indices, and queries of which one has to find a record; no query: all records are meant."""


@dataclass(frozen=True, slots=True)
class Meant:
    """Groups of indices, None for all records. ``others`` is the index of records that came by other ways."""

    groups: tuple[Group, ...] | None
    others: str = "logs"

    @property
    def names(self) -> tuple[str, ...]:
        """All indices; none when all records are meant."""
        return tuple(name for names, _ in self.groups or () for name in names)

    def node(self, now_ns: int) -> Node | None:
        """The records, None for all.

        Raises:
            DslError: a filter cannot be read.
        """
        if self.groups is None:
            return None
        parts: list[Node] = []
        for names, filters in self.groups:
            indices = of_indices(names, self.others)
            some = [read_query(one, now_ns).node for one in filters]
            parts.append(conjunction([indices, disjunction(some)]) if some else indices)
        return disjunction(parts) if parts else NOTHING

    def packed(self) -> list[Any]:
        """The same as JSON."""
        return [self.groups, self.others]


EVERYTHING: Final = Meant(None)


def unpacked(value: Any) -> Meant | None:
    """What :meth:`Meant.packed` made; None for anything else."""
    match value:
        case [None, str(others)]:
            return Meant(None, others)
        case [list(groups), str(others)]:
            found = [_group(one) for one in groups]
            return None if None in found else Meant(tuple(one for one in found if one is not None), others)
        case _:
            return None


def _group(value: Any) -> Group | None:
    match value:
        case [list(names), list(filters)] if all(isinstance(name, str) for name in names):
            return tuple(names), tuple(filters)
        case _:
            return None


def grouped(reached: Sequence[tuple[str, Any]], others: str) -> Meant:
    """Indices, each with the filter of the alias that it was reached by, None when it was reached without one.

    An index that is reached several ways has the records of all of them, as in Elasticsearch.
    """
    whole = {index for index, filter in reached if filter is None}
    filters: dict[str, list[Any]] = {}
    for index, filter in reached:
        if index not in whole and filter not in filters.setdefault(index, []):
            filters[index].append(filter)
    groups: list[Group] = [(tuple(dict.fromkeys(index for index, _ in reached if index in whole)), ())] if whole else []
    same: list[tuple[list[str], list[Any]]] = []
    for index, some in filters.items():
        there = next((names for names, own in same if own == some), None)
        if there is None:
            same.append(([index], some))
        else:
            there.append(index)
    return Meant((*groups, *((tuple(names), tuple(some)) for names, some in same)), others)
