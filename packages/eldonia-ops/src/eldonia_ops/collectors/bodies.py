"""Reading the body of an answer no further than a limit, however far it unfolds."""

import zlib
from collections.abc import AsyncIterator

import httpx


class BodyError(ValueError):
    """A body that cannot be read; the message is for people."""


async def body_pieces(answer: httpx.Response, limit: int) -> AsyncIterator[bytes]:
    """The decompressed pieces of a streamed answer, of together at most ``limit`` + 1 bytes: one more tells that
    there is more. Decompressed step by step, so that a small answer cannot unfold into a large one.

    Raises:
        BodyError: it is compressed in another way than gzip, or is not what it says, or was cut off.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise BodyError(f"the answer is compressed with {encoding}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if encoding == "gzip" else None
    left = limit + 1
    async for piece in answer.aiter_raw():
        if unpack is not None:
            try:
                piece = unpack.decompress(piece, left)
            except zlib.error:
                raise BodyError("the answer says that it is gzip and is not") from None
        yield piece[:left]
        left -= len(piece)
        if left <= 0:
            return
    if unpack is not None and not unpack.eof:
        raise BodyError("the compressed answer was cut off")
