"""Matches that give events another tag, after which they begin again: ``detect_exceptions``, ``rewrite_tag_filter``."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

from eldonia_ops.model.errors import Level
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.filters.detect_exceptions import DetectExceptions
from eldonia_ops.pipeline.filters.filter import Filter, Filtered, StatelessFilter
from eldonia_ops.pipeline.filters.placeholders import TagValues
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.record_fields import field_of, steps_of
from eldonia_ops.pipeline.ruby_search import RubySearch
from eldonia_ops.pipeline.section import Section, SectionReader

SAME: Final = "@SAME"
"""The label in which a match is: there its events begin again."""
_PLACEHOLDER: Final = re.compile(
    r"\$\{tag\}|__TAG__|\$\{hostname\}|__HOSTNAME__|\$\{tag_parts\[(-?[0-9]{1,3})\]\}|__TAG_PARTS\[(-?[0-9]{1,3})\]__"
    r"|\$([0-9])|\$\{([0-9])\}",
    re.ASCII,
)


def rewritten(tag: str) -> tuple[str | None, ...]:
    """The texts of a new tag as it is written, with None for what an event decides."""
    found: list[str | None] = []
    at = 0
    for place in _PLACEHOLDER.finditer(tag):
        found += [tag[at : place.start()] or None, None] if place.start() > at else [None]
        at = place.end()
    return (*found, *([tag[at:]] if at < len(tag) else []))


def without_prefix(tag: str, prefix: str) -> str:
    """A tag without its first parts; itself where it does not begin so."""
    if not prefix or not (tag == prefix or tag.startswith(f"{prefix}.")):
        return tag
    return tag[len(prefix) :].lstrip(".")


class TracesAsOutput(Filter):
    """``detect_exceptions`` as the match that it is in Fluentd: ``remove_tag_prefix`` makes the new tag."""

    type: ClassVar[str] = "detect_exceptions"

    def __init__(self, reader: SectionReader) -> None:
        self._prefix = reader.string("remove_tag_prefix", required=True).rstrip(".")
        reader.ignore("stream")
        section = reader.section
        kept = {name: one for name, one in section.parameters.items() if name != "remove_tag_prefix"}
        for name in section.parameters:
            reader.ignore(name)
        reader.sections("buffer")
        self._filter = DetectExceptions(
            SectionReader(Section("match", section.argument, kept, (), section.place), reader.problems)
        )

    def start(self) -> Any:
        """See :meth:`Filter.start`."""
        return self._filter.start()

    def step(self, state: Any, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        found, after = self._filter.step(state, batch, now_ms)
        again = (self._renamed(Batch(batch.tag, found.events, batch.source)),) if found.events else ()
        return Filtered((), relabelled=again), after

    def expired(self, state: Any, now_ms: int) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.expired`."""
        found, after = self._filter.expired(state, now_ms)
        return tuple(self._renamed(batch) for _, batch in found), after

    def finished(self, state: Any) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """See :meth:`Filter.finished`."""
        found, after = self._filter.finished(state)
        return tuple(self._renamed(batch) for _, batch in found), after

    def next_deadline(self, state: Any) -> int | None:
        """See :meth:`Filter.next_deadline`."""
        return self._filter.next_deadline(state)

    def held(self, state: Any) -> int:
        """See :meth:`Filter.held`."""
        return self._filter.held(state)

    def _renamed(self, batch: Batch) -> tuple[str, Batch]:
        return SAME, Batch(without_prefix(batch.tag, self._prefix), batch.events, batch.source)


class RewriteTag(StatelessFilter):
    """The first ``<rule>`` whose expression matches a field gives the new tag; an event that none fits is dropped.

    Of fluent-plugin-rewrite-tag-filter (https://github.com/fluent/fluent-plugin-rewrite-tag-filter). ``$1`` in a tag is
    what the first group took.
    """

    type: ClassVar[str] = "rewrite_tag_filter"

    def __init__(self, reader: SectionReader, hostname: str = "") -> None:
        self._hostname = hostname
        self._capitalize = reader.boolean("capitalize_regex_backreference", False)
        prefix = reader.string("remove_tag_prefix")
        self._prefix = prefix.rstrip(".")
        reader.ignore("hostname_command", "emit_mode")
        self._rules: list[tuple[str, RubySearch, str, str, bool]] = []
        for section in reader.sections("rule"):
            inside = SectionReader(section, reader.problems)
            key, pattern = inside.string("key", required=True), inside.string("pattern", required=True)
            tag, label = inside.string("tag", required=True), inside.string("label")
            try:
                steps_of(key)
                self._rules.append((key, RubySearch(pattern), tag, label, inside.boolean("invert", False)))
            except ValueError as error:
                inside.problem(f"pattern: {error}", "pattern")
            inside.finish()
        if not reader.sections("rule"):
            reader.problem(
                "rewrite_tag_filter needs a <rule>", hint="<rule> key level, pattern /^error$/, tag app.error"
            )

    @property
    def targets(self) -> tuple[str, ...]:
        """The labels in which the events of its rules begin again."""
        return tuple(label or SAME for _, _, _, label, _ in self._rules)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of its rules, as they are written."""
        return tuple(tag for _, _, tag, _, _ in self._rules)

    def filter(self, batch: Batch) -> Filtered:
        """The events under their new tags, in their order."""
        tag = without_prefix(batch.tag, self._prefix)
        values = TagValues(tag, self._hostname)
        found: list[tuple[str, str, list[Event]]] = []
        for event in batch.events:
            target = self._target(event, values)
            if target is None or target == (SAME, batch.tag):
                continue  # the same tag again would never end
            if found and found[-1][:2] == target:
                found[-1][2].append(event)
            else:
                found.append((*target, [event]))
        again = tuple((label, Batch(new, tuple(events), batch.source)) for label, new, events in found)
        return Filtered((), relabelled=again)

    def _target(self, event: Event, values: TagValues) -> tuple[str, str] | None:
        for key, pattern, tag, label, inverted in self._rules:
            value = field_of(event.record, key)
            match = None if value is None else pattern.first(as_text(value))
            if (match is None) if inverted else (match is not None):
                return label or SAME, self._expanded(tag, match, values)
        return None

    def _expanded(self, tag: str, match: Any, values: TagValues) -> str:
        def found(place: re.Match[str]) -> str:
            if place[1] or place[2]:
                index = int(place[1] or place[2])
                return values.parts[index] if -len(values.parts) <= index < len(values.parts) else ""
            if place[3] or place[4]:
                index = int(place[3] or place[4])
                group = (match[index] or "") if match is not None and index <= len(match.groups()) else ""
                return group.capitalize() if self._capitalize else group
            return values.hostname if "HOST" in place[0].upper() else values.tag

        return _PLACEHOLDER.sub(found, tag)


REWRITERS: Final[dict[str, Callable[[SectionReader, str], Filter]]] = {
    "detect_exceptions": lambda reader, _: TracesAsOutput(reader),
    "rewrite_tag_filter": RewriteTag,
}
"""By ``@type`` of a ``<match>``."""


def rewriter_of(reader: SectionReader, hostname: str) -> Filter | None:
    """The rewriter that a ``<match>`` describes; None when it cannot be used. What is wrong is noted."""
    errors = sum(problem.level is Level.ERROR for problem in reader.problems)
    found = REWRITERS[reader.section.type](reader, hostname)
    reader.finish()
    return found if errors == sum(problem.level is Level.ERROR for problem in reader.problems) else None
