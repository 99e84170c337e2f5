"""The values of a YAML document, each with its place: what the parser's events are put together to.

The parser is libyaml, from which Go's yaml package, and so Prometheus and Alertmanager, descends: what
they take and refuse is taken and refused here. Everything is bounded, because aliases multiply what a few
lines say (https://en.wikipedia.org/wiki/Billion_laughs_attack) and readers walk what is nested.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from eldonia_ops.model.errors import ConfigError, Diagnostic, Level

MAX_BYTES: Final = 8 * 1024 * 1024
MAX_DEPTH: Final = 128
MAX_NODES: Final = 1_000_000
MAX_COPIES: Final = 500_000
MAX_TEXT: Final = 256 * 1024
MAX_KEY: Final = 1_024

_MERGE: Final = "<<"
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INT: Final = re.compile(r"[-+]?(?:0x[0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_BOOL: Final = frozenset({"true", "True", "TRUE", "false", "False", "FALSE"})
TRUE: Final = frozenset({"true", "yes", "on"})
FALSE: Final = frozenset({"false", "no", "off"})
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*\s+)+")
_MAPPING, _SEQUENCE, _SCALAR = "mapping", "sequence", "scalar"
_AS_TEXT: Final = "!"


class YamlNode:
    """One value of a YAML document.

    ``line`` and ``column`` (from 1) are where it begins, ``end_line`` and ``end_column`` where it has ended. An
    alias is the very node that it names. ``concealed`` says that the text must not be shown. ``file`` is set for values
    that were joined into a document from another file. ``tag`` is a tag of an application such as ``!include``.
    """

    __slots__ = (
        "_kind", "_pairs", "_style", "_text", "column", "concealed", "end_column", "end_line", "file", "line",
        "tag", "written",
    )  # fmt: skip

    def __init__(self, kind: str, line: int = 0, column: int = 0, text: str = "", style: str | None = None) -> None:
        self._kind = kind
        self._text = text
        self._style = style
        self._pairs: list[Any] = []
        self.line = line
        self.column = column
        self.end_line = line
        self.end_column = column
        self.written: str | None = None
        self.concealed = False
        self.file = ""
        self.tag = ""

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return self._kind == _MAPPING

    @property
    def is_sequence(self) -> bool:
        """Whether this is a list."""
        return self._kind == _SEQUENCE

    @property
    def is_scalar(self) -> bool:
        """Whether this is a single value (null included)."""
        return self._kind == _SCALAR

    @property
    def is_null(self) -> bool:
        """Whether this is an explicit or implied null."""
        return self._kind == _SCALAR and self._style is None and self._text in _NULLS

    @property
    def text(self) -> str:
        """The text of a scalar as written, without quotes; empty for anything else and for null."""
        return "" if self.is_null else self._text

    @property
    def is_plain(self) -> bool:
        """Whether a scalar was written without quotation marks, and not as a block."""
        return self._kind == _SCALAR and self._style is None

    @property
    def is_quoted(self) -> bool:
        """Whether a scalar was written in quotation marks, so that its text starts one column on."""
        return self._style in ("'", '"')

    @property
    def is_block_text(self) -> bool:
        """Whether a scalar was written as a ``|`` or ``>`` block, whose text starts on the next line."""
        return self._style in ("|", ">")

    @property
    def pairs(self) -> list[tuple["YamlNode", "YamlNode"]]:
        """Key and value of a mapping, in the order written; empty for anything else."""
        return self._pairs if self._kind == _MAPPING else []

    def items(self) -> Iterator[tuple["YamlNode", "YamlNode"]]:
        """An iterator over :attr:`pairs`."""
        return iter(self.pairs)

    def elements(self) -> list["YamlNode"]:
        """The elements of a list; empty for anything else."""
        return self._pairs if self._kind == _SEQUENCE else []

    def describe(self) -> str:
        """What kind of value this is, for messages."""
        if self.is_mapping:
            return "a mapping"
        if self.is_sequence:
            return "a list"
        if self.is_null:
            return "nothing"
        if self.written is not None:
            return repr(without_defaults(self.written))
        if self.concealed:
            return "<secret>"
        return f"{self._text!r}" if len(self._text) <= _LONGEST_SHOWN else f"{self._text[:_LONGEST_SHOWN]!r}…"

    @property
    def is_expanded(self) -> bool:
        """Whether :meth:`expand` changed this text, which may then hold what must not be shown."""
        return self.written is not None

    def expand(self, transform: Callable[["YamlNode"], str | None]) -> None:
        """Replace the texts of all scalars below (keys apart) for which ``transform`` returns another one.

        Messages go on showing what was written.
        """
        for item in self.walk():
            if not item.is_scalar or item.is_null:
                continue
            text = transform(item)
            if text is not None and text != item._text:
                item.written = item._text
                item._text = text
                item._style = item._style or _AS_TEXT  # what came in is a text, also an empty one
                item.concealed = True

    def walk(self) -> Iterator["YamlNode"]:
        """This value and all below it, each once however many aliases name it; keys are left out."""
        seen: set[int] = set()
        waiting: list[YamlNode] = [self]
        while waiting:
            item = waiting.pop()
            if id(item) in seen:
                continue
            seen.add(id(item))
            yield item
            waiting.extend(value for _, value in item.pairs)
            waiting.extend(item.elements())

    def scalar(self) -> str | int | float | bool:
        """A single value that is not null, by YAML 1.2's rules and with 1.1's words for true and false."""
        text = self._text
        if not self.is_plain:
            return text
        if text in _BOOL or text.lower() in TRUE | FALSE:
            return text.lower() in TRUE
        try:
            if _INT.fullmatch(text):
                return int(text.replace("_", ""), 0)
            if _FLOAT.fullmatch(text):
                return float(text)
        except ValueError:
            return text
        return {".inf": float("inf"), "-.inf": float("-inf"), ".nan": float("nan")}.get(text.lower(), text)

    def plain(self) -> Any:
        """The value as plain Python: dict, list, str, int, float, bool or None."""
        if self.is_mapping:
            return {key.text: value.plain() for key, value in self.pairs}
        if self.is_sequence:
            return [item.plain() for item in self.elements()]
        return None if self.is_null else self.scalar()


_LONGEST_SHOWN: Final = 200
_DEFAULT: Final = re.compile(r"(\$\{\w*+):-[^{}]*+\}")


def without_defaults(text: str) -> str:
    """A text with ``${NAME:-default}`` shown as ``${NAME}``: the default may be the secret itself."""
    return _DEFAULT.sub(r"\1}", text)


def empty_mapping() -> YamlNode:
    """A mapping without keys, at no place."""
    return YamlNode(_MAPPING)


def mapping_of(pairs: list[tuple[YamlNode, YamlNode]], like: YamlNode) -> YamlNode:
    """A mapping of these keys and values, at the place of another value."""
    return _at(YamlNode(_MAPPING), pairs, like)


def sequence_of(elements: list[YamlNode], like: YamlNode) -> YamlNode:
    """A list of these values, at the place of another value."""
    return _at(YamlNode(_SEQUENCE), elements, like)


def text_of(text: str, like: YamlNode) -> YamlNode:
    """A text, at the place of another value."""
    return _at(YamlNode(_SCALAR, text=text, style=_AS_TEXT), [], like)


def _at(node: YamlNode, inside: list[Any], like: YamlNode) -> YamlNode:
    node._pairs = inside
    node.file, node.line, node.column = like.file, like.line, like.column
    node.end_line, node.end_column = like.end_line, like.end_column
    return node


def belongs_to(document: YamlNode, file: str) -> None:
    """Note at every value and key of a document which file it is from."""
    seen: set[int] = set()
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        node.file = file
        waiting += node.elements()
        waiting += [one for pair in node.pairs for one in pair]


def compose(text: str, file: str) -> tuple[YamlNode | None, list[Diagnostic]]:
    """The first document of a text (None when it is empty), and warnings.

    Like Prometheus and Alertmanager it reads the first document and leaves the others; that is a warning.

    Raises:
        ConfigError: the text is not YAML; it is larger than 8 MiB, nests deeper than 128 levels, has more than a
            million values, one longer than 262,144 characters, or aliases that expand to more than 500,000
            further values or for themselves. The diagnostic names the place.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(Diagnostic(f"larger than {MAX_BYTES} bytes", file))
    text = text.removeprefix("\ufeff")
    strange = _UNPRINTABLE.search(text)
    if strange is not None:
        lines = text[: strange.start()].splitlines(keepends=True) or [""]
        at_start = lines[-1] != lines[-1].rstrip("\r\n\x85\u2028\u2029")
        place = (len(lines) + 1, 1) if at_start else (len(lines), len(lines[-1]) + 1)
        message = f"not valid YAML: the character U+{ord(strange[0]):04X} is not allowed in it"
        raise ConfigError(Diagnostic(message, file, *place, "in a text in double quotes write it as an escape"))
    try:
        return _Composer(text, file).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        problem = error.problem or error.context or "it cannot be parsed"
        hint = ""
        row = text.splitlines()[line - 1 : line]
        if row and row[0].lstrip(" ").startswith("\t"):
            hint = "indent with spaces, not tabs"
        raise ConfigError(Diagnostic(f"not valid YAML: {problem}", file, line, column, hint)) from None
    except yaml.YAMLError as error:
        raise ConfigError(Diagnostic(f"not valid YAML: {error}", file)) from None


def _events(text: str) -> Any:
    """A parser with ``get_event`` and ``check_event``; the C one is some 30 times faster."""
    return yaml.CSafeLoader(text) if yaml.__with_libyaml__ else yaml.SafeLoader(text)  # type: ignore[attr-defined]


class _Composer:
    def __init__(self, text: str, file: str) -> None:
        self._text = text
        self._file = file
        self._parser = _events(text)
        self._anchors: dict[str, YamlNode] = {}
        self._open: set[int] = set()
        self._sizes: dict[int, int] = {}
        self._depths: dict[int, int] = {}
        self._nodes = 0
        self._copies = 0

    def document(self) -> tuple[YamlNode | None, list[Diagnostic]]:
        parser = self._parser
        parser.get_event()  # of the stream
        if parser.check_event(yaml.StreamEndEvent):
            return None, []
        parser.get_event()  # of the document
        root = self._compose()
        return (None if root.is_null else root), self._rest()

    def _rest(self) -> list[Diagnostic]:
        try:
            self._parser.get_event()  # the end of the document; to find it the parser looks beyond
            if self._parser.check_event(yaml.StreamEndEvent):
                return []
            mark = self._parser.peek_event().start_mark
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        message = "what follows here is not read: only the first document of a file counts"
        return [Diagnostic(message, self._file, line, column, "put it into a file of its own", Level.WARNING)]

    def _compose(self) -> YamlNode:
        """The value that begins with the next event. No recursion: nesting is bounded before it costs anything."""
        stack: list[YamlNode] = []
        keys: list[YamlNode | None] = []
        while True:
            event = self._parser.get_event()
            if isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                node = stack.pop()
                keys.pop()
                self._end(node, event)
            elif isinstance(event, yaml.AliasEvent):
                node = self._alias(event, len(stack))
            else:
                node = self._begin(event)
                if not node.is_scalar:
                    if len(stack) >= MAX_DEPTH:
                        raise self._fault(node, f"nested deeper than {MAX_DEPTH} levels")
                    stack.append(node)
                    keys.append(None)
                    self._open.add(id(node))
                    continue
            if not stack:
                return node
            parent = stack[-1]
            if parent.is_sequence:
                parent._pairs.append(node)
            elif keys[-1] is None:
                if len(node.text) > MAX_KEY:
                    raise self._fault(node, f"a key longer than {MAX_KEY:,} characters")
                keys[-1] = node
            else:
                parent._pairs.append((keys[-1], node))
                keys[-1] = None

    def _begin(self, event: Any) -> YamlNode:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(event, yaml.ScalarEvent):
            # ``!!str 5`` is a text, as if it were in quotation marks.
            style = event.style or None
            if style is None and event.tag and event.tag.endswith(":str"):
                style = _AS_TEXT
            node = YamlNode(_SCALAR, line, column, event.value, style)
            node.end_line, node.end_column = event.end_mark.line + 1, event.end_mark.column + 1
            if event.anchor or event.tag:
                self._skip_properties(node, mark.index)
            if len(event.value) > MAX_TEXT:
                raise self._fault(node, f"a text longer than {MAX_TEXT:,} characters")
        else:
            node = YamlNode(_MAPPING if isinstance(event, yaml.MappingStartEvent) else _SEQUENCE, line, column)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise self._fault(node, f"more than {MAX_NODES:,} values in one file")
        if event.tag and event.tag.startswith("!"):
            node.tag = event.tag
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _skip_properties(self, node: YamlNode, index: int) -> None:
        """An anchor and a tag come before the text, which is where places within it are counted from."""
        match = _PROPERTIES.match(self._text, index)
        if match is not None:
            lines = match[0].splitlines(keepends=True)
            is_broken = lines[-1][-1] in "\r\n\x85\u2028\u2029"
            lines = [*lines, ""] if is_broken else lines
            node.column = node.column + len(lines[0]) if len(lines) == 1 else len(lines[-1]) + 1
            node.line += len(lines) - 1

    def _alias(self, event: Any, depth: int) -> YamlNode:
        mark = event.start_mark
        found = self._anchors.get(event.anchor)
        if found is None:
            message = f"not valid YAML: no anchor is called {event.anchor[:80]!r}"
            raise ConfigError(Diagnostic(message, self._file, mark.line + 1, mark.column + 1))
        place = YamlNode(_SCALAR, mark.line + 1, mark.column + 1)
        if id(found) in self._open:
            raise self._fault(place, f"the alias {event.anchor[:80]!r} is inside what it names")
        if depth + self._depths.get(id(found), 0) > MAX_DEPTH:
            raise self._fault(place, f"nested deeper than {MAX_DEPTH} levels")
        self._copies += self._sizes.get(id(found), 1)
        if self._copies > MAX_COPIES:
            raise self._fault(place, f"the aliases up to here expand to more than {MAX_COPIES:,} values")
        return found

    def _end(self, node: YamlNode, event: Any) -> None:
        node.end_line, node.end_column = event.end_mark.line + 1, event.end_mark.column + 1
        if node.is_mapping:
            self._merge(node)
        inside = node.elements() or [value for _, value in node.pairs]
        self._sizes[id(node)] = 1 + sum(self._sizes.get(id(item), 1) for item in inside)
        self._depths[id(node)] = 1 + max((self._depths.get(id(item), 0) for item in inside), default=0)
        self._open.discard(id(node))

    def _merge(self, node: YamlNode) -> None:
        """Put what ``<<`` names below the mapping's own keys, earlier mappings first (https://yaml.org/type/merge.html)."""
        merges = [(key, value) for key, value in node._pairs if key.is_plain and key._text == _MERGE]
        if not merges:
            return
        if len(merges) > 1:
            raise self._fault(merges[1][0], "'<<' occurs twice in one mapping")
        key, value = merges[0]
        own = [pair for pair in node._pairs if pair[0] is not key]
        names = {pair[0].text for pair in own}
        for source in value.elements() or [value]:
            if not source.is_mapping:
                raise self._fault(key, f"'<<' takes a mapping or a list of mappings, not {source.describe()}")
            for pair in source.pairs:
                if pair[0].text not in names:
                    names.add(pair[0].text)
                    own.append(pair)
        node._pairs = own

    def _fault(self, node: YamlNode, message: str) -> ConfigError:
        return ConfigError(Diagnostic(message, self._file, node.line, node.column))
