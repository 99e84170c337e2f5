"""Lines of a source to events: joined where a parser reads several at once, parsed, with the tag of their file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.parsers import ParseError, Parser


@dataclass(frozen=True, slots=True)
class ReadText:
    """One text, of one or several lines, and what became of it: events, or the reason why there are none."""

    text: str
    events: tuple[Event, ...] = ()
    reason: str = ""


def texts_of(lines: Iterable[str], parser: Parser | None) -> Iterator[str]:
    """The texts of some lines; the lines that one text has are joined by line ends."""
    if parser is None or not parser.multi_line:
        yield from lines
        return
    held: list[str] = []
    for line in lines:
        if held and parser.begins(line):
            yield "\n".join(held)
            held = []
        held.append(line)
    if held:
        yield "\n".join(held)


def read_text(text: str, parser: Parser | None, now_ns: int) -> ReadText:
    """The events of one text. One without a time of its own has ``now_ns``."""
    if parser is None:
        return ReadText(text, (Event(now_ns, {"message": text}),))
    try:
        parsed = parser.parse(text, now_ns)
    except ParseError as error:
        return ReadText(text, (), error.reason)
    return ReadText(text, tuple([Event(now_ns if time_ns is None else time_ns, record) for time_ns, record in parsed]))


def with_field(texts: Sequence[ReadText], key: str, value: str) -> list[ReadText]:
    """The same with one more field in every record, such as the path of the file."""
    return [
        ReadText(
            one.text, tuple(Event(event.time_ns, {**event.record, key: value}) for event in one.events), one.reason
        )
        for one in texts
    ]
