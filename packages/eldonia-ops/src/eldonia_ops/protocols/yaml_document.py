"""YAML files that people write, read so that every complaint can name its line and column.

A :class:`MappingReader` takes typed values out of one mapping and, after :meth:`~MappingReader.done`,
reports the keys that were not read, with the nearest valid name. All faults are collected in a
:class:`Problems`, so one run shows everything that is wrong.
"""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from eldonia_ops.model.concealed import Concealed
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level, nearest
from eldonia_ops.protocols.secret_keys import is_key_name
from eldonia_ops.protocols.yaml_nodes import (
    FALSE,
    MAX_BYTES,
    TRUE,
    YamlNode,
    belongs_to,
    compose,
    empty_mapping,
    mapping_of,
    sequence_of,
    text_of,
)

T = TypeVar("T")


class Place(NamedTuple):
    """A line and a column, from 1; 0 for unknown."""

    line: int
    column: int


class Problems:
    """Faults found so far in one file, and in what was joined into it; ``concealed`` is what no message may show in the
    end."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self.concealed = Concealed()

    def add(self, node: "YamlNode | Place | None", message: str, hint: str = "", level: Level = Level.ERROR) -> None:
        """Note a fault at a node or place (or at the file as a whole)."""
        line, column = (node.line, node.column) if node is not None else (0, 0)
        file = node.file if isinstance(node, YamlNode) and node.file else self.file
        self.diagnostics.append(Diagnostic(message, file, line, column, hint, level))

    @property
    def errors(self) -> list[Diagnostic]:
        """The faults that make the file unusable."""
        return [item for item in self.diagnostics if item.level is Level.ERROR]

    def raise_if_any(self) -> None:
        """Raise :class:`ConfigError` with every diagnostic if one of them is an error."""
        if self.errors:
            raise ConfigError(self.cleaned())

    def cleaned(self) -> list[Diagnostic]:
        """All of them by their places, without anything that is concealed."""
        places = sorted(self.diagnostics, key=lambda item: (item.file != self.file, item.file, item.line, item.column))
        return self.concealed.cleaned(places)


def load(text: str, file: str, problems: Problems | None = None) -> YamlNode | None:
    """Parse the first YAML document of a text; None when it is empty. Warnings go to ``problems``.

    Raises:
        ConfigError: the text is not YAML, or beyond a bound of :func:`~eldonia_ops.protocols.yaml_nodes.compose`.
    """
    node, warnings = compose(text, file)
    if problems is not None:
        problems.diagnostics += warnings
    return node


class MappingReader:
    """Typed access to the keys of one mapping.

    Every getter returns its default when the key is missing or wrong, and notes what was wrong, so
    reading goes on and all faults are found in one pass.
    """

    def __init__(self, node: YamlNode, problems: Problems, what: str) -> None:
        self.node = node
        self.problems = problems
        self.what = what
        self._values: dict[str, tuple[YamlNode, YamlNode]] = {}
        self._asked: set[str] = set()
        if not node.is_mapping:
            if not node.is_null:
                problems.add(node, f"{what} must be a mapping, not {node.describe()}")
            return
        for key, value in node.items():
            if not key.is_scalar:
                problems.add(key, f"a key of {what} must be a text, not {key.describe()}")
            elif key.text in self._values:
                problems.add(key, f"{shown_key(key)} occurs twice in {what}")
            self._values[key.text] = (key, value)

    def get(self, key: str, *, required: bool = False) -> YamlNode | None:
        """The raw node of a key, or None when missing or null."""
        self._asked.add(key)
        pair = self._values.get(key)
        if pair is None or pair[1].is_null:
            if required:
                self.problems.add(self.node, f"{self.what} needs {key}")
            return None
        return pair[1]

    def has(self, key: str) -> bool:
        """Whether the key is present (null counts as present)."""
        return key in self._values

    def was_asked(self, key: str) -> bool:
        """Whether a value of the key has been asked for."""
        return key in self._asked

    def _convert(self, key: str, default: T, required: bool, kind: str, convert: Callable[[YamlNode], T]) -> T:
        node = self.get(key, required=required)
        if node is None:
            return default
        if not node.is_scalar:
            self.problems.add(node, f"{key} must be {kind}, not {node.describe()}")
            return default
        try:
            return convert(node)
        except ValueError as error:
            detail = str(error)
            hint = detail if " " in detail and not node.is_expanded else ""
            self.problems.add(node, f"{key} must be {kind}, not {node.describe()}", hint)
            return default

    def string(self, key: str, default: str = "", *, required: bool = False) -> str:
        """A text; numbers and booleans are taken as written."""
        return self._convert(key, default, required, "a text", lambda node: self._without_nul(node, key))

    def choice(self, key: str, choices: Sequence[str], default: str, *, required: bool = False) -> str:
        """One of the given words."""
        node = self.get(key, required=required)
        if node is None:
            return default
        if node.text in choices:
            return node.text
        hint = nearest(node.text, choices) or f"one of {', '.join(choices)}"
        self.problems.add(node, f"{key} cannot be {node.describe()}", hint)
        return default

    def integer(self, key: str, default: int = 0, *, required: bool = False, minimum: int | None = None) -> int:
        """A whole number."""

        def convert(node: YamlNode) -> int:
            value = int(node.text.replace("_", ""), 0)
            if abs(value) > _LARGEST:
                raise ValueError("too large")
            if minimum is not None and value < minimum:
                raise ValueError(f"at least {minimum}")
            return value

        return self._convert(key, default, required, "a whole number", convert)

    def number(self, key: str, default: float = 0.0, *, required: bool = False) -> float:
        """A finite number."""

        def convert(node: YamlNode) -> float:
            value = float(node.text)
            if not math.isfinite(value):
                raise ValueError("finite")
            return value

        return self._convert(key, default, required, "a number", convert)

    def boolean(self, key: str, default: bool = False, *, required: bool = False) -> bool:
        """true or false (also yes/no, on/off, as YAML 1.1 has them)."""

        def convert(node: YamlNode) -> bool:
            word = node.text.lower()
            if word not in TRUE | FALSE:
                raise ValueError(word)
            return word in TRUE

        return self._convert(key, default, required, "true or false", convert)

    def duration(self, key: str, default: int = 0, *, required: bool = False) -> int:
        """A Prometheus duration such as ``5m``, as milliseconds."""
        return self._convert(key, default, required, "a duration", lambda node: parse_duration(node.text))

    def text_list(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """A list of texts and nothing else: ``a, b`` without brackets would be one strange name."""
        node = self.get(key)
        if node is not None and node.is_scalar:
            self.problems.add(node, f"{key} must be a list, not {node.describe()}", "write it in brackets: [a, b]")
            return tuple(default)
        return self.strings(key, default)

    def strings(self, key: str, default: Sequence[str] = (), *, required: bool = False) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        node = self.get(key, required=required)
        if node is None:
            return tuple(default)
        if node.is_scalar:
            return (self._without_nul(node, key),)
        found: list[str] = []
        for element in node.elements():
            if element.is_scalar and not element.is_null:
                found.append(self._without_nul(element, key))
            else:
                self.problems.add(element, f"{key} must hold texts, not {element.describe()}")
        if not node.is_sequence:
            self.problems.add(node, f"{key} must be a list, not {node.describe()}")
        return tuple(found)

    def string_map(self, key: str, *, required: bool = False) -> dict[str, str]:
        """A mapping from text to text."""
        node = self.get(key, required=required)
        if node is None:
            return {}
        if not node.is_mapping:
            self.problems.add(node, f"{key} must be a mapping, not {node.describe()}")
            return {}
        found: dict[str, str] = {}
        for name, value in node.items():
            if not name.is_scalar:
                self.problems.add(name, f"a key of {key} must be a text, not {name.describe()}")
            elif name.text in found:
                self.problems.add(name, f"{shown_key(name)} occurs twice in {key}")
            elif value.is_scalar:
                found[name.text] = self._without_nul(value, f"{key}.{shown_key(name)}")
            else:
                self.problems.add(value, f"{key}.{shown_key(name)} must be a text, not {value.describe()}")
        return found

    def _without_nul(self, node: YamlNode, what: str) -> str:
        """The text of a scalar. Half of what it goes to (labels, headers, files, databases) cannot hold a NUL."""
        if "\0" in node.text:
            self.problems.add(node, f"{what} holds a NUL character")
            return node.text.replace("\0", "")
        return node.text

    def elements(self, key: str, *, required: bool = False) -> list[YamlNode]:
        """The nodes of a list."""
        node = self.get(key, required=required)
        if node is None:
            return []
        if not node.is_sequence:
            self.problems.add(node, f"{key} must be a list, not {node.describe()}")
        return node.elements()

    def mapping(self, key: str, *, required: bool = False) -> "MappingReader | None":
        """A reader for a nested mapping, or None when the key is missing."""
        node = self.get(key, required=required)
        return None if node is None else MappingReader(node, self.problems, key)

    def done(self) -> None:
        """Report every key that was not asked for."""
        for name, (key, _) in self._values.items():
            if name not in self._asked and key.is_scalar:
                hint = ""
                if len(self.problems.diagnostics) < _MOST_HINTS:
                    hint = nearest(name[:_LONGEST_COMPARED], self._asked) or f"known: {', '.join(sorted(self._asked))}"
                self.problems.add(key, f"unknown key {shown_key(key)!r} in {self.what}", hint)


_LARGEST: Final = 2**63 - 1
_MOST_HINTS: Final = 500
_LONGEST_COMPARED: Final = 64


def shown_key(key: YamlNode) -> str:
    """The text of a key for messages. One that is no name may be a value that a missing colon made a key."""
    return key.text if is_key_name(key) else "…"


__all__ = [
    "MAX_BYTES",
    "MappingReader",
    "Place",
    "Problems",
    "YamlNode",
    "belongs_to",
    "empty_mapping",
    "load",
    "mapping_of",
    "sequence_of",
    "text_of",
]
