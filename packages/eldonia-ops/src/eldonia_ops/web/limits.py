"""Limits on what arrives: sizes before and after decompression, and the time that a body may take."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import ClientDisconnect, Request

from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError, unpack

BODY_SECONDS: Final = 60.0
"""How long a body may take to arrive; the sign-in takes one without a token."""
GRACE_SECONDS: Final = 10.0
SLOWEST: Final = 2_048
"""Bytes a second after the first :data:`GRACE_SECONDS`: slower than any line, and too fast to hold thousands open."""


PUBLIC_BYTES: Final = 64 * 1024
"""Of a body that came without a secret: a form to sign in has some hundred."""

MOST_HELD: Final = 256 << 20
"""Bytes of bodies that may be in memory together: each is within its limit, and there may be two thousand."""

_HELD: Final = "eldonia_ops.held"


class NoRoomError(RuntimeError):
    """There is no room for another body now."""

    def __init__(self) -> None:
        super().__init__("too many bodies are being taken in; send it again in a moment")


class BodyRoom:
    """How much the bodies of requests take that are being read or worked on."""

    def __init__(self, most: int = MOST_HELD) -> None:
        self._most = most
        self.used = 0

    @contextmanager
    def holding(self, request: Request) -> Iterator[None]:
        """Until the context is left, what is read of a request counts here."""
        held = _Held(self)
        request.scope[_HELD] = held
        try:
            yield
        finally:
            self.used -= held.size

    def take(self, size: int) -> None:
        """Count bytes.

        Raises:
            NoRoomError: there are too many.
        """
        if self.used + size > self._most:
            raise NoRoomError
        self.used += size


class _Held:
    def __init__(self, room: BodyRoom) -> None:
        self._room = room
        self.size = 0

    def take(self, size: int) -> None:
        self._room.take(size)
        self.size += size


def _hold(request: Request, size: int) -> None:
    if (held := request.scope.get(_HELD)) is not None:
        held.take(size)


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Largest bodies in bytes: ``ingest`` bounds the bytes on the wire, ``ingest_decoded`` what they unpack to.

    ``labels`` is how many labels a series may have, ``label_value`` how many characters one of their values. ``room``
    is for the bodies of all requests together.
    """

    request: int = 1 << 20
    ingest: int = 16 << 20
    ingest_decoded: int = 32 << 20
    labels: int = 64
    label_value: int = 2_048
    room: BodyRoom = field(default_factory=BodyRoom, compare=False)


async def read_chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes, however large; who reads it bounds what is kept.

    Raises:
        BadEncodingError: it did not arrive whole, or nothing came for long.
    """
    parts = aiter(request.stream())
    try:
        while True:
            async with asyncio.timeout(GRACE_SECONDS):
                part = await anext(parts, None)
            if part is None:
                return
            yield part
    except TimeoutError:
        raise BadEncodingError(f"nothing of the body came for {GRACE_SECONDS:.0f} s") from None
    except ClientDisconnect:
        raise BadEncodingError("the body did not arrive whole") from None


async def read_raw(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body as it was sent.

    Raises:
        TooLargeError: it exceeds ``limit`` bytes; the rest is not read.
        BadEncodingError: it did not arrive whole, or not within ``seconds``.
        NoRoomError: bodies are counted, and there are too many.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLargeError(limit)
    parts: list[bytes] = []
    size = 0
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with asyncio.timeout(min(seconds, GRACE_SECONDS)) as patience:
            async for part in request.stream():
                size += len(part)
                patience.reschedule(begun + min(seconds, GRACE_SECONDS + size / SLOWEST))
                if size > limit:
                    raise TooLargeError(limit)
                _hold(request, len(part))
                parts.append(part)
    except TimeoutError:
        raise BadEncodingError(
            f"the body did not arrive in time: {size:,} bytes in {loop.time() - begun:.0f} s"
        ) from None
    except ClientDisconnect:
        raise BadEncodingError("the client went away in the middle of the body") from None
    return b"".join(parts)


async def read_body(request: Request, limits: RequestLimits) -> bytes:
    """The unpacked body of an ingest request (``identity``, ``gzip``, ``deflate``, ``zstd``).

    Raises:
        TooLargeError: it exceeds a limit before or after unpacking.
        BadEncodingError: it is not what its ``Content-Encoding`` says.
        NoRoomError: bodies are counted, and there are too many.
    """
    raw = await read_raw(request, limits.ingest)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    body = unpack(raw, encoding, limits.ingest_decoded)
    _hold(request, len(body) if body is not raw else 0)
    return body
