"""A part of a query: the tree of the records that it finds, and how much it says about how well they fit."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.query.errors import DslError, illegal
from eldonia_ops.search.score import Fixed, Score, times, total, when
from eldonia_ops.search.selection import ONE
from eldonia_ops.search.tree import EVERYTHING, NOTHING, AtLeast, Node, Not, conjunction, disjunction

MAX_CLAUSES: Final = 1_024
"""Parts that a query may have, as Elasticsearch's ``indices.query.bool.max_clause_count``."""

MAX_DEPTH: Final = 30
"""How deep queries may be nested, as Elasticsearch's ``indices.query.bool.max_nested_depth``."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Records that a query finds, and the score of one that it finds."""

    node: Node
    score: Score = ONE


ALL: Final = Clause(EVERYTHING)
NONE: Final = Clause(NOTHING, Fixed(0.0))


class Reading:
    """What the readers of one query share: the present, the zone of times without one, and how much was read."""

    def __init__(self, now_ns: int, read: Callable[[Any, "Reading"], Clause], zone: tzinfo = UTC) -> None:
        self.now_ns = now_ns
        self.zone = zone
        self._read = read
        self._depth = 0
        self._clauses = 0

    def clause(self, query: Any) -> Clause:
        """A query inside of another.

        Raises:
            DslError: it cannot be read, or there are too many or too deep ones.
        """
        self.count(1)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise DslError(
                "x_content_parse_exception",
                f"The nested depth of the query exceeds the maximum nested depth for queries set in [{MAX_DEPTH}]",
            )
        try:
            return self._read(query, self)
        finally:
            self._depth -= 1

    def count(self, parts: int) -> None:
        """Note parts of the query.

        Raises:
            DslError: there are too many.
        """
        self._clauses += parts
        if self._clauses > MAX_CLAUSES:
            raise DslError("too_many_clauses", f"maxClauseCount is set to {MAX_CLAUSES}", of_phase=True)


def boosted(clause: Clause, boost: float) -> Clause:
    """A clause whose score is multiplied."""
    return clause if boost == 1.0 else Clause(clause.node, times(clause.score, boost))


def fixed(node: Node, boost: float = 1.0) -> Clause:
    """A clause with one score for all records."""
    return Clause(node, Fixed(boost))


def combined(
    must: Sequence[Clause] = (),
    filters: Sequence[Clause] = (),
    should: Sequence[Clause] = (),
    must_not: Sequence[Clause] = (),
    minimum: int = 0,
) -> Clause:
    """What a ``bool`` query finds: all of ``must`` and ``filters``, none of ``must_not``, ``minimum`` of ``should``."""
    nodes = [one.node for one in (*must, *filters)]
    if should and minimum > 0:
        nodes.append(at_least(minimum, [one.node for one in should]))
    elif minimum > len(should):
        nodes.append(NOTHING)
    nodes += [Not(one.node) for one in must_not]
    scores = [one.score for one in must]
    certain = minimum >= len(should)
    scores += [one.score if certain else when(one.node, one.score) for one in should]
    return Clause(conjunction(nodes), total(scores))


def at_least(count: int, nodes: Sequence[Node]) -> Node:
    """At least so many of several."""
    if count <= 0:
        return EVERYTHING
    if count > len(nodes):
        return NOTHING
    if count == 1:
        return disjunction(nodes)
    return conjunction(nodes) if count == len(nodes) else AtLeast(count, tuple(nodes))


def minimum_of(value: Any, optional: int) -> int:
    """How many of ``optional`` clauses must hold: ``2``, ``-1``, ``75%``, ``-25%``, ``2<75% 5<3``.

    Raises:
        DslError: it is none of these.
    """
    text = str(value).strip()
    if "<" in text:
        found = optional
        for part in text.split():
            limit, _, rule = part.partition("<")
            if not limit.isdigit():
                raise illegal(f'For input string: "{value}"')
            if optional <= int(limit):
                return found
            found = minimum_of(rule, optional)
        return found
    match = re.fullmatch(r"(-?[0-9]{1,9})(%?)", text)
    if not match:
        raise illegal(f'For input string: "{value}"')
    number = int(match[1])
    if match[2]:
        number = int(optional * number / 100)
    # More than there are is not less: then nothing is found.
    return max(0, optional + number if number < 0 or text.startswith("-") else number)
