"""The body of a request to events, pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgpack
import msgspec

from eldonia_ops.intake import IntakeError, TooMuchError, UnsupportedError
from eldonia_ops.intake.http_input.forms import form_fields, is_form
from eldonia_ops.model.foreign import decode_json, nesting, too_many_values
from eldonia_ops.protocols.msgpack_count import holds_more_values_than

_MAX_DEPTH: Final = 128
MOST_VALUES: Final = 2_000_000
"""In one body of MessagePack, with keys: each may be a byte there, and some seventy in memory."""

_decode_json: Final = msgspec.json.Decoder().decode
_decode_msgpack: Final = msgspec.msgpack.Decoder().decode
FORM_KINDS: Final = ("json", "ndjson", "msgpack")
"""The fields of a form that hold events."""
_KINDS: Final = {
    "application/json": "json",
    "application/csp-report": "json",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/msgpack": "msgpack",
    "application/x-msgpack": "msgpack",
}
_WANTED: Final = "send application/json, application/x-ndjson, application/msgpack, or a form with json="


def decode_events(content_type: str, body: bytes) -> list[dict[str, Any]]:
    """The events of a body. Their values are those of MessagePack, their keys texts.

    Raises:
        IntakeError: it is not what its Content-Type says.
        TooMuchError: it has more values than there is memory for.
        UnsupportedError: nothing is known of that Content-Type.
    """
    media = content_type.partition(";")[0].strip().lower()
    if is_form(content_type):
        return form_events(form_fields(content_type, body))
    if media not in _KINDS and not (media.endswith("+json") or (not media and body.lstrip()[:1] in (b"{", b"["))):
        raise UnsupportedError(_WANTED)
    return _of_kind(_KINDS.get(media, "json"), body)


def _of_kind(kind: str, body: bytes) -> list[dict[str, Any]]:
    match kind:
        case "msgpack":
            return _records(_from_msgpack(body))
        case "ndjson":
            if too_many_values(body):
                raise TooMuchError("the body has too many values: send less at once")
            return [record for line in body.splitlines() if line.strip() for record in _records(_from_json(line))]
        case _:
            return _records(_from_json(body))


def form_events(fields: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The events of a form: in ``json``, ``ndjson`` or ``msgpack``.

    Raises:
        IntakeError, TooMuchError: there is none of these fields, or it is not what its name says.
    """
    for kind in FORM_KINDS:
        if kind in fields:
            return _of_kind(kind, fields[kind])
    raise IntakeError("'json', 'ndjson' or 'msgpack' parameter is required")


def _from_json(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").encode()
    if nesting(text) > _MAX_DEPTH:
        raise IntakeError(f"the body is nested deeper than {_MAX_DEPTH} levels")
    try:
        return decode_json(_decode_json, text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise IntakeError(f"the body is no JSON: {error}") from None


def _from_msgpack(body: bytes) -> Any:
    if holds_more_values_than(body, MOST_VALUES):
        raise TooMuchError(f"the body has more than {MOST_VALUES:,} values: send less at once")
    # What it announces has to be there before anything is built of it.
    scanner = msgpack.Unpacker(max_buffer_size=len(body) + 1)
    scanner.feed(body)
    try:
        scanner.skip()
        whole = scanner.tell() == len(body)
        found = _decode_msgpack(body) if whole else None
    except (ValueError, msgpack.OutOfData, msgspec.MsgspecError, RecursionError):
        whole, found = False, None
    if not whole:
        raise IntakeError("the body is no MessagePack of UTF-8, or nested too deep")
    return found


def _records(value: Any) -> list[dict[str, Any]]:
    some: Sequence[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(one, dict) for one in some):
        raise IntakeError("an event is no object")
    return [_named(one) for one in some]


def _named(record: Mapping[Any, Any]) -> dict[str, Any]:
    if all(type(key) is str for key in record):
        return dict(record)
    return {key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key): one for key, one in record.items()}
