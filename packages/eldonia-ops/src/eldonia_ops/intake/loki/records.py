"""Streams to records: the line is read like a line of a file, labels and metadata like the fields around it; pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from eldonia_ops.intake.loki.decode import Entry, Stream
from eldonia_ops.model.foreign import bounded_attributes
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.protocols.logs.fields import record_of

_TAKEN: Final = frozenset({"log", "message", "metadata", "record", "text"})
"""Names that mean something around a line, and here are labels like others."""

_SERVICES: Final = ("app_kubernetes_io_name", "container", "container_name", "job")
"""Labels that say the service where none is called so, as Loki looks for them."""


def push_records(streams: Iterable[Stream], source: str) -> list[LogRecord]:
    """A record for each line, in their order. Never raises for what a line holds. ``source`` is of all."""
    found: list[LogRecord] = []
    for stream in streams:
        labels = {f"label.{name}" if name in _TAKEN else name: value for name, value in stream.labels.items()}
        service = next((stream.labels[name] for name in _SERVICES if stream.labels.get(name)), "")
        found += [_record(labels, entry, service, source) for entry in stream.entries]
    return found


def _record(labels: Mapping[str, str], entry: Entry, service: str, source: str) -> LogRecord:
    around = dict(labels)
    for name, value in entry.metadata.items():
        around[f"label.{name}" if name in _TAKEN else name] = value
    try:
        # The stream is what makes an empty line one of a container, and not an object without a text.
        document = bounded_attributes({"stream": "", **around, "log": entry.line}, strict=True)
        record = record_of(dict(document), entry.line, entry.time_ns, event=True)
    except (ValueError, RecursionError, OverflowError) as error:
        record = LogRecord(timestamp_ns=entry.time_ns, message=entry.line, metadata=around, parse_error=str(error))
    metadata = record.metadata
    if "stream" not in around and metadata.get("stream") == "":
        metadata = {name: value for name, value in metadata.items() if name != "stream"}
    return bounded_record(
        msgspec.structs.replace(
            record,
            # What the sender says is the time of the line, which it may have read there itself.
            timestamp_ns=entry.time_ns,
            service=record.service or service,
            metadata=metadata,
            source=source,
        )
    )
