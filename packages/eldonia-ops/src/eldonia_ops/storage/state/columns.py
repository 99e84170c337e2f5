"""Column types: how fields of the model's dataclasses lie in a relational table.

Text is cleaned of what PostgreSQL or UTF-8 cannot hold; documents are canonical JSON text (dict keys
sorted), so the same value always has the same bytes on both databases.
"""

import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from sqlalchemy import BigInteger, Column, Dialect, Integer, Text
from sqlalchemy.types import TypeDecorator

from eldonia_ops.model.labels import Labels

T = TypeVar("T")

_SURROGATES = re.compile("[\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_UNSTORABLE_IN_KEY = re.compile("[\x00\x1a\ud800-\udfff]")
_ESCAPED = re.compile("\x1a([0-9a-f]{4})")


def _encode_other(value: Any) -> Any:
    if isinstance(value, Labels):
        return dict(value.pairs)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")


class Unreadable:
    """What a row holds in the place of a value that cannot be read; ``reason`` says why."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


_ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=_encode_other)


def clean(text: str) -> str:
    """A text without NUL (PostgreSQL has none) and lone surrogates (UTF-8 has none): each becomes U+FFFD."""
    return text if text.isprintable() else _UNSTORABLE.sub("\ufffd", text)


def to_json(value: Any) -> str:
    """Canonical JSON of a value made of builtins, dataclasses, structs, enums and :class:`Labels`.

    JSON has no NaN or infinity; they are written as the strings ``NaN``, ``Inf`` and ``-Inf``, and
    :func:`from_json` turns them back into floats wherever the type asks for a float.

    Raises:
        TypeError: the value holds something else.
    """
    try:
        encoded = _ENCODER.encode(value)
    except UnicodeEncodeError:
        encoded = _ENCODER.encode(_storable(msgspec.to_builtins(value, enc_hook=_encode_other)))
    if b"null" in encoded:  # msgspec writes non-finite numbers as null, too
        encoded = _ENCODER.encode(_storable(msgspec.to_builtins(value, enc_hook=_encode_other)))
    return encoded.decode()


def from_json(text: str, type_: type[T]) -> T:
    """The value that :func:`to_json` wrote.

    Raises:
        msgspec.DecodeError: the document is no JSON, or does not have the shape of ``type_``.
    """
    try:
        return _decoder(type_, True).decode(text)
    except msgspec.ValidationError:
        return _decoder(type_, False).decode(text)  # texts count as numbers: the non-finite ones


@lru_cache(maxsize=256)
def _decoder(type_: type[T], strict: bool) -> msgspec.json.Decoder[T]:
    return msgspec.json.Decoder(type_, dec_hook=_decode_other, strict=strict)


def _decode_other(type_: type, value: Any) -> Any:
    if type_ is Labels and isinstance(value, dict):
        return Labels(value)
    raise NotImplementedError(f"{type_.__name__} cannot be read from JSON")


def _storable(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)  # JSON itself has a way to write NUL
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value


class PlainText(TypeDecorator[str]):
    """A text of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean the text on its way in."""
        return None if value is None else clean(value)


class KeyText(TypeDecorator[str]):
    """A text by which rows are found again: two that differ never become one, and it comes back as it was.

    What :func:`clean` would replace is written as U+001A and four hex digits instead.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Escape the text on its way in."""
        return None if value is None else _key(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        """Take the escapes back."""
        if value is None or "\x1a" not in value:
            return value
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)


def _key(value: str) -> str:
    if value.isprintable():
        return value
    return _UNSTORABLE_IN_KEY.sub(lambda found: f"\x1a{ord(found[0]):04x}", value)


class Word(TypeDecorator[Any]):
    """One member of a :class:`StrEnum`, stored as its value."""

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[StrEnum]) -> None:
        super().__init__()
        self.enum = enum

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:
        """Write the member's value."""
        return None if value is None else self.enum(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the member back; :class:`Unreadable` for what is none."""
        if value is None:
            return None
        try:
            return self.enum(value)
        except ValueError as error:
            return Unreadable(str(error))


class Document(TypeDecorator[Any]):
    """A value of one Python type as canonical JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, type_: Any) -> None:
        super().__init__()
        self.type_ = type_

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Encode."""
        return None if value is None else to_json(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Decode; :class:`Unreadable` for what has another shape: the rows beside it have to be read all the same."""
        if value is None:
            return None
        try:
            return from_json(value, self.type_)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return Unreadable(str(error))


def converter(column: Column[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes of a column's value what the driver takes, without SQLAlchemy's steps around it; None for nothing.

    It takes no None: none of our columns that has one holds NULL.
    """
    match column.type:
        case PlainText():
            return clean
        case Document():
            return to_json
        case KeyText():
            return _key
        case Word(enum=enum):
            return lambda value: enum(value).value
        case type_:
            return type_.dialect_impl(dialect).bind_processor(dialect)


Instant = BigInteger
"""Unix milliseconds."""

Identity = BigInteger().with_variant(Integer, "sqlite")
"""A number that the database assigns; SQLite assigns only to what is spelled INTEGER."""
