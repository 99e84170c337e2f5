import asyncio
import gzip

import httpx
import pytest

from eldonia_ops.collectors.response_body import BodyError, body_pieces


class Pieces(httpx.AsyncByteStream):
    """A body that arrives in pieces, and counts how many were asked for."""

    def __init__(self, *pieces):
        self.pieces = pieces
        self.taken = 0

    async def __aiter__(self):
        for piece in self.pieces:
            self.taken += 1
            yield piece


async def read(stream, limit, longest_line=0, **headers):
    answer = httpx.Response(200, stream=stream, headers=headers)
    return b"".join([piece async for piece in body_pieces(answer, limit, longest_line)])


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


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
@pytest.mark.parametrize(
    ("data", "fits"),
    [
        (b"x" * 100, True),
        (b"x" * 101, False),
        (b"x" * 100 + b"\n" + b"y" * 100 + b"\n", True),
        (b"short\n" * 50 + b"y" * 101 + b"\n", False),
        (b"\n" * 500, True),
    ],
    ids=["fits", "too long", "two that fit", "the last is too long", "empty ones"],
)
async def test_a_line_has_a_bound_wherever_the_pieces_end(encoding, size, data, fits):
    stream = in_pieces(gzip.compress(data, mtime=0) if encoding == "gzip" else data, size)
    headers = {"Content-Encoding": encoding}
    if fits:
        assert await read(stream, 10_000, 100, **headers) == data
    else:
        with pytest.raises(BodyError, match="longer than 100 bytes"):
            await read(stream, 10_000, 100, **headers)


async def test_a_long_line_ends_the_reading_before_the_rest_is_unpacked():
    stream = in_pieces(gzip.compress(b"x" * 50_000_000), 500)
    with pytest.raises(BodyError, match="longer than 1000000 bytes"):
        await read(stream, 60_000_000, 1_000_000, **{"Content-Encoding": "gzip"})
    assert stream.taken < len(stream.pieces) / 10


async def test_others_have_their_turn_while_a_small_answer_unfolds():
    turns = 0

    async def other():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    data = b"a 1\n" * 2_000_000
    # One piece of the network holds all of it.
    assert await read(Pieces(gzip.compress(data)), len(data), **{"Content-Encoding": "gzip"}) == data
    task.cancel()
    assert turns >= len(data) // (256 * 1024)
