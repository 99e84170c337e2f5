"""The 64-bit numbers under which series, metrics and log records are stored."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

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


INSTANCES: Final = 1_024
"""How many processes may write records to the same tables."""

_IN_A_MILLISECOND: Final = 1 << 11


class LogIds:
    """Ids of log records: they grow with time, across restarts too, and no two instances give the same.

    An id is ``(Unix milliseconds * 2048 + counter) * 1024 + instance``, below 2**63 until the year 2109. The counter
    goes on into the next millisecond when more than 2,048 records come in one.

    Raises:
        ValueError: ``instance`` is not between 0 and 1023.
    """

    def __init__(self, now_ms: Callable[[], int], instance: int = 0) -> None:
        if not 0 <= instance < INSTANCES:
            raise ValueError(f"the number of an instance lies between 0 and {INSTANCES - 1}")
        self._now_ms = now_ms
        self._instance = instance
        self._next = 0

    def continue_after(self, id: int) -> None:
        """Let every id from here on be larger than this one, from any instance."""
        self._next = max(self._next, id // INSTANCES + 1)

    def reserve(self, count: int) -> range:
        """The ids of so many records, in their order."""
        first = max(self._next, self._now_ms() * _IN_A_MILLISECOND)
        self._next = first + count
        return range(first * INSTANCES + self._instance, self._next * INSTANCES, INSTANCES)
