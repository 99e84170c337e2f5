"""Sets of texts that are too many to be kept: a number for each, sorted."""

import hashlib
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import numpy as np

Numbers: TypeAlias = np.ndarray[Any, np.dtype[np.uint64]]
SEPARATOR: Final = "\n"
"""Between the texts of one fingerprint."""


def fingerprints(items: Iterable[tuple[str, ...]]) -> Numbers:
    """For each item the first eight bytes, little-endian, of the MD5 of its texts with line ends between them.

    MD5 because the store computes it as well; nothing relies on it being hard to forge: two items with the same number
    are looked at once more than needed.
    """
    md5 = hashlib.md5
    found = b"".join(
        md5(SEPARATOR.join(texts).encode("utf-8", "replace"), usedforsecurity=False).digest()[:8] for texts in items
    )
    return np.frombuffer(found, np.dtype("<u8"))


class FingerprintSet:
    """Numbers in sorted runs, each at least twice as long as the one behind it: 8 bytes a number, and adding some is
    cheap. What is added stays."""

    def __init__(self) -> None:
        self._runs: list[Numbers] = []

    def __len__(self) -> int:
        """How many there are; one that was added twice may count twice."""
        return sum(map(len, self._runs))

    def add(self, numbers: Numbers) -> None:
        """Add some."""
        if not len(numbers):
            return
        self._runs.append(np.sort(numbers))
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            self._runs[-2:] = [np.sort(np.concatenate(self._runs[-2:]))]

    def has(self, numbers: Numbers) -> "np.ndarray[Any, np.dtype[np.bool_]]":
        """Which of them are there."""
        found = np.zeros(len(numbers), np.bool_)
        for run in self._runs:
            places = np.searchsorted(run, numbers)
            places[places == len(run)] = 0
            found |= run[places] == numbers
        return found
