"""Text and values that come from outside, made fit to be kept, searched and shown.

Every codec passes what it read through these functions before anything else of the platform sees it: control
characters, NUL and lone surrogates become U+FFFD (a database, a terminal or an encoder fails on them), and
depth, numbers and sizes are bounded. All work is linear in the size of what comes in.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

import msgspec

_T = TypeVar("_T")

MAX_DEPTH: Final = 32
"""How deep the lists and objects of one document may be nested."""

MAX_ATTRIBUTES: Final = 256
"""How many keys one object, and how many items one list, may have."""

MAX_ATTRIBUTES_BYTES: Final = 128 * 1024
"""What the attributes of one record may take together."""

MAX_CONTAINERS: Final = 1_000_000
"""How many objects and lists one JSON text may have: each takes two bytes there, and some seventy in memory."""

MAX_COMMAS: Final = 4_000_000
"""How many commas it may have: so many values, and one more, take at most a quarter of a gigabyte."""

MAX_KEY_BYTES: Final = 512
MAX_STRING_BYTES: Final = 32 * 1024

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ESCAPED = re.compile(rb"\\.", re.DOTALL)
# Group 1 is half of a surrogate pair; a pair, and any other escape, is passed over whole.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89aAbB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|.)", re.DOTALL
)
_QUOTED = re.compile(rb'"[^"]*+"')
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{}'))
_NOT_VALUES = bytes(set(range(256)) - set(b'"[{,'))
_LARGE = 1 << 20
_MARK = "…"
_VALUE_BYTES = 16
_LARGEST = 2**1024 - 1


class OutOfBoundsError(ValueError):
    """A document that is nested too deep, or holds a number that is too large; the message says which."""


def nesting(document: bytes) -> int:
    """How deep the lists and objects of a JSON text are nested, before anything is built from it.

    What is no JSON has some depth too: the decoder reports the error. Linear; a megabyte takes some 10 ms.
    """
    if b"\\" in document:
        document = _ESCAPED.sub(b"", document)
    brackets = _QUOTED.sub(b"", document.translate(None, _NOT_STRUCTURE))
    depth = deepest = 0
    for byte in brackets:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def too_many_values(document: bytes) -> bool:
    """Whether a JSON text holds more than :data:`MAX_CONTAINERS` or :data:`MAX_COMMAS`, before anything is built.

    Lines of JSON count together. A text of less than a megabyte never does. Linear, and quick where nothing is amiss.
    """
    if len(document) < _LARGE or not _over(document):
        return False
    if b"\\" in document:
        document = _ESCAPED.sub(b"", document)
    return _over(_QUOTED.sub(b"", document.translate(None, _NOT_VALUES)))


def _over(text: bytes) -> bool:
    return text.count(b"{") + text.count(b"[") > MAX_CONTAINERS or text.count(b",") > MAX_COMMAS


def decode_json(decode: Callable[[bytes], _T], document: bytes) -> _T:
    """What ``decode``, of a decoder of msgspec, makes of a document.

    Half of a surrogate pair, as JavaScript, Python and what cuts texts write it, becomes U+FFFD: it would keep
    everything else in the document from being read.

    Raises:
        msgspec.DecodeError, RecursionError: what ``decode`` raises of a document without such halves, or it has
            :func:`too_many_values`.
    """
    if too_many_values(document):
        raise msgspec.DecodeError("the document has too many values: send less at once")
    try:
        return decode(document)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        if b"\\u" not in document:
            raise
        return decode(_ESCAPES.sub(_whole, document))


def _whole(escape: re.Match[bytes]) -> bytes:
    return b"\\ufffd" if escape[1] else escape[0]


def clean_text(text: str) -> str:
    """The text with U+FFFD for each control character but tab and line ends, and for each lone surrogate."""
    return text if text.isprintable() else _UNFIT.sub("\ufffd", text)


def bounded_text(text: str, limit: int) -> str:
    """:func:`clean_text` of at most ``limit`` bytes of UTF-8, and a mark behind it when something was cut off."""
    if len(text) * 4 <= limit:
        return clean_text(text)
    if len(text) <= limit:
        text = clean_text(text)
        if text.isascii():
            return text
    # Cut before it is cleaned: what is thrown away need not be looked at twice.
    size = len(text.encode("utf-8", "replace"))
    if size <= limit:
        return text
    kept = clean_text(text[:limit]).encode()[:limit].decode("utf-8", "ignore")
    return f"{kept}{_MARK} [{max(1, size - len(kept.encode()))} bytes cut off]"


_FEW: Final = 48
_MANY: Final = 1_000
_LEVELS: Final = 2


def bounded_attributes(
    attributes: dict[str, Any], *, limit: int = MAX_ATTRIBUTES_BYTES, strict: bool = False
) -> dict[str, Any]:
    """A document of plain values (str, bool, int, float, None, list, dict) within the bounds of this module.

    Integers beyond 64 bits become their digits as text, and floats that JSON cannot write their names. What is
    cut off leaves a mark. The same object comes back when nothing had to be changed.

    Raises:
        OutOfBoundsError: with ``strict``, when it is deeper than :data:`MAX_DEPTH` or holds an integer that no
            double can hold; without it, a mark takes the place of either.
    """
    levels = _LEVELS if limit == MAX_ATTRIBUTES_BYTES else 0
    if len(attributes) <= _FEW and _held(attributes, levels) <= _FEW:
        return attributes
    return _Bounds(limit, strict).of_dict(attributes, 1)


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str:
        return len(value) <= 512 and value.isprintable()
    if kind is int:
        return -(2**63) <= value < 2**64
    if kind is float:
        return value - value == 0.0
    return value is None or kind is bool


def _held(values: dict[str, Any] | list[Any], levels: int) -> int:
    """How many values a document holds, of which none has to be changed: they are few, short and plain, and nested no
    more than ``levels``. :data:`_MANY` where that is not so, or not seen at a glance."""
    count = len(values)
    items: Iterable[Any] = values
    if isinstance(values, dict):
        for key in values:
            if type(key) is not str or len(key) > 64 or not key.isprintable():
                return _MANY
        items = values.values()
    for item in items:
        if not _is_plain(item):
            if not levels or not (type(item) is dict or type(item) is list):
                return _MANY
            count += _held(item, levels - 1)
            if count > _FEW:
                return _MANY
    return count


class _Bounds:
    """One walk over one document. ``room`` is what may still be kept, in bytes."""

    def __init__(self, limit: int, strict: bool) -> None:
        self.room = limit
        self.strict = strict

    def of(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            text = bounded_text(value, max(0, min(MAX_STRING_BYTES, self.room)))
            self.room -= len(text) if text.isascii() else len(text.encode())
            return text
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            if -(2**63) <= value < 2**64:
                return value
            if -_LARGEST <= value <= _LARGEST:
                try:
                    float(value)
                    self.room -= 320
                    return str(value)
                except OverflowError:
                    pass
            if self.strict:
                raise OutOfBoundsError("a number is out of range")
            return _MARK
        if isinstance(value, float):
            return value if value - value == 0.0 else repr(value)
        if not isinstance(value, dict | list | tuple):
            return self.of(str(value), depth)
        if depth >= MAX_DEPTH:
            if self.strict:
                raise OutOfBoundsError(f"nested deeper than {MAX_DEPTH} levels")
            return _MARK
        return self.of_dict(value, depth + 1) if isinstance(value, dict) else self.of_list(value, depth + 1)

    def of_dict(self, value: dict[Any, Any], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        rest = 0
        for key, item in value.items():
            if len(found) >= MAX_ATTRIBUTES or self.room <= 0:
                rest += 1
                if self.strict:
                    self.check(item, depth)
                continue
            name = bounded_text(str(key), MAX_KEY_BYTES)
            self.room -= _VALUE_BYTES + len(name)
            found[name] = self.of(item, depth)
        if rest:
            found[_MARK] = f"{rest} more cut off"
        return found

    def of_list(self, value: list[Any] | tuple[Any, ...], depth: int) -> list[Any]:
        found: list[Any] = []
        for item in value:
            if len(found) >= MAX_ATTRIBUTES or self.room <= 0:
                if self.strict:
                    self.check(item, depth)
                continue
            self.room -= _VALUE_BYTES
            found.append(self.of(item, depth))
        if len(found) < len(value):
            found.append(f"{_MARK} {len(value) - len(found)} more cut off")
        return found

    def check(self, value: Any, depth: int) -> None:
        """The strict bounds of what is cut off: whether a document is refused must not depend on its order."""
        if isinstance(value, dict | list | tuple):
            if depth >= MAX_DEPTH:
                raise OutOfBoundsError(f"nested deeper than {MAX_DEPTH} levels")
            for item in value.values() if isinstance(value, dict) else value:
                self.check(item, depth + 1)
        elif isinstance(value, int) and value.bit_length() > 1024:
            raise OutOfBoundsError("a number is out of range")
