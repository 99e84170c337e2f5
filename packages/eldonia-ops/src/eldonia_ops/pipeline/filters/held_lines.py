"""Events of one stream that are held back because they belong together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.record_edits import as_text

MAX_LINES: Final = 5_000
MAX_BYTES: Final = 1 << 20
MAX_STREAMS: Final = 10_000


@dataclass(frozen=True, slots=True)
class HeldLines:
    """``tag`` is that of the events; ``changed_ms`` when the last one came. ``mark`` is what a filter remembers."""

    tag: str
    events: tuple[Event, ...]
    texts: tuple[str, ...]
    size: int
    changed_ms: int
    mark: str = ""

    def with_line(self, event: Event, text: str, now_ms: int, mark: str = "") -> "HeldLines":
        """One line more. Long ones are cut short by :attr:`full`, so tuples do not become slow."""
        return replace(
            self,
            events=(*self.events, event),
            texts=(*self.texts, text),
            size=self.size + len(text),
            changed_ms=now_ms,
            mark=mark,
        )

    @property
    def full(self) -> bool:
        """Whether no more may be held back."""
        return len(self.events) >= MAX_LINES or self.size >= MAX_BYTES

    def joined(self, key: str, separator: str, *, first_time: bool = True) -> Event:
        """One event of all of them: the first record with the texts joined in the field ``key``."""
        first = self.events[0]
        if len(self.events) == 1:
            return first
        time_ns = first.time_ns if first_time else self.events[-1].time_ns
        return Event(time_ns, {**first.record, key: separator.join(self.texts)})


Streams = dict[str, HeldLines]
"""What is held back, by stream."""

Name: TypeAlias = tuple[int, str]
"""The number of a rule and a stream: which lines are held back."""


def goes_on(before: HeldLines, after: HeldLines | None) -> bool:
    """Whether lines are still held back as they were, if maybe with more behind them."""
    return after is not None and after.events[0] is before.events[0] and len(after.events) >= len(before.events)


def held_of(tag: str, event: Event, text: str, now_ms: int, mark: str = "") -> HeldLines:
    """A first line."""
    return HeldLines(tag, (event,), (text,), len(text), now_ms, mark)


def text_at(event: Event, key: str) -> str | None:
    """The text of a field; None where the record has none."""
    value = event.record.get(key)
    return None if value is None else as_text(value)


def ended(streams: Streams, has_ended: Callable[[HeldLines], bool]) -> tuple[list[HeldLines], Streams]:
    """What has ended, and what is still held back."""
    found = [held for held in streams.values() if has_ended(held)]
    if not found:
        return [], streams
    return found, {name: held for name, held in streams.items() if not has_ended(held)}
