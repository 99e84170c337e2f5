"""YAML files that people write, read so that every complaint can name its line and column.

A :class:`MappingReader` takes typed values out of one mapping and, when told :meth:`~MappingReader.done`,
reports the keys that nobody asked for, with the nearest valid name. All faults are collected in a
:class:`Problems`, so one run shows everything that is wrong.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level, nearest

T = TypeVar("T")

MAX_BYTES = 8 * 1024 * 1024
_DEEPEST = 64
_MOST_PARTS = 100_000
_NULL = "tag:yaml.org,2002:null"
_TRUE = {"true", "yes", "on"}
_FALSE = {"false", "no", "off"}


class Problems:
    """Faults found so far in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.diagnostics: list[Diagnostic] = []

    def add(self, node: "YamlNode | None", message: str, hint: str = "", level: Level = Level.ERROR) -> None:
        """Note a fault at a node (or at the file as a whole)."""
        line, column = (node.line, node.column) if node is not None else (0, 0)
        self.diagnostics.append(Diagnostic(message, self.file, line, column, hint, level))

    @property
    def errors(self) -> list[Diagnostic]:
        """The faults that make the file unusable."""
        return [item for item in self.diagnostics if item.level is Level.ERROR]

    def raise_if_any(self) -> None:
        """Raise :class:`ConfigError` with every diagnostic if one of them is an error."""
        if self.errors:
            raise ConfigError(sorted(self.diagnostics, key=lambda item: (item.line, item.column)))


class _Expanded(str):
    """A text that stands for what was written, which is the one to show."""

    __slots__ = ("written",)
    written: str


class YamlNode:
    """One value of a YAML document with its place (1-based line and column)."""

    __slots__ = ("_node", "column", "line", "path")

    def __init__(self, node: Node, path: str = "") -> None:
        self._node = node
        self.path = path
        self.line = node.start_mark.line + 1 if node.start_mark else 0
        self.column = node.start_mark.column + 1 if node.start_mark else 0

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self._node, MappingNode)

    @property
    def is_sequence(self) -> bool:
        """Whether this is a list."""
        return isinstance(self._node, SequenceNode)

    @property
    def is_scalar(self) -> bool:
        """Whether this is a single value (null included)."""
        return isinstance(self._node, ScalarNode)

    @property
    def is_null(self) -> bool:
        """Whether this is an explicit or implied null."""
        return isinstance(self._node, ScalarNode) and self._node.tag == _NULL

    @property
    def text(self) -> str:
        """The text of a scalar as written, without quotes; empty for anything else and for null."""
        if not isinstance(self._node, ScalarNode) or self.is_null:
            return ""
        # The loader marks the folds of a ``>`` block with bell characters, to write them back alike.
        return str(self._node.value).replace("\a", "") if self._node.style == ">" else str(self._node.value)

    @property
    def is_quoted(self) -> bool:
        """Whether a scalar was written in quotation marks, so that its text starts one column on."""
        return isinstance(self._node, ScalarNode) and self._node.style in ("'", '"')

    @property
    def is_block_text(self) -> bool:
        """Whether a scalar was written as a ``|`` or ``>`` block, whose text starts on the next line."""
        return isinstance(self._node, ScalarNode) and self._node.style in ("|", ">")

    def items(self) -> Iterator[tuple["YamlNode", "YamlNode"]]:
        """Key and value nodes of a mapping, in the order written; nothing for anything else."""
        if isinstance(self._node, MappingNode):
            for key, value in self._node.value:
                name = str(key.value)
                yield YamlNode(key, self.path), YamlNode(value, f"{self.path}.{name}" if self.path else name)

    def elements(self) -> list["YamlNode"]:
        """The elements of a list; empty for anything else."""
        if not isinstance(self._node, SequenceNode):
            return []
        return [YamlNode(item, f"{self.path}[{index}]") for index, item in enumerate(self._node.value)]

    def describe(self) -> str:
        """What kind of value this is, for messages."""
        if self.is_mapping:
            return "a mapping"
        if self.is_sequence:
            return "a list"
        if self.is_null:
            return "nothing"
        return repr(self._node.value.written) if self.is_expanded else f"{self.text!r}"

    @property
    def is_expanded(self) -> bool:
        """Whether :meth:`expand` changed this text, which may then hold what must not be shown."""
        return isinstance(self._node.value, _Expanded)

    def expand(self, transform: Callable[["YamlNode"], str | None]) -> None:
        """Replace the texts of all scalars below (keys apart) for which ``transform`` returns another one.

        Messages go on showing what was written.
        """
        seen: set[int] = set()
        waiting: list[YamlNode] = [self]
        while waiting:
            item = waiting.pop()
            if id(item._node) in seen:
                continue  # an alias: the same node once more
            seen.add(id(item._node))
            waiting.extend(value for _, value in item.items())
            waiting.extend(item.elements())
            if not item.is_scalar or item.is_null:
                continue
            text = transform(item)
            if text is not None and text != item.text:
                changed = _Expanded(text)
                changed.written = item.text
                item._node.value = changed

    def scalar(self) -> str | int | float | bool:
        """A single value that is not null, by YAML 1.2's rules and with 1.1's words for true and false."""
        tag = str(self._node.tag).rsplit(":", 1)[-1]
        unquoted = isinstance(self._node, ScalarNode) and self._node.style is None
        if tag == "bool" or (tag == "str" and unquoted and self.text.lower() in _TRUE | _FALSE):
            return self.text.lower() in _TRUE
        try:
            if tag == "int":
                return int(self.text.replace("_", ""), 0)
            if tag == "float":
                return float(self.text.replace("_", ""))
        except ValueError:
            return self.text
        return self.text

    def plain(self) -> Any:
        """The value as plain Python: dict, list, str, int, float, bool or None.

        Raises:
            ConfigError: it nests deeper than 64 levels (an alias that contains itself does), or has more than
                100,000 parts once aliases are written out.
        """
        return _Plain().of(self, 0)


class _Plain:
    def __init__(self) -> None:
        self.parts = 0

    def of(self, node: YamlNode, depth: int) -> Any:
        self.parts += 1
        if depth > _DEEPEST or self.parts > _MOST_PARTS:
            message = "nested too deeply" if depth > _DEEPEST else f"more than {_MOST_PARTS:,} parts with its aliases"
            raise ConfigError(Diagnostic(message, line=node.line, column=node.column))
        if node.is_mapping:
            return {key.text: self.of(value, depth + 1) for key, value in node.items()}
        if node.is_sequence:
            return [self.of(item, depth + 1) for item in node.elements()]
        return None if node.is_null else node.scalar()


def load(text: str, file: str) -> YamlNode | None:
    """Parse one YAML document; None when it is empty.

    Raises:
        ConfigError: the text is not YAML, or larger than 8 MiB.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(Diagnostic(f"larger than {MAX_BYTES} bytes", file))
    try:
        node = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        hint = "indent with spaces, not tabs" if "\\t" in str(error.problem) else ""
        raise ConfigError(Diagnostic(f"not valid YAML: {error.problem}", file, line, column, hint)) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(Diagnostic(f"not valid YAML: {error}", file)) from None
    return None if node is None else YamlNode(node)


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
            if key.text in self._values:
                problems.add(key, f"{key.text} stands twice in {what}")
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
        return self._convert(key, default, required, "a text", lambda node: node.text)

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
            if word not in _TRUE | _FALSE:
                raise ValueError(word)
            return word in _TRUE

        return self._convert(key, default, required, "true or false", convert)

    def duration(self, key: str, default: int = 0, *, required: bool = False) -> int:
        """A Prometheus duration such as ``5m``, as milliseconds."""
        return self._convert(key, default, required, "a duration", lambda node: parse_duration(node.text))

    def strings(self, key: str, default: Sequence[str] = (), *, required: bool = False) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        node = self.get(key, required=required)
        if node is None:
            return tuple(default)
        if node.is_scalar:
            return (node.text,)
        found: list[str] = []
        for element in node.elements():
            if element.is_scalar and not element.is_null:
                found.append(element.text)
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
            if value.is_scalar:
                found[name.text] = value.text
            else:
                self.problems.add(value, f"{key}.{name.text} must be a text, not {value.describe()}")
        return found

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
            if name not in self._asked:
                hint = nearest(name, self._asked) or f"known: {', '.join(sorted(self._asked))}"
                self.problems.add(key, f"unknown key {name!r} in {self.what}", hint)
