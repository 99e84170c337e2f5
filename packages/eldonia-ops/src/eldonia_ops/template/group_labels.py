"""Which labels of the group a template reads by name."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from eldonia_ops.template.nodes import (
    Chain,
    Command,
    Definition,
    Field,
    Identifier,
    If,
    Invoke,
    Literal,
    Node,
    Pipeline,
    Variable,
    With,
)

_GROUP_LABELS: Final = "GroupLabels"


@dataclass(frozen=True, slots=True)
class GroupLabel:
    """``.GroupLabels.name`` at a 0-based offset in the text of a definition."""

    name: str
    definition: Definition
    offset: int


def group_labels(main: Definition, definitions: Mapping[str, Definition], methods: Collection[str]) -> list[GroupLabel]:
    """The labels that a text and the templates that it names read of the group, each once for a definition.

    Left out are those that a definition only looks at for being there (``if``, ``with``, ``or``): their lack is
    provided for. ``methods`` are the names that are no labels.
    """
    found: dict[tuple[str, str], GroupLabel] = {}
    seen: set[str] = set()
    waiting = [main]
    while waiting:
        definition = waiting.pop()
        nodes = list(_nodes(definition.body))
        asked = {name for node in nodes for part in _asked(node) for name, _ in _read(part, methods)}
        for node in nodes:
            if isinstance(node, Invoke) and node.name not in seen and node.name in definitions:
                seen.add(node.name)
                waiting.append(definitions[node.name])
            for name, offset in _read(node, methods):
                if name not in asked:
                    found.setdefault((definition.name, name), GroupLabel(name, definition, offset))
    return list(found.values())


def _nodes(body: tuple[Node, ...]) -> Iterator[Node]:
    """All nodes of a body, without recursion: templates may nest deeply."""
    waiting: list[object] = [*body]
    while waiting:
        item = waiting.pop()
        if isinstance(item, tuple):
            waiting.extend(item)
        elif isinstance(item, Node):
            yield item
            waiting.extend(getattr(item, one.name) for one in fields(item))


def _asked(node: Node) -> Iterator[Node]:
    """What a node only looks at for being there: all of a condition, and what ``or``, ``and`` and ``not`` take."""
    if isinstance(node, If | With):
        yield _single(node.pipeline)
    elif isinstance(node, Command):
        function = node.arguments[0]
        if isinstance(function, Identifier) and function.name in ("or", "and", "not"):
            yield from (_single(item) for item in node.arguments[1:])


def _read(node: Node, methods: Collection[str]) -> Iterator[tuple[str, int]]:
    """The labels that a node itself reads."""
    names: tuple[str, ...] = ()
    if isinstance(node, Field) or (isinstance(node, Variable) and node.name == "$"):
        names = node.names
    elif isinstance(node, Chain) and _is_group_labels(node.base):
        names = (_GROUP_LABELS, *node.names)
    elif isinstance(node, Command) and len(node.arguments) > 2:
        function, what, by = node.arguments[:3]
        is_index = isinstance(function, Identifier) and function.name == "index" and _is_group_labels(what)
        if is_index and isinstance(by, Literal) and isinstance(by.value, str):
            names = (_GROUP_LABELS, by.value)
    if len(names) > 1 and names[0] == _GROUP_LABELS and names[1] not in methods:
        yield names[1], node.offset


def _single(node: Node) -> Node:
    """What a pipeline of one value is, in whatever parentheses; the node itself if it does more."""
    while isinstance(node, Pipeline | Command):
        parts: tuple[Node, ...] = node.commands if isinstance(node, Pipeline) else node.arguments
        if len(parts) != 1:
            break
        node = parts[0]
    return node


def _is_group_labels(node: Node) -> bool:
    root = _single(node)
    return (isinstance(root, Field) or (isinstance(root, Variable) and root.name == "$")) and root.names == (
        _GROUP_LABELS,
    )
