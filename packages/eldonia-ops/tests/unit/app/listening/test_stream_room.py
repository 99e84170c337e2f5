"""Who gives way at a listener that is full."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.app.listening.stream_room import gives_way


@dataclass(frozen=True)
class Held:
    network: str
    silent_since: float | None


def test_there_is_room():
    assert gives_way([], "a", 2) is True
    assert gives_way([Held("a", 1.0)], "a", 2) is True
    assert gives_way([Held("a", 1.0)] * 2, "a", 2) is False, "one client alone may have all places, and no more"


def test_a_quarter_is_kept_for_others():
    held = [Held("a", 1.0)] * 6 + [Held("b", 1.0)]
    assert gives_way(held, "a", 8) is False
    assert gives_way(held, "b", 8) is True


def test_the_longest_silent_of_the_crowd_gives_way():
    held = [Held("a", 5.0), Held("a", 3.0), Held("a", None), Held("b", 1.0)]
    assert gives_way(held, "c", 4) == Held("a", 3.0)
    assert gives_way([Held("a", None)] * 4, "c", 4) is False, "what is worked on is not given up"


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), st.floats(0, 9)))),
    st.sampled_from("abc"),
    st.integers(1, 9),
)
def test_it_never_costs_the_client_itself_a_place_and_never_exceeds_the_bound(
    some: list[tuple[str, float | None]], network: str, most: int
):
    held = [Held(*one) for one in some[:most]]
    found = gives_way(held, network, most)
    if isinstance(found, Held):
        assert found in held
        assert found.network != network
        assert len(held) == most
    elif found:
        assert len(held) < most
