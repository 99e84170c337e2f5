"""``<inject>``: fields that an output adds to each record. https://docs.fluentd.org/configuration/inject-section"""

from dataclasses import dataclass, field
from typing import Any

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.formatters.time_text import TimeText
from eldonia_ops.pipeline.section import SectionReader

WORKER_ID = 0
"""There is one worker."""


@dataclass(frozen=True, slots=True)
class Inject:
    """Names of fields, '' for those that are not added. ``hostname`` '' is that of this machine."""

    hostname_key: str = ""
    hostname: str = ""
    worker_id_key: str = ""
    tag_key: str = ""
    time_key: str = ""
    time: TimeText | None = field(default=None, compare=False)

    def into(self, batch: Batch, hostname: str) -> Batch:
        """The events with the fields. ``hostname`` is that of this machine."""
        shared: dict[str, Any] = {}
        if self.hostname_key:
            shared[self.hostname_key] = self.hostname or hostname
        if self.worker_id_key:
            shared[self.worker_id_key] = WORKER_ID
        if self.tag_key:
            shared[self.tag_key] = batch.tag
        time, key = self.time, self.time_key
        if time is None or not key:
            events = tuple(Event(one.time_ns, {**one.record, **shared}) for one in batch.events)
        else:
            events = tuple(
                Event(one.time_ns, {**one.record, **shared, key: time.value(one.time_ns)}) for one in batch.events
            )
        return Batch(batch.tag, events, batch.source, batch.key)


def read_inject(reader: SectionReader) -> Inject:
    """An ``<inject>`` section."""
    found = Inject(
        hostname_key=reader.string("hostname_key"),
        hostname=reader.string("hostname"),
        worker_id_key=reader.string("worker_id_key"),
        tag_key=reader.string("tag_key"),
        time_key=reader.string("time_key"),
        time=TimeText(reader, type="float"),
    )
    reader.finish()
    return found
