"""Documents that came with a time of their own, such as the events of Fluentd, to records; those of one shape together.

What their keys mean is the same as in the lines of a file (:mod:`eldonia_ops.protocols.logs.fields`). A time that a
document names itself counts: it is when the thing happened, the event's time may be when it was read. What looks like
a time and is none stays a field.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import bounded_attributes, bounded_text
from eldonia_ops.model.log_batch import LogBatch, LogPart, joined_parts
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.record_bounds import MAX_MESSAGE_BYTES, bounded_record
from eldonia_ops.protocols.logs.fields import known_event_shape, record_of
from eldonia_ops.protocols.logs.lines import MIN_BLOCK
from eldonia_ops.protocols.plain_values import plain_record

_AT_ONCE: Final = 256
_encode: Final = msgspec.json.Encoder().encode


def document_records(
    documents: Sequence[Mapping[str, Any]],
    times_ns: Sequence[int],
    received_ns: int,
    *,
    tag: str = "",
    source: str = "",
) -> LogBatch:
    """The records of documents, in their order. Never raises for what a document holds.

    ``times_ns`` has Unix nanoseconds for each of them, 0 where none is known: then ``received_ns`` counts. Values may
    be those of MessagePack; keys are texts. ``tag`` and ``source`` are of all.
    """
    if not all(times_ns):
        times_ns = [at or received_ns for at in times_ns]
    shared = {"source": source, "tag": tag}
    parts: dict[tuple[str, ...], list[LogPart]] = {}
    careful: list[int] = []
    # So few at once that what is built of them stays in the processor's cache.
    for start in range(0, len(documents), _AT_ONCE):
        some: Sequence[Any] = documents[start : start + _AT_ONCE]
        groups: dict[tuple[str, ...], list[int]] = {}
        for row, document in enumerate(some):
            groups.setdefault(tuple(document), []).append(row)
        for keys, rows in groups.items():
            shape = known_event_shape(dict.fromkeys(keys)) if keys and len(rows) >= MIN_BLOCK else None
            if shape is None:
                careful += [start + row for row in rows]
                continue
            whole = len(rows) == len(some)
            places = range(start, start + len(some)) if whole else [start + row for row in rows]
            found, more = shape.parts(
                some if whole else [some[row] for row in rows],
                places,
                None,
                [0] * len(rows),
                shared=shared,
                times_ns=times_ns[start : start + len(some)] if whole else [times_ns[place] for place in places],
            )
            careful += more
            for part in found:
                parts.setdefault((*keys, *part.block.metadata), []).append(part)
    singles = {
        place: document_record(documents[place], times_ns[place], tag=tag, source=source) for place in sorted(careful)
    }
    return LogBatch([joined_parts(same) for same in parts.values()], singles)


def document_record(document: Mapping[str, Any], at_ns: int, *, tag: str = "", source: str = "") -> LogRecord:
    """The record of one document that came at, or is of, an instant. Never raises for what the document holds."""
    try:
        value = bounded_attributes(plain_record(dict(document)), strict=True)
        record = record_of(dict(value), _encode(value).decode(), at_ns, event=True)
    except (ValueError, RecursionError, OverflowError) as error:
        record = LogRecord(timestamp_ns=at_ns, message=_text(document), parse_error=str(error))
    return bounded_record(msgspec.structs.replace(record, tag=tag, source=source))


def _text(document: Mapping[str, Any]) -> str:
    try:
        return bounded_text(_encode(plain_record(dict(document))).decode(), MAX_MESSAGE_BYTES)
    except (ValueError, RecursionError, OverflowError):
        return "an event that is nested too deep to be shown"
