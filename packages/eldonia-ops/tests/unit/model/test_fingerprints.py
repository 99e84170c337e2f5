"""Sets of fingerprints against sets of texts."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.fingerprints import FingerprintSet, fingerprints

KEYS = st.tuples(st.text(max_size=5), st.text(max_size=5))


def test_the_number_is_what_the_store_computes() -> None:
    digest = hashlib.md5(b"app\nd3-1", usedforsecurity=False).digest()
    assert fingerprints([("app", "d3-1")]).tolist() == [int.from_bytes(digest[:8], "little")]
    assert fingerprints([]).tolist() == []
    assert len(fingerprints([("\ud800", "x")])) == 1


@given(st.lists(st.lists(KEYS, max_size=20), max_size=12), st.lists(KEYS, max_size=20))
def test_it_has_what_was_added_and_nothing_else(
    added: list[list[tuple[str, str]]], asked: list[tuple[str, str]]
) -> None:
    found = FingerprintSet()
    there: set[int] = set()
    for some in added:
        numbers = fingerprints(some)
        found.add(numbers)
        there |= set(numbers.tolist())
    every = fingerprints([*asked, *(key for some in added for key in some)])
    assert found.has(every).tolist() == [number in there for number in every.tolist()]
    assert len(found) >= len(there)


def test_runs_stay_few() -> None:
    found = FingerprintSet()
    for turn in range(300):
        found.add(fingerprints((str(turn), str(n)) for n in range(10)))
    assert len(found) == 3_000
    assert len(found._runs) < 12
