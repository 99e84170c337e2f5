import gzip

import httpx
import pytest

from eldonia_ops.collectors.bodies import BodyError, body_pieces


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in pieces, and counts how many were asked for."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.taken = 0

    async def __aiter__(self):
        for piece in self.pieces:
            self.taken += 1
            yield piece


async def read(stream, limit, **headers):
    answer = httpx.Response(200, stream=stream, headers=headers)
    return b"".join([piece async for piece in body_pieces(answer, limit)])


def in_pieces(data, size=10):
    return Pieces(*(data[at : at + size] for at in range(0, len(data), size)))


@pytest.mark.parametrize("encoding", ["gzip", "identity", ""])
@pytest.mark.parametrize(("limit", "expected"), [(999, 1_000), (1_000, 1_000), (10, 11), (0, 1)])
async def test_one_byte_more_than_the_limit_tells_that_there_is_more(encoding, limit, expected):
    data = bytes(range(200)) * 5
    stream = in_pieces(gzip.compress(data) if encoding == "gzip" else data)
    assert await read(stream, limit, **({"Content-Encoding": encoding} if encoding else {})) == data[:expected]


async def test_what_unfolds_beyond_the_limit_is_neither_unfolded_nor_waited_for():
    stream = in_pieces(gzip.compress(b"x" * 10_000_000), 100)
    assert len(await read(stream, 5_000, **{"Content-Encoding": "gzip"})) == 5_001
    assert stream.taken <= 2 < len(stream.pieces)


@pytest.mark.parametrize(
    ("encoding", "body", "message"),
    [
        ("br", b"x", "compressed with br, which was not asked for"),
        ("gzip", b"not gzip at all", "says that it is gzip and is not"),
        ("gzip", gzip.compress(b"x" * 1_000, mtime=0)[:-4], "was cut off"),
    ],
    ids=["unknown", "no gzip", "cut off"],  # workers compare names, and the packed bytes may differ between libraries
)
async def test_what_cannot_be_read_is_said(encoding, body, message):
    with pytest.raises(BodyError, match=message):
        await read(Pieces(body), 10_000, **{"Content-Encoding": encoding})
