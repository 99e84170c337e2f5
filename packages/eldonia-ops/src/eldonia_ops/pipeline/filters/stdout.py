"""``@type stdout``: shows events on the standard output of the process, and lets them pass."""

from typing import Any, ClassVar

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.formatters import formatter_of
from eldonia_ops.pipeline.section import Parameter, Section, SectionReader


class Stdout(StatelessFilter):
    """https://docs.fluentd.org/filter/stdout"""

    type: ClassVar[str] = "stdout"

    def __init__(self, reader: SectionReader) -> None:
        written = reader.one_section("format")
        kind: Any = reader.string("format") or reader.string("output_type") or "stdout"
        if kind == "hash":
            reader.problem("Ruby's form of a hash is written as JSON", "output_type", level=Level.WARNING)
            kind = "json"
        reader.ignore("include_time_key", "time_key", "time_format", "include_tag_key", "tag_key")
        reader.sections("inject")
        section = written or Section("format", "", {"@type": Parameter("@type", kind, reader.section.place)})
        self._formatter = formatter_of(SectionReader(section, reader.problems))

    def filter(self, batch: Batch) -> Filtered:
        """The batch as it is, and lines of it."""
        if self._formatter is None:
            return Filtered(batch.events)
        lines = [self._formatter.format(batch.tag, event.time_ns, event.record) for event in batch.events]
        return Filtered(batch.events, printed=tuple(line.decode("utf-8", "replace").rstrip("\n") for line in lines))
