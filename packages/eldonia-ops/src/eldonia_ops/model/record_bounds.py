"""How large one log record or span may be. What is beyond is cut off with a mark; the record is never lost.

The bounds are bytes of UTF-8. A record takes no more than their sum, some 350 KiB; a span some 500 KiB.
"""

from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import bounded_attributes, bounded_text, clean_text
from eldonia_ops.model.logs import CONTEXT_FIELDS, LogError, LogRecord
from eldonia_ops.model.spans import Span, SpanEvent, SpanLink

MAX_MESSAGE_BYTES: Final = 64 * 1024
"""A message, and the stack of an error."""

MAX_FIELD_BYTES: Final = 4 * 1024
"""Each of the other texts of a record: service, ids, user agent, …"""

MAX_ERROR_BYTES: Final = 16 * 1024
MAX_PARTS: Final = 256
"""Events, and links, of one span."""

_PARTS_BYTES = 128 * 1024
# Not ``source``: by it a record that is read twice is recognised.
_FIELDS: Final = (*CONTEXT_FIELDS, "tag", "parse_error")


def bounded_record(record: LogRecord) -> LogRecord:
    """The record within the bounds; the same object when nothing had to be changed."""
    changes: dict[str, Any] = {}
    if (message := _text(record.message, MAX_MESSAGE_BYTES)) is not record.message:
        changes["message"] = message
    for name in _FIELDS:
        old = getattr(record, name)
        if old and (text := _text(old, MAX_FIELD_BYTES)) is not old:
            changes[name] = text
    if record.error is not None and (error := _error(record.error)) != record.error:
        changes["error"] = error
    if record.metadata and (metadata := bounded_attributes(record.metadata)) is not record.metadata:
        changes["metadata"] = metadata
    return msgspec.structs.replace(record, **changes) if changes else record


def bounded_span(span: Span) -> Span:
    """The span within the bounds; the same object when nothing had to be changed.

    What many spans share, ``resource``, ``service`` and ``scope``, is left as it is: bound it once for all of them,
    with :func:`bounded_field` and :func:`~eldonia_ops.model.foreign.bounded_attributes`.
    """
    changes: dict[str, Any] = {}
    if (name := _text(span.name, MAX_FIELD_BYTES)) is not span.name:
        changes["name"] = name
    if span.status_message and (text := _text(span.status_message, MAX_ERROR_BYTES)) is not span.status_message:
        changes["status_message"] = text
    if (attributes := bounded_attributes(span.attributes)) is not span.attributes:
        changes["attributes"] = attributes
    if span.events:
        changes["events"] = _events(span.events)
    if span.links:
        changes["links"] = _links(span.links)
    return msgspec.structs.replace(span, **changes) if changes else span


def bounded_field(text: str) -> str:
    """One of the short texts of a record or a span, within the bounds."""
    return _text(text, MAX_FIELD_BYTES)


def _text(text: str, limit: int) -> str:
    # Most texts are short and plain: they are only looked at.
    return text if len(text) * 4 <= limit and text.isprintable() else bounded_text(text, limit)


def _error(error: LogError) -> LogError:
    return LogError(
        name=_text(error.name, MAX_FIELD_BYTES),
        message=_text(error.message, MAX_ERROR_BYTES),
        stack=_text(error.stack, MAX_MESSAGE_BYTES),
        code=_text(error.code, MAX_FIELD_BYTES),
    )


def _events(events: list[SpanEvent]) -> list[SpanEvent]:
    room, found = _PARTS_BYTES, list[SpanEvent]()
    for event in events[:MAX_PARTS]:
        attributes = bounded_attributes(event.attributes, limit=max(0, room))
        name = _text(event.name, MAX_FIELD_BYTES)
        room -= 16 + len(name) + _size(attributes)
        found.append(SpanEvent(event.timestamp_ns, name, attributes))
        if room <= 0:
            break
    return _counted(found, len(events))


def _counted(found: list[SpanEvent], count: int) -> list[SpanEvent]:
    if len(found) < count:
        found[-1] = SpanEvent(found[-1].timestamp_ns, f"… {count - len(found) + 1} more events cut off")
    return found


def _links(links: list[SpanLink]) -> list[SpanLink]:
    room, found = _PARTS_BYTES, list[SpanLink]()
    for link in links[:MAX_PARTS]:
        attributes = bounded_attributes(link.attributes, limit=max(0, room))
        room -= 64 + _size(attributes)
        found.append(SpanLink(clean_text(link.trace_id), clean_text(link.span_id), attributes))
        if room <= 0:
            break
    return found


def _size(attributes: dict[str, Any]) -> int:
    return len(msgspec.json.encode(attributes)) if attributes else 0
