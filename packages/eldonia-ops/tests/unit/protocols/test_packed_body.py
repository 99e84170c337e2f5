"""Bodies are unpacked within bounds, whatever they claim."""

import gzip
import zlib

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError, unpack

PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
    "identity": lambda data: data,
}


@pytest.mark.parametrize("encoding", PACKERS)
@settings(max_examples=30)
@given(data=st.binary(max_size=5_000))
def test_unpacking_restores(encoding: str, data: bytes) -> None:
    assert unpack(PACKERS[encoding](data), encoding, 5_000) == data


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_the_limit_is_exact(encoding: str) -> None:
    packed = PACKERS[encoding](b"a" * 1_000_000)
    assert len(packed) < 5_000
    assert len(unpack(packed, encoding, 1_000_000)) == 1_000_000
    with pytest.raises(TooLargeError):
        unpack(packed, encoding, 999_999)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_damage_is_noticed(encoding: str) -> None:
    packed = PACKERS[encoding](bytes(range(256)) * 10)
    for damaged in (packed[:-3], b"\0" + packed, b"junk"):
        with pytest.raises(BadEncodingError):
            unpack(damaged, encoding, 10_000)


def test_gzip_members_follow_one_another_within_one_limit() -> None:
    packed = gzip.compress(b"a" * 600) + gzip.compress(b"b" * 600)
    assert unpack(packed, "gzip", 1_200) == b"a" * 600 + b"b" * 600
    with pytest.raises(TooLargeError):
        unpack(packed, "gzip", 1_199)


def test_unknown_encodings_are_refused() -> None:
    with pytest.raises(BadEncodingError, match="br"):
        unpack(b"", "br", 10)


def test_members_of_gzip_are_counted() -> None:
    # Each one copies what follows it: without a bound a small body would keep a processor busy for hours.
    member = gzip.compress(b"")
    assert unpack(member * 100, "gzip", 10) == b""
    with pytest.raises(BadEncodingError, match="members"):
        unpack(member * 101, "gzip", 10)
