"""``@type concat``: lines that belong together become one.

Of fluent-plugin-concat: https://github.com/fluent-plugins-nursery/fluent-plugin-concat
"""

from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filter, Filtered
from eldonia_ops.pipeline.filters.held_lines import MAX_STREAMS, HeldLines, Streams, ended, held_of, text_at
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

_LINES, _REGEXP, _PARTIAL = "n_lines", "regexp", "partial"
_CRI_PARTIAL: Final = "P"


class Concat(Filter):
    """Lines of one stream are counted (``n_lines``), begin and end as expressions say, or are marked as parts.

    What nothing was added to for ``flush_interval`` goes to ``timeout_label``, or on as it is when there is none.
    """

    type: ClassVar[str] = "concat"
    holds: ClassVar[bool] = True

    def __init__(self, reader: SectionReader) -> None:
        self._key = reader.string("key", required=True)
        self._separator = reader.string("separator", "\n")
        self._identity = reader.string("stream_identity_key")
        self._flush_ms = round(reader.seconds("flush_interval", 60) * 1_000)
        self._label = reader.string("timeout_label")
        self._first_time = reader.boolean("use_first_timestamp", False)
        self._count = reader.integer("n_lines", 0, minimum=0)
        self._start = _expression(reader, "multiline_start_regexp")
        self._end = _expression(reader, "multiline_end_regexp")
        self._more = _expression(reader, "continuous_line_regexp")
        self._partial_key = reader.string("partial_key")
        self._partial_value = reader.string("partial_value")
        self._keep_partial = reader.boolean("keep_partial_key", False)
        reader.ignore("keep_partial_metadata", "partial_metadata_format", "partial_cri_stream_key")
        if reader.boolean("use_partial_metadata", False):
            self._partial_key, self._partial_value = "partial_message", "true"
        if reader.boolean("use_partial_cri_logtag", False):
            self._partial_key = reader.string("partial_cri_logtag_key", "logtag")
            self._partial_value, self._identity = _CRI_PARTIAL, self._identity or "stream"
        self._mode = self._read_mode(reader)

    def _read_mode(self, reader: SectionReader) -> str:
        modes = [
            mode
            for mode, wanted in (
                (_LINES, self._count > 0),
                (_REGEXP, self._start is not None or self._end is not None),
                (_PARTIAL, bool(self._partial_key)),
            )
            if wanted
        ]
        if len(modes) != 1:
            message = "concat needs one of n_lines, multiline_start_regexp (with multiline_end_regexp), partial_key"
            reader.problem(f"{message}, not {len(modes)}" if modes else message)
        return modes[0] if modes else _LINES

    @property
    def timeout_label(self) -> str:
        """The label of what was held back for too long, '' for none."""
        return self._label

    def start(self) -> Streams:
        """Nothing is held back."""
        return {}

    def step(self, state: Streams, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        streams = dict(state)
        found: list[Event] = []
        for event in batch.events:
            text = text_at(event, self._key)
            if text is None:
                found.append(event)
                continue
            identity = as_text(field_of(event.record, self._identity)) if self._identity else ""
            name = f"{batch.tag}\0{identity}"
            held = streams.pop(name, None)
            held = self._line(held, batch.tag, event, text, now_ms, found)
            if held is not None and (held.full or (len(streams) >= MAX_STREAMS and name not in streams)):
                found.append(self._joined(held))
                held = None
            if held is not None:
                streams[name] = held
        return Filtered(tuple(found)), streams

    def _line(
        self, held: HeldLines | None, tag: str, event: Event, text: str, now_ms: int, found: list[Event]
    ) -> HeldLines | None:
        """What is held back of a stream after one line more; what is complete is added to ``found``."""
        longer = held_of(tag, event, text, now_ms) if held is None else held.with_line(event, text, now_ms)
        if self._mode == _LINES:
            return self._until(longer, len(longer.events) >= self._count, found)
        if self._mode == _PARTIAL:
            value = event.record.get(self._partial_key)
            is_part = value is not None and (not self._partial_value or as_text(value) == self._partial_value)
            return self._until(longer, not is_part, found)
        if self._start is not None and self._start.matches(text):
            if held is not None:
                found.append(self._joined(held))
            return self._until(held_of(tag, event, text, now_ms), self._ends(text), found)
        if self._ends(text):
            return self._until(longer, True, found)
        if held is None and self._start is not None:
            found.append(event)  # it continues nothing
            return None
        if self._more is not None and not self._more.matches(text):
            if held is not None:
                found.append(self._joined(held))
            found.append(event)
            return None
        return longer

    def _ends(self, text: str) -> bool:
        return self._end is not None and self._end.matches(text)

    def _until(self, held: HeldLines, complete: bool, found: list[Event]) -> HeldLines | None:
        if not complete:
            return held
        found.append(self._joined(held))
        return None

    def _joined(self, held: HeldLines) -> Event:
        event = held.joined(self._key, self._separator, first_time=self._first_time)
        if self._mode == _PARTIAL and not self._keep_partial and self._partial_key in event.record:
            record = {key: value for key, value in event.record.items() if key != self._partial_key}
            return Event(event.time_ns, record)
        return event

    def expired(self, state: Streams, now_ms: int) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.expired`."""
        if not self._flush_ms:
            return (), state
        found, streams = ended(state, lambda held: now_ms - held.changed_ms >= self._flush_ms)
        return tuple((self._label, Batch(held.tag, (self._joined(held),))) for held in found), streams

    def finished(self, state: Streams) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.finished`."""
        return tuple((self._label, Batch(held.tag, (self._joined(held),))) for held in state.values()), {}

    def next_deadline(self, state: Streams) -> int | None:
        """See :meth:`Filter.next_deadline`."""
        if not state or not self._flush_ms:
            return None
        return min(held.changed_ms for held in state.values()) + self._flush_ms

    def held(self, state: Streams) -> int:
        """See :meth:`Filter.held`."""
        return sum(len(held.events) for held in state.values())


def _expression(reader: SectionReader, name: str) -> RubyRegexp | None:
    written = reader.string(name)
    if not written:
        return None
    try:
        return RubyRegexp(written)
    except ValueError as error:
        reader.problem(f"{name}: {error}", name)
        return None
