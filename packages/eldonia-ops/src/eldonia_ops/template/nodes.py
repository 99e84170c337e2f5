"""The tree of a parsed template. Every node knows its 0-based ``offset`` in the text."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Node:
    """Anything in the tree."""

    offset: int


@dataclass(frozen=True, slots=True)
class Text(Node):
    """Copied to the output unchanged."""

    text: str


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A string, number or boolean; ``source`` is how it was written."""

    value: str | int | float | bool
    source: str


@dataclass(frozen=True, slots=True)
class Nil(Node):
    """``nil``."""


@dataclass(frozen=True, slots=True)
class Dot(Node):
    """``.``."""


@dataclass(frozen=True, slots=True)
class Field(Node):
    """``.A.B``: fields, keys or methods of the current dot, one after the other."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """``$x.A.B``; ``name`` includes the dollar sign."""

    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """``(pipeline).A.B``."""

    base: Node
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Identifier(Node):
    """The name of a function."""

    name: str


@dataclass(frozen=True, slots=True)
class Command(Node):
    """A function or method with its arguments, or a single value."""

    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pipeline(Node):
    """Commands chained by ``|``; the last value goes to the variables named, if any."""

    commands: tuple[Command, ...]
    variables: tuple[str, ...] = ()
    assigns: bool = False


@dataclass(frozen=True, slots=True)
class Action(Node):
    """``{{ pipeline }}``."""

    pipeline: Pipeline


@dataclass(frozen=True, slots=True)
class If(Node):
    """``{{ if }}``; an ``else if`` is an If within ``otherwise``."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class With(Node):
    """``{{ with }}``."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Range(Node):
    """``{{ range }}``."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Break(Node):
    """``{{ break }}``."""


@dataclass(frozen=True, slots=True)
class Continue(Node):
    """``{{ continue }}``."""


@dataclass(frozen=True, slots=True)
class Invoke(Node):
    """``{{ template "name" pipeline }}``, and the use that a ``block`` makes of its own definition."""

    name: str
    pipeline: Pipeline | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A named body: a whole text, a ``define`` or a ``block``. ``text`` is what offsets refer to."""

    name: str
    body: tuple[Node, ...]
    text: str
    origin: str
    offset: int = 0
    invokes: tuple[Invoke, ...] = field(default=(), compare=False)

    @property
    def blank(self) -> bool:
        """Whether it holds nothing but white space; such a definition never replaces another (as in Go)."""
        return all(isinstance(node, Text) and not node.text.strip() for node in self.body)


Value = Any
"""What a template computes with: str, int, float, bool, None, mappings, lists, structs."""
