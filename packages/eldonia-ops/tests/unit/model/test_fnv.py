"""FNV-1a of many texts at once."""

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.fnv import fnv1a, fnv1a_all


def test_it_is_the_published_hash() -> None:
    """Test vectors of http://www.isthe.com/chongo/src/fnv/test_fnv.c."""
    assert [fnv1a(text) for text in (b"", b"a", b"foobar")] == [
        0xCBF29CE484222325,
        0xAF63DC4C8601EC8C,
        0x85944171F73967E8,
    ]


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_together_they_hash_as_they_do_alone(texts: list[bytes]) -> None:
    assert fnv1a_all(texts) == [fnv1a(text) for text in texts]


def test_many_and_very_long_texts_hash_as_well() -> None:
    texts = [bytes([number % 256]) * (number % 50) for number in range(600)] + [b"x" * 5_000]
    assert fnv1a_all(texts) == [fnv1a(text) for text in texts]
