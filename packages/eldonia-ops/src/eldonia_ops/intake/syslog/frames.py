"""From a stream of bytes to syslog messages, pure.

Two ways of framing (RFC 6587) may follow each other in one stream. Octet counting: ``MSG-LEN SP SYSLOG-MSG``, as RFC
5425 asks for over TLS. Non-transparent: the message and a line feed, or a NUL, which Python's ``SysLogHandler`` writes.
A frame is counted if it begins with a number, a space and ``<``, with which every message begins.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST: Final = 256 * 1024
"""Bytes of a message that are kept."""

_COUNT: Final = re.compile(rb"([1-9][0-9]{0,9}) <")
_MAYBE_COUNT: Final = re.compile(rb"[1-9][0-9]{0,9} ?\Z")
_END: Final = re.compile(rb"[\n\0]")
_BETWEEN: Final = b"\r\n\0"


@dataclass(frozen=True, slots=True)
class Frame:
    """One message without its framing. ``dropped`` is how many bytes beyond :data:`LONGEST` were left out."""

    message: bytes
    dropped: int = 0


class Frames:
    """Takes bytes as they come and gives the messages that are complete."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._looked_at = 0
        self._long: bytes | None = None  # what is kept of a message that is too long, until its end has come
        self._dropped = 0
        self._to_drop: int | None = None  # how many of its bytes are still to come; None: up to the end of the line

    def feed(self, data: bytes) -> list[Frame]:
        """The messages that are complete with this."""
        self._rest += data
        found: list[Frame] = []
        while (frame := self._next()) is not None:
            if frame.message.strip():
                found.append(frame)
        return found

    def end(self) -> list[Frame]:
        """The message that the stream ends with, if its framing is the end of the line, or if it is cut off."""
        message, dropped = (
            (bytes(self._rest), 0) if self._long is None else (self._long, self._dropped + len(self._rest))
        )
        if self._long is None and (count := _COUNT.match(message)):
            message = message[count.end() - 1 :]
        self._rest.clear()
        self._long = None
        return [Frame(message.strip(_BETWEEN), dropped)] if message.strip() else []

    def _next(self) -> Frame | None:
        if self._long is not None:
            return self._end_of_long()
        self._skip_ends()
        if not self._rest:
            return None
        count = _COUNT.match(self._rest)
        if count is not None:
            return self._counted(int(count[1]), count.end() - 1)
        if _MAYBE_COUNT.match(self._rest):
            return None  # the next bytes say whether it is one
        return self._line()

    def _skip_ends(self) -> None:
        if self._rest[:1] in (b"\n", b"\0", b"\r"):
            start = len(self._rest) - len(self._rest.lstrip(_BETWEEN))
            self._take(start)

    def _counted(self, length: int, start: int) -> Frame | None:
        if length > self._longest:
            if len(self._rest) < start + self._longest:
                return None
            self._long, self._dropped = bytes(self._rest[start : start + self._longest]), 0
            self._to_drop = length - self._longest
            self._take(start + self._longest)
            return self._end_of_long()
        if len(self._rest) < start + length:
            return None
        message = bytes(self._rest[start : start + length])
        self._take(start + length)
        return Frame(message.rstrip(_BETWEEN))

    def _line(self) -> Frame | None:
        end = _END.search(self._rest, self._looked_at)
        if end is not None and end.start() <= self._longest:
            message = bytes(self._rest[: end.start()])
            self._take(end.end())
            return Frame(message.rstrip(b"\r"))
        if len(self._rest) <= self._longest:
            self._looked_at = len(self._rest)
            return None
        self._long, self._dropped, self._to_drop = bytes(self._rest[: self._longest]), 0, None
        self._take(self._longest)
        return self._end_of_long()

    def _end_of_long(self) -> Frame | None:
        if self._to_drop is not None:
            size = min(self._to_drop, len(self._rest))
            self._to_drop -= size
            done, skipped = self._to_drop == 0, size
        else:
            end = _END.search(self._rest)
            done = end is not None
            size = len(self._rest) if end is None else end.start()
            skipped = size if end is None else end.end()
        self._dropped += size
        self._take(skipped)
        if not done:
            return None
        frame = Frame(self._long or b"", self._dropped)
        self._long = None
        return frame

    def _take(self, size: int) -> None:
        del self._rest[:size]
        self._looked_at = 0
