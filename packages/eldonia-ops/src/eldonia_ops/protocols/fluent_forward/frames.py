"""From a stream of bytes to the messages in it, however they are cut on their way.

Nothing is built of a message before all of it is there: the ends of messages are found by passing over them, which
allocates nothing, whatever sizes they announce. As in Fluentd, the first byte of a stream says whether it is
MessagePack or JSON.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgpack

from eldonia_ops.protocols.fluent_forward.errors import ForwardError, ForwardTooLargeError
from eldonia_ops.protocols.fluent_forward.heads import head_of

_NIL: Final = 0xC0
_BLANKS: Final = b" \t\r\n"
_BRACKET: Final = 0x5B  # [
_HEADS: Final = 4_096
_JSON_PART: Final = re.compile(rb'"(?:[^"\\]|\\.)*+("?)|[\[\]{}]', re.DOTALL)
_JSON_DEPTH: Final = 1_000
_JSON_LONGEST: Final = 1 << 20
"""A text that is not complete is looked at again with each read; so there is a bound of its own on messages in JSON."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The bytes of one message; ``text``: in JSON and not in MessagePack."""

    body: bytes
    text: bool = False


class ForwardFrames:
    """Takes bytes as they come and gives the messages that are complete. A message has at most ``longest`` bytes."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._rest = bytearray()
        self._text: bool | None = None
        # What only counts is bounded here, so its own bound is never reached.
        self._scanner: Any = msgpack.Unpacker(max_buffer_size=2**31 - 1, read_size=1 << 16)
        self._passed = 0  # bytes that the scanner is past and that are given away
        self._depth = 0  # of what was looked at of a message in JSON
        self._looked_at = 0

    @property
    def waiting(self) -> int:
        """Bytes of a message that is not complete yet."""
        return len(self._rest)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The messages that are complete with this; all of them have to be taken before more is fed.

        Raises:
            ForwardError: what follows the messages before it is none, or too large.
        """
        self._rest += data
        if self._text is None:
            self._text = self._begins_with_text()
        if self._text is False:
            self._scanner.feed(data)
        while self._rest:
            first = self._rest[0]
            if first == _NIL or first in _BLANKS:  # a heartbeat over TCP; line ends between messages in JSON
                if not self._text:
                    self._scanner.skip()
                    self._passed += 1
                self._take(1)
                continue
            end = self._end_of_json(first) if self._text else self._end_of_array(first)
            longest = min(self._longest, _JSON_LONGEST) if self._text else self._longest
            if (end or len(self._rest)) > longest:
                raise ForwardTooLargeError(longest)
            if not end:
                return
            yield Frame(self._take(end), self._text or False)

    def _begins_with_text(self) -> bool | None:
        begin = self._rest.lstrip(_BLANKS)
        if not begin:
            self._rest.clear()
            return None
        return begin[0] == _BRACKET

    def _end_of_array(self, first: int) -> int:
        """Where a message in MessagePack ends; 0 while it is not complete."""
        if not (0x91 <= first <= 0x9F or first in (0xDC, 0xDD)):
            raise ForwardError("a message is no array")
        try:
            self._scanner.skip()
        except msgpack.OutOfData:
            self._refuse_what_is_announced()
            return 0
        except ValueError:
            raise ForwardError("a message is no MessagePack, or nested too deep") from None
        end = int(self._scanner.tell()) - self._passed
        self._passed += end
        return end

    def _refuse_what_is_announced(self) -> None:
        """A message that says of itself that it is too large need not be waited for."""
        if len(self._rest) > _HEADS + (64 << 10):
            return
        outer = head_of(self._rest, 0)
        tag = head_of(self._rest, outer.end) if outer is not None else None
        if tag is None or not tag.has_body:
            return
        packed = head_of(self._rest, tag.end + tag.value)
        if tag.value > self._longest or (packed is not None and packed.value > self._longest):
            raise ForwardTooLargeError(self._longest)

    def _end_of_json(self, first: int) -> int:
        if first != _BRACKET:
            raise ForwardError("a message is no array")
        at = self._looked_at
        while part := _JSON_PART.search(self._rest, at):
            byte = self._rest[part.start()]
            if byte == 0x22:
                if not part[1]:
                    break  # the text goes on
            elif byte in b"[{":
                self._depth += 1
                if self._depth > _JSON_DEPTH:
                    raise ForwardError("a message in JSON is nested too deep")
            else:
                self._depth -= 1
                if self._depth <= 0:
                    self._depth = self._looked_at = 0
                    return part.end()
            at = self._looked_at = part.end()
        return 0

    def _take(self, size: int) -> bytes:
        taken = bytes(memoryview(self._rest)[:size])
        del self._rest[:size]
        return taken
