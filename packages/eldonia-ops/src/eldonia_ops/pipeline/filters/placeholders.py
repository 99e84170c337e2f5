"""``${…}`` in values of ``record_transformer``, without Ruby.

``${record["a"]["b"]}``, ``${tag}``, ``${tag_parts[0]}``, ``${tag_prefix[1]}``, ``${tag_suffix[1]}``, ``${time}``,
``${hostname}``; ``||`` gives another value for one that is not there; ``.downcase``, ``.upcase``, ``.capitalize``,
``.strip``, ``.to_s``, ``.to_i`` and ``.to_f`` behind one are read as in Ruby.
https://docs.fluentd.org/filter/record_transformer
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import re2

from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.times.strftime import Strftime

_PART: Final = re.compile(r"\$\{((?:[^{}\"']|\"[^\"]*\"|'[^']*'|\{[^{}]*\})*)\}")
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>\"[^\"\\#]*\"|'[^'\\]*')|(?P<name>[a-z_]+)|(?P<number>-?[0-9]{1,4})|(?P<sign>\|\||[\[\].]))",
    re.ASCII,
)
_NUMBER: Final = re.compile(r"\s*([+-]?[0-9]+)", re.ASCII)
_FLOAT: Final = re.compile(r"\s*([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)", re.ASCII)
_MOST_DIGITS: Final = 300

# What is found in an expression that is not understood → what to write.
_WAYS: Final = (
    (r"ENV", "write \"#{ENV['NAME']}\" between quotation marks: it is read at the start"),
    (r"gethostname", "write ${hostname}"),
    (r"tag\.split\([^)]*\)\s*\[(-?\d+)\]", "write ${tag_parts[0]}, ${tag_parts[1]}, … ${tag_parts[-1]}"),
    (r"tag_parts\.(?:last|first)", "write ${tag_parts[-1]} for the last and ${tag_parts[0]} for the first"),
    (r"record\.dig", 'write ${record["a"]["b"]}'),
    (r"\.(?:g?sub|tr)\b", "use a filter of type redaction with <rule> pattern … replace …"),
    (r"JSON\.parse|JSON\.load", "use a filter of type parser with key_name and <parse> @type json"),
    (r"\.split|\.match|=~|\.scan", "use a filter of type parser with <parse> @type regexp and (?<name>…)"),
    (r"Time\.at|Time\.parse|strptime", "use a filter of type parser, or renew_time_key"),
    (r"Time\.now|time\.|strftime", "write ${time}; the event has its time in any case"),
    (
        r"\?.*:|\bif\b|\bunless\b|\bcase\b",
        'write ${record["a"] || "otherwise"}, or several filters with grep in labels',
    ),
    (r"record\[.*[-+*/].*", "count and calculate in queries, or in the program that writes the log"),
    (r"SecureRandom|rand\b", "our store gives each record an id of its own"),
    (r"^[a-z_][a-z0-9_]*(?:\.|$)", 'a field is written ${record["name"]}'),
)
_KNOWN: Final = 'record["name"], tag, tag_parts[0], tag_prefix[0], tag_suffix[0], time, hostname'


class PlaceholderError(ValueError):
    """A placeholder that is not understood. ``hint`` says what to write."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass
class TagValues:
    """What placeholders take from outside of the record; the parts of the tag are found once a batch."""

    tag: str
    hostname: str

    @cached_property
    def parts(self) -> list[str]:
        """``tag_parts``"""
        return self.tag.split(".")

    @cached_property
    def prefixes(self) -> list[str]:
        """``tag_prefix``: the first part, the first two, and so on."""
        return [".".join(self.parts[: count + 1]) for count in range(len(self.parts))]

    @cached_property
    def suffixes(self) -> list[str]:
        """``tag_suffix``: the whole tag, without its first part, and so on."""
        return [".".join(self.parts[count:]) for count in range(len(self.parts))]


class Scope(NamedTuple):
    """One event as placeholders see it."""

    values: TagValues
    time_ns: int
    record: dict[str, Any]


def _whole(value: Any) -> int:
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) else 0
    match = _NUMBER.match(as_text(value).replace("_", ""))
    return int(match[1][:_MOST_DIGITS]) if match is not None else 0


def _number(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    match = _FLOAT.match(as_text(value).replace("_", ""))
    return float(match[1][:_MOST_DIGITS]) if match is not None else 0.0


Value = Callable[[Scope], Any]
_TIME: Final = Strftime("%Y-%m-%d %H:%M:%S %z", None)
_METHODS: Final[dict[str, Callable[[Any], Any]]] = {
    "downcase": lambda value: None if value is None else as_text(value).lower(),
    "upcase": lambda value: None if value is None else as_text(value).upper(),
    "capitalize": lambda value: None if value is None else as_text(value).capitalize(),
    "strip": lambda value: None if value is None else as_text(value).strip(),
    "to_s": as_text,
    "to_i": _whole,
    "to_f": _number,
}


def template_of(text: str, *, typecast: bool) -> Value | None:
    """What a text with placeholders is for an event; None for one without. With ``typecast`` a text that is one
    placeholder has the type of what it names.

    Raises:
        PlaceholderError: it has one that is not understood.
    """
    pieces = _PART.split(text)
    if len(pieces) == 1:
        if "${" in text:
            raise PlaceholderError(f"the placeholder in {text} is not understood", f"there are {_KNOWN}")
        return None
    parts: list[str | Value] = [_expression(piece) if at % 2 else piece for at, piece in enumerate(pieces)]
    if typecast and len(parts) == 3 and pieces[0] == pieces[2] == "":
        return parts[1] if callable(parts[1]) else None
    written = [part for part in parts if part != ""]

    def joined(scope: Scope) -> str:
        return "".join([part if isinstance(part, str) else as_text(part(scope)) for part in written])

    return joined


def _expression(code: str) -> Value:
    tokens: list[tuple[str, str]] = []
    at = 0
    while at < len(code.rstrip()):
        match = _TOKEN.match(code, at)
        if match is None:
            raise _unknown(code)
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    return _Expression(code, tokens).read()


class _Expression:
    def __init__(self, code: str, tokens: Sequence[tuple[str, str]]) -> None:
        self._code = code
        self._tokens = tokens
        self._at = 0

    def read(self) -> Value:
        choices = [self._term()]
        while self._at < len(self._tokens):
            self._expect("||")
            choices.append(self._term())
        if len(choices) == 1:
            return choices[0]

        def first(scope: Scope) -> Any:
            value = None
            for choice in choices:
                value = choice(scope)
                if value is not None and value is not False:
                    break
            return value

        return first

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _unknown(self._code)
        self._at += 1
        return self._tokens[self._at - 1]

    def _is_next(self, sign: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == ("sign", sign)

    def _expect(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise _unknown(self._code)

    def _key(self, *kinds: str) -> str:
        self._expect("[")
        kind, text = self._next()
        if kind not in kinds:
            raise _unknown(self._code)
        self._expect("]")
        return text[1:-1] if kind == "text" else text

    def _term(self) -> Value:
        kind, text = self._next()
        value = self._literal(text[1:-1]) if kind == "text" else self._named(text) if kind == "name" else None
        if value is None:
            raise _unknown(self._code)
        while self._is_next("."):
            self._at += 1
            method = _METHODS.get(self._next()[1])
            if method is None:
                raise _unknown(self._code)
            value = _applied(method, value)
        return value

    def _literal(self, text: str) -> Value:
        return lambda _: text

    def _named(self, name: str) -> Value:
        match name:
            case "record":
                return self._field()
            case "tag":
                return lambda scope: scope.values.tag
            case "hostname":
                return lambda scope: scope.values.hostname
            case "time":
                return lambda scope: _TIME.format(scope.time_ns)
            case "nil":
                return lambda _: None
            case "tag_parts" | "tag_prefix" | "tag_suffix":
                return _part(name, int(self._key("number")))
        raise _unknown(self._code)

    def _field(self) -> Value:
        steps: list[str | int] = []
        while self._is_next("["):
            written = self._tokens[self._at + 1 : self._at + 2]
            is_number = bool(written) and written[0][0] == "number"
            key = self._key("text", "number")
            steps.append(int(key) if is_number else key)
        if not steps:
            return lambda scope: scope.record
        if len(steps) == 1:
            only: Any = steps[0]
            return lambda scope: scope.record.get(only)

        def found(scope: Scope) -> Any:
            value: Any = scope.record
            for step in steps:
                try:
                    value = value[step]
                except (KeyError, IndexError, TypeError):
                    return None
            return value

        return found


def _applied(method: Callable[[Any], Any], value: Value) -> Value:
    return lambda scope: method(value(scope))


def _part(name: str, index: int) -> Value:
    def found(scope: Scope) -> str | None:
        values = scope.values
        parts = {"tag_parts": values.parts, "tag_prefix": values.prefixes, "tag_suffix": values.suffixes}[name]
        return parts[index] if -len(parts) <= index < len(parts) else None

    return found


def _unknown(code: str) -> PlaceholderError:
    shown = code.strip() if len(code) <= 60 else f"{code.strip()[:57]}…"
    for pattern, way in _WAYS:
        if re2.search(pattern, code.strip()):
            return PlaceholderError(f"Ruby is not run here: ${{{shown}}}", way)
    return PlaceholderError(f"the placeholder ${{{shown}}} is not understood", f"there are {_KNOWN}")
