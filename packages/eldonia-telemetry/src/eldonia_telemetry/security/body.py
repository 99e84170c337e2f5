"""The fields of a request's body, read from a bounded copy of it."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import unquote_plus

import msgspec

MAX_BODY: Final = 16_384
"""Bytes of a body that are looked at: of a longer one, the beginning."""
MAX_FIELDS: Final = 256
_MAX_DEPTH: Final = 12
_LONG_NAME: Final = 40
"""Characters beyond which a name may be an attack itself."""
_ACCOUNT_FIELDS: Final = ("email", "username", "user", "login", "account", "userid", "user_id", "mail", "name")
_READABLE: Final = frozenset({b"application/x-www-form-urlencoded", b"multipart/form-data", b"application/json"})
_BOUNDARY: Final = re.compile(rb"boundary=\"?([^\";,\s]{1,70})", re.IGNORECASE)
# A string of a JSON document, and the colon after it if it is a name.
_STRING: Final = re.compile(rb'"((?:[^"\\]|\\.)*+)"(\s*:)?', re.DOTALL)
_PART_NAME: Final = re.compile(rb"\bname=\"([^\"\r\n]{0,200})\"", re.IGNORECASE)

_decode_string = msgspec.json.Decoder(str).decode


def is_readable(content_type: bytes) -> bool:
    """Whether bodies of this type have fields: URL-encoded and multipart forms, JSON."""
    kind = content_type.partition(b";")[0].strip().lower()
    return kind in _READABLE or (kind.startswith(b"application/") and kind.endswith(b"+json"))


def fields(content_type: bytes, body: bytes) -> list[tuple[str, str]]:
    """Names and text values; [] when the body is not what its type says. At most ``MAX_FIELDS``.

    A name inside a JSON document is its path, such as ``items.0.title``; of a document that was cut off, the last
    part of it. Files of a form are left out.
    """
    kind = content_type.partition(b";")[0].strip().lower()
    if kind == b"application/x-www-form-urlencoded":
        found = _urlencoded(body)
    elif kind == b"multipart/form-data":
        boundary = _BOUNDARY.search(content_type)
        found = _multipart(body, boundary[1]) if boundary else iter(())
    else:
        try:
            found = _walk(msgspec.json.decode(body), "", 0)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            found = _strings(body) if len(body) >= MAX_BODY else iter(())
    return [field for field, _ in zip(found, range(MAX_FIELDS), strict=False)]


def account(given: Sequence[tuple[str, str]]) -> str | None:
    """The account that a sign-in names, None when no field looks like one."""
    by_name = {name.rpartition(".")[2].lower(): value for name, value in reversed(given)}
    for name in _ACCOUNT_FIELDS:
        value = by_name.get(name, "").strip()
        if value:
            return value[:256]
    return None


def _urlencoded(body: bytes) -> Iterator[tuple[str, str]]:
    for part in body.split(b"&"):
        name, _, value = part.partition(b"=")
        yield (
            unquote_plus(name.decode("latin-1"), errors="replace"),
            unquote_plus(value.decode("latin-1"), errors="replace"),
        )


def _multipart(body: bytes, boundary: bytes) -> Iterator[tuple[str, str]]:
    for part in body.split(b"--" + boundary):
        head, _, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if name and b"filename" not in head.lower():
            yield name[1].decode("utf-8", "replace"), content.removesuffix(b"\r\n").decode("utf-8", "replace")


def _walk(value: Any, name: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield name, value
    elif depth < _MAX_DEPTH and isinstance(value, dict):
        for key, item in value.items():
            if len(key) > _LONG_NAME:
                yield "name", key
            yield from _walk(item, f"{name}.{key[:64]}" if name else key[:64], depth + 1)
    elif depth < _MAX_DEPTH and isinstance(value, list):
        for number, item in enumerate(value):
            yield from _walk(item, f"{name}.{number}", depth + 1)


def _strings(body: bytes) -> Iterator[tuple[str, str]]:
    """The strings of a JSON document that was cut off."""
    name = ""
    for match in _STRING.finditer(body):
        try:
            text = _decode_string(match[0] if match[2] is None else match[0][: -len(match[2])])
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        if match[2] is None:
            yield name, text
        else:
            if len(text) > _LONG_NAME:
                yield "name", text
            name = text[:64]
