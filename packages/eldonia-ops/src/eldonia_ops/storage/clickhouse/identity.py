"""The 64-bit numbers under which series and metrics are stored."""

from hashlib import blake2b

from eldonia_ops.model.labels import Labels


def series_id(labels: Labels) -> int:
    """BLAKE2b (8 bytes, little-endian) over names and values, each followed by the byte 0xff.

    0xff appears in no UTF-8 text. (The fingerprint that Alertmanager uses is a loop over bytes,
    some thirty times slower here.)
    """
    data = b"".join(part.encode("utf-8", "replace") + b"\xff" for pair in labels.pairs for part in pair)
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def metric_id(name: str) -> int:
    """BLAKE2b (8 bytes, little-endian) of the metric name."""
    return int.from_bytes(blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), "little")
