"""Events as records of our own store."""

from typing import Final

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.record_bounds import bounded_record
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.formatters.json import json_bytes
from eldonia_ops.protocols.log_fields import record_of

_TAG: Final = "tag"


def records_of(batch: Batch, hostname: str = "") -> list[LogRecord]:
    """The records of a batch, in its order. The event's time counts, and the tag is the source of the record.

    What the names of a record's fields mean is found as for any line of JSON.
    """
    return [_record(event.time_ns, dict(event.record), batch.tag, hostname) for event in batch.events]


def _record(time_ns: int, fields: dict[str, object], tag: str, hostname: str) -> LogRecord:
    import msgspec

    line = json_bytes(fields).decode()
    try:
        record = record_of(fields, line, time_ns)
    except (ValueError, RecursionError, OverflowError) as error:
        record = LogRecord(timestamp_ns=time_ns, message=line, parse_error=str(error))
    return bounded_record(
        msgspec.structs.replace(
            record, timestamp_ns=time_ns or record.timestamp_ns, source=tag, hostname=record.hostname or hostname
        )
    )
