"""A sample of lines through a pipeline, with every step noted and nothing written."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.graph import Pipeline, Rule
from eldonia_ops.pipeline.inputs import Input, TailInput
from eldonia_ops.pipeline.lines import ReadText, read_text, texts_of
from eldonia_ops.pipeline.parsers import Parser
from eldonia_ops.pipeline.record_edits import as_text
from eldonia_ops.pipeline.routing import Delivery, Routed, Router, Step

SECOND_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """How a field differs: ``before`` or ``after`` is None where the record has none."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class TriedText:
    """One text of a sample: what the parser made of it, and every step of its events."""

    number: int
    read: ReadText
    steps: tuple[Step, ...] = ()
    deliveries: tuple[Delivery, ...] = ()
    lost: tuple[tuple[Batch, str], ...] = ()


@dataclass(slots=True)
class Trial:
    """A whole sample. ``later`` is what filters that hold events back gave at the end."""

    tag: str
    texts: list[TriedText] = field(default_factory=list)
    later: Routed | None = None

    @property
    def unread(self) -> list[TriedText]:
        """The texts that the parser could not read."""
        return [one for one in self.texts if one.read.reason]

    def delivered(self) -> dict[Rule, int]:
        """How many events each match got."""
        found: dict[Rule, int] = {}
        for deliveries in (*(one.deliveries for one in self.texts), self.later.deliveries if self.later else ()):
            for delivery in deliveries:
                found[delivery.rule] = found.get(delivery.rule, 0) + len(delivery.batch.events)
        return found

    def lost(self) -> dict[str, int]:
        """How many events were lost, by reason."""
        found: dict[str, int] = {}
        for some in (*(one.lost for one in self.texts), self.later.lost if self.later else ()):
            for batch, reason in some:
                found[reason] = found.get(reason, 0) + len(batch.events)
        return found


def try_lines(
    pipeline: Pipeline, source: Input, tag: str, lines: Iterable[str], now_ms: int, *, path: str = ""
) -> Trial:
    """Send lines through the parser of a source and the rules behind it, as if they came one millisecond after
    another."""
    router = Router(pipeline)
    state: Any = router.start()
    trial = Trial(tag)
    parser: Parser | None = getattr(source, "parser", None)
    key = source.path_key if isinstance(source, TailInput) else ""
    for number, text in enumerate(texts_of(lines, parser), 1):
        now_ms += 1
        read = read_text(text, parser, now_ms * 1_000_000)
        if read.reason and isinstance(source, TailInput) and source.emit_unmatched_lines:
            read = ReadText(text, (Event(now_ms * 1_000_000, {"unmatched_line": text}),), read.reason)
        events = read.events
        if key:
            events = tuple(Event(event.time_ns, {**event.record, key: path}) for event in events)
        routed = router.route(state, Batch(tag, events, path), now_ms, label=source.label, steps=True)
        state = routed.state
        trial.texts.append(
            TriedText(number, read, tuple(routed.steps or ()), tuple(routed.deliveries), tuple(routed.lost))
            if events
            else TriedText(number, read)
        )
    trial.later = router.finished(state, now_ms + SECOND_MS)
    return trial


def changes(before: Event, after: Event) -> list[Change]:
    """How two events differ; the time has the name ``time``."""
    found: list[Change] = []
    if before.time_ns != after.time_ns:
        found.append(Change("(time)", str(before.time_ns), str(after.time_ns)))
    for name, value in before.record.items():
        if name not in after.record:
            found.append(Change(name, as_text(value), None))
        elif after.record[name] != value:
            found.append(Change(name, as_text(value), as_text(after.record[name])))
    found += [Change(name, None, as_text(value)) for name, value in after.record.items() if name not in before.record]
    return found
