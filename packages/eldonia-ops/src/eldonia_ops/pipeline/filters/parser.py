"""``@type parser``: a field is read by a parser. https://docs.fluentd.org/filter/parser"""

from typing import Any, ClassVar

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filter, Filtered
from eldonia_ops.pipeline.old_parse import read_parser
from eldonia_ops.pipeline.parsers import ParseError
from eldonia_ops.pipeline.record_edits import as_text, without_field
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.section import SectionReader

_LONGEST_SHOWN = 200


class ParserFilter(Filter):
    """The parsed fields replace the record, or with ``reserve_data`` join it."""

    type: ClassVar[str] = "parser"

    def __init__(self, reader: SectionReader) -> None:
        self._key = reader.string("key_name", required=True)
        try:
            steps_of(self._key)
        except ValueError as error:
            reader.problem(str(error), "key_name")
        self._reserve_data = reader.boolean("reserve_data", False)
        self._reserve_time = reader.boolean("reserve_time", False)
        self._remove_key = reader.boolean("remove_key_name_field", False)
        self._prefix = reader.string("inject_key_prefix")
        self._field = reader.string("hash_value_field")
        self._to_error = reader.boolean("emit_invalid_record_to_error", True)
        reader.ignore("replace_invalid_sequence")  # always done
        self.parser = read_parser(reader)

    def step(self, state: Any, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        events: list[Event] = []
        refused: list[tuple[Event, str]] = []
        for event in batch.events:
            raw = field_of(event.record, self._key)
            reason = ""
            if raw is None:
                reason = f"there is no field {self._key}"
            else:
                try:
                    parsed = self.parser.parse(as_text(raw), now_ms * 1_000_000) if self.parser is not None else []
                    events += [self._event(event, time_ns, record) for time_ns, record in parsed]
                except ParseError as error:
                    reason = f"{error.reason}: {shown(as_text(raw))}"
            if reason:
                if self._reserve_data:
                    events.append(Event(event.time_ns, {**event.record, **self._placed({})}))
                if self._to_error:
                    refused.append((event, f"parser: {reason}"))
        return Filtered(tuple(events), tuple(refused)), None

    def _event(self, event: Event, time_ns: int | None, parsed: dict[str, Any]) -> Event:
        placed = self._placed(parsed)
        record = placed
        if self._reserve_data:
            kept = without_field(event.record, self._key) if self._remove_key else event.record
            record = {**kept, **placed}
        return Event(event.time_ns if time_ns is None or self._reserve_time else time_ns, record)

    def _placed(self, parsed: dict[str, Any]) -> dict[str, Any]:
        if self._prefix:
            parsed = {self._prefix + key: value for key, value in parsed.items()}
        return {self._field: parsed} if self._field else parsed


def shown(text: str) -> str:
    """A text for a message: not too long."""
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]!r}…"
