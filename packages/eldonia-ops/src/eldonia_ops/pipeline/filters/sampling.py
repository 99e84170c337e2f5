"""``@type sampling``: one event of so many passes.

Names of fluent-plugin-sampling-filter (https://github.com/tagomoris/fluent-plugin-sampling-filter).
"""

from typing import Any, ClassVar, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filter, Filtered
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.section import SectionReader

MAX_UNITS: Final = 10_000
_MINUTE_MS: Final = 60_000
_Counts = dict[str, tuple[int, int, int]]


class Sampling(Filter):
    """Of each ``sample_unit`` (``tag``, ``all`` or a field) every ``interval``-th event passes; with
    ``minimum_rate_per_min`` so many of each minute pass before that."""

    type: ClassVar[str] = "sampling"

    def __init__(self, reader: SectionReader) -> None:
        self._interval = reader.integer("interval", 1, minimum=1)
        if reader.value("interval") is None:
            reader.problem("sampling needs interval: one event of so many passes", hint="interval 10")
        self._unit = reader.string("sample_unit", "tag")
        self._minimum = reader.integer("minimum_rate_per_min", 0, minimum=0)
        try:
            steps_of(self._unit)
        except ValueError as error:
            reader.problem(str(error), "sample_unit")

    def start(self) -> _Counts:
        """Nothing was counted: by unit the count, the minute, and how many passed in it."""
        return {}

    def step(self, state: _Counts, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        counts = dict(state)
        kept: list[Event] = []
        minute_now = now_ms // _MINUTE_MS
        for event in batch.events:
            unit = self._name(batch.tag, event)
            count, minute, passed = counts.pop(unit, (0, minute_now, 0))
            if minute != minute_now:
                minute, passed = minute_now, 0
            if self._minimum and passed < self._minimum:
                kept.append(event)
                passed += 1
            else:
                count += 1
                if count >= self._interval:
                    count = 0
                    kept.append(event)
            counts[unit] = (count, minute, passed)
            if len(counts) > MAX_UNITS:
                del counts[next(iter(counts))]
        return Filtered(tuple(kept)), counts

    def _name(self, tag: str, event: Event) -> str:
        if self._unit == "tag":
            return tag
        return "" if self._unit == "all" else as_text(field_of(event.record, self._unit))
