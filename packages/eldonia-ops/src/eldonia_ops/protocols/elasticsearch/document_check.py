"""The JSON of one document: what of it is refused, in Elasticsearch's words."""

import json
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import decode_json, nesting
from eldonia_ops.protocols.elasticsearch.errors import document_error

MAX_DEPTH: Final = 20
MAX_FIELDS: Final = 1_000
"""Elasticsearch's own defaults: ``index.mapping.depth.limit`` and ``index.mapping.total_fields.limit``."""

MAX_DOCUMENT: Final = 1 << 20
"""Bytes of one document."""

_decode: Final = msgspec.json.Decoder().decode
_INT_LOW, _INT_HIGH = -(2**63), 2**64


def read_document(line: bytes) -> dict[str, Any]:
    """The document in a text.

    Raises:
        ElasticsearchError: it is no object, or beyond a bound; the reason says which.
    """
    if len(line) > MAX_DOCUMENT:
        cause = f"a document may have {MAX_DOCUMENT:,} bytes, this one has {len(line):,}: send its parts apart"
        raise document_error("failed to parse: the document is too large", cause)
    depth = nesting(line)
    if depth > MAX_DEPTH:
        cause = f"Limit of mapping depth [{MAX_DEPTH}] has been exceeded"
        raise document_error(f"failed to parse: {cause}", cause)
    try:
        found = decode_json(_decode, line)
    except (ValueError, RecursionError) as error:
        raise document_error(f"failed to parse: {_place_of(error)}", str(error)[:300]) from None
    if not isinstance(found, dict):
        raise document_error("failed to parse: the document is not an object")
    check_document(found)
    if line.count(b'":') != len(found) or b'" :' in line or b'"\t' in line:
        _refuse_duplicates(line)
    return found


def check_document(document: dict[str, Any]) -> None:
    """Refuse one with too many fields, or a number that nothing can hold.

    Raises:
        ElasticsearchError: the reason says which.
    """
    fields = 0
    waiting: list[Any] = [document]
    while waiting:
        one = waiting.pop()
        inner = one.items() if isinstance(one, dict) else enumerate(one)
        fields += len(one) if isinstance(one, dict) else 0
        if fields > MAX_FIELDS:
            cause = f"Limit of total fields [{MAX_FIELDS}] has been exceeded"
            raise document_error(f"failed to parse: {cause}", cause)
        for key, value in inner:
            kind = type(value)
            if kind is dict or kind is list:
                waiting.append(value)
            elif kind is int and not _INT_LOW <= value < _INT_HIGH:
                cause = "Numeric value is out of range of long: send it as a text"
                raise document_error(f"failed to parse field [{key}] of type [long]", cause)


def _refuse_duplicates(line: bytes) -> None:
    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in found}) < len(found):
            seen: set[str] = set()
            name = next(key for key, _ in found if key in seen or seen.add(key))
            raise document_error(f"failed to parse: Duplicate field '{name[:100]}'")
        return {}

    try:
        json.loads(line, object_pairs_hook=pairs)
    except (UnicodeDecodeError, json.JSONDecodeError):
        return  # it was decoded before: only half of a surrogate pair is left


def _place_of(error: Exception) -> str:
    text = str(error)
    return "invalid UTF-8" if "UTF-8" in text or "utf-8" in text else text.partition(" (")[0][:200]
