"""Which queries a rule's template asks, as far as its text says so."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from eldonia_ops.template.literals import place
from eldonia_ops.template.nodes import (
    Action,
    Chain,
    Command,
    Definition,
    Identifier,
    If,
    Invoke,
    Literal,
    Node,
    Pipeline,
    Range,
    With,
)

QUERY: Final = "query"


@dataclass(frozen=True, slots=True)
class QueryCall:
    """One call of ``query`` at an ``offset`` of the template's text. ``literal`` is its expression where that is
    written out, None where it is computed."""

    offset: int
    literal: Literal | None = None

    @property
    def expression(self) -> str | None:
        """The expression, where it is written out."""
        return self.literal.value if self.literal is not None and isinstance(self.literal.value, str) else None

    def offset_of(self, position: int) -> int:
        """The offset in the template's text of a character of the expression that is written out."""
        return self.literal.offset + place(self.literal.source, position) if self.literal else self.offset


def query_calls(definitions: Iterable[Definition]) -> tuple[QueryCall, ...]:
    """The calls of ``query`` in some definitions, in the order written."""
    found = [call for definition in definitions for node in definition.body for call in _calls(node)]
    return tuple(sorted(found, key=lambda call: call.offset))


def _calls(node: Node) -> Iterator[QueryCall]:
    match node:
        case Identifier(offset=offset, name=name) if name == QUERY:
            yield QueryCall(offset)
        case Action(pipeline=pipeline):
            yield from _calls(pipeline)
        case Invoke(pipeline=pipeline) if pipeline is not None:
            yield from _calls(pipeline)
        case If() | With() | Range():
            yield from _calls(node.pipeline)
            for inner in (*node.body, *node.otherwise):
                yield from _calls(inner)
        case Chain(base=base):
            yield from _calls(base)
        case Pipeline(commands=commands):
            before: Command | None = None
            for command in commands:
                yield from _calls_of_command(command, before)
                before = command
        case _:
            return


def _calls_of_command(command: Command, before: Command | None) -> Iterator[QueryCall]:
    """``before`` is what the pipeline hands to the command: ``"up" | query`` is ``query "up"``."""
    first, *rest = command.arguments
    if isinstance(first, Identifier) and first.name == QUERY:
        given = rest or (before.arguments if before is not None else ())
        literal = given[0] if len(given) == 1 else None
        yield QueryCall(first.offset, literal if isinstance(literal, Literal) else None)
    else:
        yield from _calls(first)
    for argument in rest:
        yield from _calls(argument)
