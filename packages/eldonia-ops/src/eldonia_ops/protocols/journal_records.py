"""Entries of a journal to records: the same mapping as that of journald's JSON in a file."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from eldonia_ops.model.foreign import bounded_attributes
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.protocols.journal_export import JournalEntry
from eldonia_ops.protocols.logs.fields import record_of

_OF_THE_JOURNAL: Final = frozenset({"__CURSOR", "__MONOTONIC_TIMESTAMP", "__SEQNUM", "__SEQNUM_ID"})
"""Where an entry is in its journal, which no one searches for."""


def journal_records(entries: Sequence[JournalEntry], received_ns: int, source: str) -> list[LogRecord]:
    """A record for each entry. Never raises for what an entry holds. ``source`` is of all."""
    return [_record(entry, received_ns, source) for entry in entries]


def _record(entry: JournalEntry, received_ns: int, source: str) -> LogRecord:
    message = entry.get("MESSAGE", "")
    # The cursor is what marks an entry as one.
    document: dict[str, Any] = {**entry, "MESSAGE": message, "__CURSOR": entry.get("__CURSOR", "")}
    try:
        record = record_of(dict(bounded_attributes(document, strict=True)), str(message), received_ns)
    except (ValueError, RecursionError, OverflowError) as error:
        record = LogRecord(timestamp_ns=received_ns, message=str(message), parse_error=str(error))
    metadata = {key: value for key, value in record.metadata.items() if key not in _OF_THE_JOURNAL}
    return bounded_record(msgspec.structs.replace(record, metadata=metadata, source=source))
