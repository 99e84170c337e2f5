"""What a search means, as a tree.

A tree is made by :func:`conjunction`, :func:`disjunction` and the leaves: a conjunction is never a part of a
conjunction, nor a disjunction of one, and each has at least two parts. ``span`` is where a node was written, as two
offsets in characters, the second exclusive; it does not count when nodes are compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from eldonia_ops.model.conditions import Condition, ConditionOp, FieldName
from eldonia_ops.model.logs import LogLevel

Span: TypeAlias = tuple[int, int]
NOWHERE: Final[Span] = (0, 0)

SEVERITY: Final = (LogLevel.DEBUG, LogLevel.INFO, LogLevel.WARN, LogLevel.ERROR)
"""The levels from the least severe to the most severe."""


@dataclass(frozen=True, slots=True)
class All:
    """Every record."""

    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """Records for which all parts hold."""

    parts: tuple["Node", ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Or:
    """Records for which at least one part holds."""

    parts: tuple["Node", ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """Records for which the part does not hold."""

    part: "Node"
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A word or phrase in the message. Between two ``pieces`` is any number of characters that are no space."""

    pieces: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition on one field."""

    condition: Condition
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A field whose text consists of ``pieces`` (two or more) with anything between them."""

    name: FieldName
    pieces: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class LevelTest:
    """A level compared by severity; ``op`` is ``=`` or one that orders."""

    op: ConditionOp
    level: LogLevel
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def levels(self) -> tuple[LogLevel, ...]:
        """The levels for which it holds."""
        place = SEVERITY.index(self.level)
        match self.op:
            case ConditionOp.GREATER_OR_EQUAL:
                return SEVERITY[place:]
            case ConditionOp.GREATER:
                return SEVERITY[place + 1 :]
            case ConditionOp.LESS_OR_EQUAL:
                return SEVERITY[: place + 1]
            case ConditionOp.LESS:
                return SEVERITY[:place]
            case _:
                return (self.level,)


@dataclass(frozen=True, slots=True)
class OneOf:
    """A field that holds one of ``values``, compared as ``=`` compares; of a list one element is enough."""

    name: FieldName
    values: tuple[str, ...]
    span: Span = field(default=NOWHERE, compare=False)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The comparison with each value."""
        return tuple(Condition(self.name, ConditionOp.EQUAL, value) for value in self.values)


@dataclass(frozen=True, slots=True)
class TextRange:
    """A field whose text lies between two texts by the order of their characters; None leaves an end open."""

    name: FieldName
    low: str | None = None
    high: str | None = None
    low_included: bool = True
    high_included: bool = True
    span: Span = field(default=NOWHERE, compare=False)

    def holds(self, text: str) -> bool:
        """Whether a text lies between the ends. UTF-8 and characters have the same order."""
        if self.low is not None and not (text >= self.low if self.low_included else text > self.low):
            return False
        return self.high is None or (text <= self.high if self.high_included else text < self.high)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Records between two times in Unix nanoseconds, the second exclusive; None leaves an end open."""

    since_ns: int | None = None
    until_ns: int | None = None
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class StoredUntil:
    """Records whose id is at most ``last_id``: those that were stored when the largest id was that."""

    last_id: int
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AtPlaces:
    """Records by their places: those of ``source`` with one of ``offsets``, and those of which ``records`` has the
    time in Unix nanoseconds and the id."""

    source: str = ""
    offsets: tuple[int, ...] = ()
    records: tuple[tuple[int, int], ...] = ()
    span: Span = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class AtLeast:
    """Records for which at least ``count`` of the parts hold."""

    count: int
    parts: tuple["Node", ...]
    span: Span = field(default=NOWHERE, compare=False)


Leaf: TypeAlias = (
    All | Text | Comparison | Wildcard | LevelTest | OneOf | TextRange | TimeRange | StoredUntil | AtPlaces
)
Node: TypeAlias = Leaf | And | Or | Not | AtLeast

EVERYTHING: Final[Node] = All()
NOTHING: Final[Node] = Not(All())


def conjunction(parts: Iterable[Node]) -> Node:
    """All parts together; :data:`EVERYTHING` of none."""
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, And) else (part,)
    if len(flat) < 2:
        return flat[0] if flat else EVERYTHING
    return And(tuple(flat), _around(flat))


def disjunction(parts: Iterable[Node]) -> Node:
    """One part or another.

    Raises:
        ValueError: there is no part.
    """
    flat: list[Node] = []
    for part in parts:
        flat += part.parts if isinstance(part, Or) else (part,)
    if not flat:
        raise ValueError("a disjunction of nothing")
    return flat[0] if len(flat) == 1 else Or(tuple(flat), _around(flat))


def leaves(node: Node) -> Iterable[tuple[Leaf, bool]]:
    """The leaves of a tree from left to right, each with whether it is wanted and not excluded."""
    waiting: list[tuple[Node, bool]] = [(node, True)]
    while waiting:
        one, wanted = waiting.pop()
        match one:
            case And() | Or() | AtLeast():
                waiting += [(part, wanted) for part in reversed(one.parts)]
            case Not():
                waiting.append((one.part, not wanted))
            case _:
                yield one, wanted


def _around(parts: list[Node]) -> Span:
    return parts[0].span[0], parts[-1].span[1]
