"""``@type record_transformer``: fields added, replaced and removed.

https://docs.fluentd.org/filter/record_transformer, without Ruby: see :mod:`.placeholders`.
"""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.filter import Filtered, StatelessFilter
from eldonia_ops.pipeline.filters.placeholders import PlaceholderError, Scope, TagValues, template_of
from eldonia_ops.pipeline.record_edits import as_text, without_field
from eldonia_ops.pipeline.record_fields import steps_of
from eldonia_ops.pipeline.section import SectionReader

_NS = 1_000_000_000


class RecordTransformer(StatelessFilter):
    """``hostname`` is that of the machine."""

    type: ClassVar[str] = "record_transformer"

    def __init__(self, reader: SectionReader, hostname: str = "") -> None:
        self._hostname = hostname
        self._typecast = reader.boolean("auto_typecast", True)
        self._renew = reader.boolean("renew_record", False)
        self._renew_time = reader.string("renew_time_key")
        self._keep = reader.texts("keep_keys")
        self._remove = reader.texts("remove_keys")
        self._ruby = reader.boolean("enable_ruby", False)
        if self._keep and not self._renew:
            reader.problem("keep_keys needs renew_record true", "keep_keys")
        for name in self._remove:
            try:
                steps_of(name)
            except ValueError as error:
                reader.problem(str(error), "remove_keys")
        self._fixed: dict[str, Any] = {}
        self._computed: list[tuple[str | Callable[[Scope], Any], Callable[[Scope], Any]]] = []
        understood = self._fields(reader)
        if self._ruby and understood:
            hint = "take enable_ruby out"
            reader.problem("no Ruby is run, and none is needed here", "enable_ruby", hint=hint, level=Level.WARNING)
        elif self._ruby:
            reader.problem("enable_ruby true: no Ruby is run here", "enable_ruby", hint="see the fields below it")

    def filter(self, batch: Batch) -> Filtered:
        """The events with their new records."""
        values = TagValues(batch.tag, self._hostname)
        if not self._computed and not self._renew and not self._remove and not self._renew_time:
            return Filtered(tuple([Event(event.time_ns, {**event.record, **self._fixed}) for event in batch.events]))
        events: list[Event] = []
        refused: list[tuple[Event, str]] = []
        for event in batch.events:
            try:
                events.append(self._event(event, values))
            except (ValueError, TypeError, OverflowError) as error:
                refused.append((event, f"record_transformer: {error}"))
        return Filtered(tuple(events), tuple(refused))

    def _event(self, event: Event, values: TagValues) -> Event:
        scope = Scope(values, event.time_ns, event.record)
        record = {} if self._renew else dict(event.record)
        for key in self._keep:
            if key in event.record:
                record[key] = event.record[key]
        record.update(self._fixed)
        for name, value in self._computed:
            record[name if isinstance(name, str) else as_text(name(scope))] = value(scope)
        time_ns = event.time_ns
        if self._renew_time and self._renew_time in record:
            time_ns = _time_of(record[self._renew_time])
        for name in self._remove:
            record = without_field(record, name)
        return Event(time_ns, record)

    # --- reading

    def _fields(self, reader: SectionReader) -> bool:
        """Read the ``<record>`` sections; whether every placeholder was understood."""
        understood = True
        for section in reader.sections("record"):
            inside = SectionReader(section, reader.problems)
            for name in section.parameters:
                try:
                    self._field(name, _parsed(inside.value(name), inside, name))
                except PlaceholderError as error:
                    understood = False
                    inside.problem(f"{name}: {error}", name, hint=error.hint)
            for one in section.sections:
                self._fixed[one.name] = _plain(one)
        return understood

    def _field(self, name: str, written: Any) -> None:
        key = template_of(name, typecast=False)
        value = self._value(written)
        if key is None and not callable(value):
            self._fixed[name] = value
            return
        self._computed.append((name if key is None else key, value if callable(value) else lambda _: value))

    def _value(self, written: Any) -> Any:
        """A value as it is, or a function of the event where there are placeholders in it."""
        if isinstance(written, str):
            return template_of(written, typecast=self._typecast) or written
        if isinstance(written, list):
            values = [self._value(one) for one in written]
            if any(callable(value) for value in values):
                return lambda scope: [value(scope) if callable(value) else value for value in values]
            return written
        if isinstance(written, dict):
            pairs = [(template_of(key, typecast=False) or key, self._value(value)) for key, value in written.items()]
            if any(callable(part) for pair in pairs for part in pair):
                return lambda scope: {
                    as_text(key(scope)) if callable(key) else key: value(scope) if callable(value) else value
                    for key, value in pairs
                }
        return written


def _parsed(value: Any, reader: SectionReader, name: str) -> Any:
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        reader.problem(f"{name} is not JSON: it is taken as a text", name, level=Level.WARNING)
        return value


def _plain(section: Any) -> dict[str, Any]:
    """A section that YAML has as a mapping, as the value that it is."""
    found = {name: parameter.value for name, parameter in section.parameters.items()}
    return {**found, **{inside.name: _plain(inside) for inside in section.sections}}


def _time_of(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"the time {value!r} is no Unix time") from None
    if isinstance(value, int):
        return value * _NS
    if not abs(number) < 1e11:
        raise ValueError(f"the time {value!r} is no Unix time")
    return round(number * 1_000_000) * 1_000
