"""Unpacks the bodies of requests within bounds, whatever they claim."""

import zlib
from typing import Final

import cramjam

_MAX_MEMBERS: Final = 100


class TooLargeError(ValueError):
    """A body is larger than its limit, on the wire or unpacked."""

    def __init__(self, limit: int, what: str = "the request body") -> None:
        super().__init__(f"{what} is larger than {limit:,} bytes")
        self.limit = limit


class BadEncodingError(ValueError):
    """A body is not in the encoding that its ``Content-Encoding`` names, or that encoding is unknown."""


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


def unpack_snappy(raw: bytes, limit: int) -> bytes:
    """Unpack one block of snappy, never into more than ``limit`` bytes: it says in front how long it will be.

    Raises:
        TooLargeError: it would unpack to more.
        BadEncodingError: it is no block of snappy.
    """
    try:
        size = cramjam.snappy.decompress_raw_len(raw)
        if size > limit:
            raise TooLargeError(limit, "the unpacked body")
        target = bytearray(size)
        length = cramjam.snappy.decompress_raw_into(raw, target) if size else 0
    except cramjam.DecompressionError:
        raise BadEncodingError("the body is no block of snappy") from None
    return bytes(memoryview(target)[:length])
