"""``@type grep``: keeps the events whose fields match. https://docs.fluentd.org/filter/grep"""

from typing import ClassVar, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.ruby_regexp import RubyRegexp
from eldonia_ops.pipeline.section import SectionReader

MOST_OLD: Final = 20
_Condition = tuple[str, RubyRegexp]


class Grep(StatelessFilter):
    """``<regexp>`` sections must all match and no ``<exclude>`` may; ``<and>`` and ``<or>`` join them otherwise."""

    type: ClassVar[str] = "grep"

    def __init__(self, reader: SectionReader) -> None:
        self._all: list[_Condition] = []  # regexp: all must match
        self._any: list[_Condition] = []  # regexp in <or>: one must match
        self._not_all: list[_Condition] = []  # exclude in <and>: not all may match
        self._none: list[_Condition] = []  # exclude: none may match
        self._old(reader)
        self._sections(reader, self._all, self._none)
        for name, wanted, unwanted in (("and", self._all, self._not_all), ("or", self._any, self._none)):
            for section in reader.sections(name):
                inside = SectionReader(section, reader.problems)
                if inside.sections("regexp") and inside.sections("exclude"):
                    inside.problem(f"<{name}> has both <regexp> and <exclude>", hint="write two sections")
                self._sections(inside, wanted, unwanted)
                inside.finish()
        if not (self._all or self._any or self._not_all or self._none):
            reader.problem(
                "grep has no condition: it lets everything pass", hint="<regexp> key … pattern /…/ </regexp>"
            )

    def filter(self, batch: Batch) -> Filtered:
        """The events that may pass."""
        events = tuple([event for event in batch.events if self._passes(event)])
        return Filtered(batch.events if len(events) == len(batch.events) else events)

    def _passes(self, event: Event) -> bool:
        record = event.record

        def matches(condition: _Condition) -> bool:
            return condition[1].matches(as_text(field_of(record, condition[0])))

        return (
            all(map(matches, self._all))
            and (not self._any or any(map(matches, self._any)))
            and not (self._not_all and all(map(matches, self._not_all)))
            and not any(map(matches, self._none))
        )

    def _old(self, reader: SectionReader) -> None:
        for kind, conditions in (("regexp", self._all), ("exclude", self._none)):
            for number in range(1, MOST_OLD + 1):
                name = f"{kind}{number}"
                written = reader.string(name)
                if not written:
                    continue
                key, _, pattern = written.partition(" ")
                if not pattern.strip():
                    reader.problem(f"{name} needs a field and an expression", name, hint=f"{name} message ERROR")
                    continue
                self._add(reader, name, key, pattern.strip(), conditions)

    def _sections(self, reader: SectionReader, wanted: list[_Condition], unwanted: list[_Condition]) -> None:
        for name, conditions in (("regexp", wanted), ("exclude", unwanted)):
            for section in reader.sections(name):
                inside = SectionReader(section, reader.problems)
                key, pattern = inside.string("key", required=True), inside.string("pattern", required=True)
                if key and pattern:
                    self._add(inside, "pattern", key, pattern, conditions)
                inside.finish()

    def _add(self, reader: SectionReader, name: str, key: str, pattern: str, conditions: list[_Condition]) -> None:
        if any(key == known for known, _ in conditions):
            hint = "join the expressions with |, or use a second filter"
            reader.problem(f"the field {key} is named twice", name, hint=hint)
        try:
            steps_of(key)
            conditions.append((key, RubyRegexp(pattern)))
        except ValueError as error:
            reader.problem(f"{name}: {error}", name)
