"""Reading the body of an answer no further than a limit, however far it unfolds."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

_STEP: Final = 256 * 1024
"""How much is unpacked in one go, in bytes: after each step the other tasks of the event loop have their turn."""


class BodyError(ValueError):
    """A body that cannot be read; the message is for people."""


async def body_pieces(answer: httpx.Response, limit: int, longest_line: int = 0) -> AsyncIterator[bytes]:
    """The decompressed pieces of a streamed answer, of together at most ``limit`` + 1 bytes: one more tells that
    there is more. Decompressed step by step, so that a small answer cannot unfold into a large one.

    With ``longest_line``, a line of more bytes than that ends the reading before the rest is unpacked.

    Raises:
        BodyError: it is compressed in another way than gzip, or is not what it says, or was cut off, or has a line
            that is too long.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise BodyError(f"the answer is compressed with {encoding}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    left = limit + 1
    line = 0
    async for packed in answer.aiter_raw():
        async for piece in _unpacked(packed, unpack):
            piece = piece[:left]
            if longest_line:
                line = _line_length(line, piece, longest_line)
            yield piece
            left -= len(piece)
            if left <= 0:
                return
    if unpack is not None and not unpack.eof:
        raise BodyError("the compressed answer was cut off")


async def _unpacked(packed: bytes, unpack: "zlib._Decompress | None") -> AsyncIterator[bytes]:
    """What one piece of the network holds, in pieces of at most :data:`_STEP` bytes."""
    if unpack is None:
        for at in range(0, len(packed), _STEP):
            yield packed[at : at + _STEP]
        return
    while True:
        try:
            piece = unpack.decompress(packed, _STEP)
        except zlib.error:
            raise BodyError("the answer says that it is gzip and is not") from None
        if piece:
            yield piece
        packed = unpack.unconsumed_tail
        if len(piece) < _STEP and not packed:
            return
        await asyncio.sleep(0)


def _line_length(before: int, piece: bytes, longest: int) -> int:
    """The length of the line that ``piece`` leaves open; ``before`` is the length of the one that it goes on with.

    Raises:
        BodyError: a line is longer than ``longest``.
    """
    first = piece.find(b"\n")
    open_line = before + len(piece) if first < 0 else len(piece) - piece.rfind(b"\n") - 1
    inside = max(map(len, piece.split(b"\n"))) if len(piece) > longest else 0
    if max(open_line, before + first, inside) > longest:
        raise BodyError(f"a line of the answer is longer than {longest} bytes")
    return open_line
