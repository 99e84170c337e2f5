"""``@type detect_exceptions``: the lines of a stack trace become one event.

Names of fluent-plugin-detect-exceptions (https://github.com/GoogleCloudPlatform/fluent-plugin-detect-exceptions),
where it is an output; here it is a filter, so that the tag stays.
"""

from typing import Any, ClassVar

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filter, Filtered
from eldonia_ops.pipeline.filters.held_lines import MAX_STREAMS, HeldLines, Streams, ended, held_of, text_at
from eldonia_ops.pipeline.filters.stack_traces import StackTraces
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of
from eldonia_ops.pipeline.section import SectionReader

_FIELDS = ("message", "log")


class DetectExceptions(Filter):
    """A trace that nothing was added to for ``multiline_flush_interval`` is complete."""

    type: ClassVar[str] = "detect_exceptions"
    holds: ClassVar[bool] = True

    def __init__(self, reader: SectionReader) -> None:
        key = reader.string("message")
        self._keys = (key,) if key else _FIELDS
        self._stream = reader.string("stream")
        self._flush_ms = round(reader.seconds("multiline_flush_interval", 1) * 1_000)
        self._lines = reader.integer("max_lines", 1_000, minimum=0)
        self._bytes = reader.size("max_bytes", 0)
        if reader.string("remove_tag_prefix"):
            name = "remove_tag_prefix"
            reader.problem("a filter does not change the tag", name, hint="take it out", level=Level.WARNING)
        reader.ignore("force_line_breaks")
        try:
            self._traces = StackTraces(reader.texts("languages"))
        except ValueError as error:
            reader.problem(str(error), "languages")
            self._traces = StackTraces()

    def start(self) -> Streams:
        """Nothing is held back."""
        return {}

    def step(self, state: Streams, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        streams = dict(state)
        found: list[Event] = []
        for event in batch.events:
            name = f"{batch.tag}\0{as_text(field_of(event.record, self._stream)) if self._stream else ''}"
            held = streams.pop(name, None)
            key = next((key for key in self._keys if key in event.record), None)
            text = None if key is None else text_at(event, key)
            if held is not None:
                after = None if text is None else self._traces.continues(held.mark, text)
                if after is not None and text is not None and not self._full(held, text):
                    streams[name] = held.with_line(event, text, now_ms, after)
                    continue
                found.append(self._joined(held))
            begun = "" if text is None else self._traces.begins(text)
            if begun and text is not None and len(streams) < MAX_STREAMS:
                streams[name] = held_of(batch.tag, event, text, now_ms, begun)
            else:
                found.append(event)
        return Filtered(tuple(found)), streams

    def _full(self, held: HeldLines, text: str) -> bool:
        return (
            held.full
            or bool(self._lines and len(held.events) >= self._lines)
            or bool(self._bytes and held.size + len(text) > self._bytes)
        )

    def _joined(self, held: HeldLines) -> Event:
        key = next(key for key in self._keys if key in held.events[0].record)
        # Records of tail have no line end at the end of a text, those of docker have.
        return held.joined(key, "" if held.texts[0].endswith("\n") else "\n")

    def expired(self, state: Streams, now_ms: int) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.expired`."""
        found, streams = ended(state, lambda held: now_ms - held.changed_ms >= self._flush_ms)
        return tuple(("", Batch(held.tag, (self._joined(held),))) for held in found), streams

    def finished(self, state: Streams) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.finished`."""
        return tuple(("", Batch(held.tag, (self._joined(held),))) for held in state.values()), {}

    def next_deadline(self, state: Streams) -> int | None:
        """See :meth:`Filter.next_deadline`."""
        return min((held.changed_ms for held in state.values()), default=0) + self._flush_ms if state else None

    def held(self, state: Streams) -> int:
        """See :meth:`Filter.held`."""
        return sum(len(held.events) for held in state.values())
