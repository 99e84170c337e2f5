"""Prometheus remote write: the block of snappy, and the message in it."""

import struct

import cramjam

from eldonia_ops.intake import IntakeError, IntakeLimits
from eldonia_ops.intake.prometheus_remote_write import Decoded, decode_write
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import ABSENT_NAN_BITS
from eldonia_ops.storage.clickhouse.metrics.histogram_codec import decode_histogram, encode_histogram
from fuzz.target import target

LIMITS = IntakeLimits(unpacked=256 << 10)
TAGS = (b"\x0a\x02", b"\x12\x00", b"\x1a\x04", b"\x22\x00", b"__name__", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")


def checked(body: bytes) -> Decoded | None:
    """What is read of a body, if anything. It can be stored, and a second reading gives the same."""
    try:
        found = decode_write(body, LIMITS)
    except IntakeError as error:
        assert str(error).isprintable()
        return None
    for sample in found.samples:
        assert sample.labels.name
        assert len(sample.labels) <= LIMITS.labels
        if isinstance(sample.value, NativeHistogram):
            packed = encode_histogram(sample.value)
            assert encode_histogram(decode_histogram(packed)) == packed
        else:
            assert struct.unpack("<Q", struct.pack("<d", sample.value))[0] != ABSENT_NAN_BITS
    for item in found.metadata:
        assert item.name
    assert bool(found.first) == bool(found.refused)
    assert len(found.first) < 1_000
    assert repr(decode_write(body, LIMITS)) == repr(found)
    return found


@target(*TAGS)
def remote_write(data: bytes) -> None:
    """The message, packed as it should be."""
    checked(bytes(cramjam.snappy.compress_raw(data)))


@target(b"\x04\x0c", b"\xff\xff\xff\xff\x0f", b"\xfe\x01\x00")
def remote_write_packed(data: bytes) -> None:
    """The block of snappy."""
    checked(data)
