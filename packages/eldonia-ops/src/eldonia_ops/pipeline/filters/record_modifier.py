"""``@type record_modifier``: fields added, removed, and replaced by an expression.

https://github.com/repeatedly/fluent-plugin-record-modifier, without Ruby: see :mod:`.placeholders`.
"""

import re
from typing import Any, ClassVar, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.filters.record_transformer import RecordTransformer
from eldonia_ops.pipeline.record_edits import as_text, with_field
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.ruby_search import RubySearch
from eldonia_ops.pipeline.section import Section, SectionReader

_BACK_REFERENCE: Final = re.compile(r"\\(?:([0-9])|k<([^>]{1,256})>|(\\))", re.ASCII)
_OF_TRANSFORMER: Final = ("@type", "remove_keys", "auto_typecast")


class RecordModifier(StatelessFilter):
    """``<record>`` and ``remove_keys`` are those of ``record_transformer``; then ``whitelist_keys`` are all that is
    kept, and each ``<replace>`` changes what its ``expression`` finds in the field ``key``."""

    type: ClassVar[str] = "record_modifier"

    def __init__(self, reader: SectionReader, hostname: str = "") -> None:
        section = reader.section
        kept = {name: one for name, one in section.parameters.items() if name in _OF_TRANSFORMER}
        own = Section("filter", section.argument, kept, reader.sections("record"), section.place)
        reader.ignore(*_OF_TRANSFORMER)
        self._fields = RecordTransformer(SectionReader(own, reader.problems), hostname)
        self._only = frozenset(reader.texts("whitelist_keys"))
        if self._only and "remove_keys" in section.parameters:
            reader.problem("remove_keys and whitelist_keys exclude each other", "whitelist_keys")
        if "char_encoding" in section.parameters:
            hint = "of the lines of a file: encoding in its <source>"
            message = "char_encoding has no effect: texts are Unicode here"
            reader.problem(message, "char_encoding", hint=hint, level=Level.WARNING)
            reader.ignore("char_encoding")
        if "prepare_value" in section.parameters:
            reader.problem("prepare_value: no Ruby is run here", "prepare_value", hint="see docs/pipeline.md")
            reader.ignore("prepare_value")
        self._rules: list[tuple[str, RubySearch, str]] = []
        for one in reader.sections("replace"):
            inside = SectionReader(one, reader.problems)
            key = inside.string("key", required=True)
            expression, new = inside.string("expression", required=True), inside.string("replace")
            try:
                steps_of(key)
                self._rules.append((key, RubySearch(expression), new))
            except ValueError as error:
                inside.problem(f"expression: {error}", "expression")
            inside.finish()

    def filter(self, batch: Batch) -> Filtered:
        """The events with their new records."""
        found = self._fields.filter(batch)
        if not self._only and not self._rules:
            return found
        return Filtered(tuple([self._event(event) for event in found.events]), found.refused)

    def _event(self, event: Event) -> Event:
        record: dict[str, Any] = event.record
        if self._only:
            record = {name: value for name, value in record.items() if name in self._only}
        for key, pattern, new in self._rules:
            value = field_of(record, key)
            if value is not None:
                record = with_field(record, key, _replaced(as_text(value), pattern, new))
        return Event(event.time_ns, record)


def _replaced(text: str, pattern: RubySearch, new: str) -> str:
    """A text with all that a pattern finds replaced; ``\\1`` and ``\\k<name>`` are what its groups took."""
    parts: list[str] = []
    done = 0
    for match in pattern.all(text):
        start, end = match.span()

        def group(place: re.Match[str], match: Any = match) -> str:
            if place[3]:
                return "\\"
            number = int(place[1]) if place[1] else pattern.group_of(place[2])
            known = number <= len(match.groups()) and (place[1] or number)
            return (match[number] or "") if known else ""

        parts += (text[done:start], _BACK_REFERENCE.sub(group, new))
        done = end
    return "".join(parts) + text[done:] if parts else text
