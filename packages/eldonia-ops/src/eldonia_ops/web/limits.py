"""RequestLimits on what arrives: sizes before and after decompression."""

import asyncio
import zlib
from dataclasses import dataclass
from typing import Final

import cramjam
from starlette.requests import ClientDisconnect, Request

from eldonia_ops.web.bad_request import BadRequestError

_MAX_MEMBERS: Final = 100
BODY_SECONDS: Final = 60.0
"""How long a body may take to arrive; one may be sent by anybody who knows the sign-in."""
GRACE_SECONDS: Final = 10.0
SLOWEST: Final = 2_048
"""Bytes a second after the first :data:`GRACE_SECONDS`: slower than any line, and too fast to hold thousands open."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """Largest bodies in bytes. ``ingest`` bounds the bytes on the wire, ``ingest_decoded`` what they unpack to."""

    request: int = 1 << 20
    ingest: int = 16 << 20
    ingest_decoded: int = 32 << 20


class TooLargeError(BadRequestError):
    """A body is larger than its limit, on the wire or unpacked."""

    def __init__(self, limit: int, what: str = "the request body") -> None:
        super().__init__(f"{what} is larger than {limit:,} bytes")
        self.limit = limit


class BadEncodingError(BadRequestError):
    """A body is not in the encoding that its ``Content-Encoding`` names, or that encoding is unknown."""


async def read_raw(request: Request, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """The body as it was sent.

    Raises:
        TooLargeError: it exceeds ``limit`` bytes; the rest is not read.
        BadEncodingError: it did not arrive whole, or not within ``seconds``.
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
    """
    raw = await read_raw(request, limits.ingest)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    return unpack(raw, encoding, limits.ingest_decoded)


def unpack(raw: bytes, encoding: str, limit: int) -> bytes:
    """Unpack without ever holding more than ``limit`` bytes, whatever the data claims.

    Raises:
        TooLargeError: it would unpack to more than ``limit`` bytes.
        BadEncodingError: malformed data or an unknown encoding.
    """
    match encoding:
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            return _inflate(raw, 16 + zlib.MAX_WBITS, limit)
        case "deflate":
            return _inflate(raw, zlib.MAX_WBITS, limit)
        case "zstd":
            return _zstd(raw, limit)
        case _:
            raise BadEncodingError(f"content encoding {encoding!r} is not supported (use gzip, deflate, zstd or none)")


def _inflate(raw: bytes, wbits: int, limit: int) -> bytes:
    """Unpack gzip (several members one after another are legal, here up to 100) or zlib data."""
    parts: list[bytes] = []
    size = 0
    rest = raw
    while rest:
        # Each member copies what follows it: 800,000 empty ones would take hours.
        if len(parts) == _MAX_MEMBERS:
            raise BadEncodingError(f"the packed body has more than {_MAX_MEMBERS} members")
        decoder = zlib.decompressobj(wbits)
        try:
            part = decoder.decompress(rest, limit - size + 1)
        except zlib.error as error:
            raise BadEncodingError(f"the body cannot be unpacked: {error}") from None
        size += len(part)
        if size > limit:
            raise TooLargeError(limit, "the unpacked body")
        if not decoder.eof:
            raise BadEncodingError("the packed body is cut short")
        parts.append(part)
        rest = decoder.unused_data.lstrip(b"\x00")
    return b"".join(parts)


def _zstd(raw: bytes, limit: int) -> bytes:
    """Unpack zstd into buffers that cannot grow: the decoder fails rather than exceed one."""
    room = min(max(64 << 10, 8 * len(raw)), limit)
    while True:
        target = bytearray(room)
        try:
            size = cramjam.zstd.decompress_into(raw, target)
        except cramjam.DecompressionError as error:
            if "whole buffer" not in str(error):
                raise BadEncodingError(f"the body cannot be unpacked: {error}") from None
            if room == limit:
                raise TooLargeError(limit, "the unpacked body") from None
            room = min(room * 4, limit)
        else:
            return bytes(target[:size])
