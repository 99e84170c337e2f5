"""Which batches went to the outputs before a crash, and where reading goes on."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.services.pipeline.positions import MOST_PLANNED, PipelinePositions, begin_of, plan_of, plan_text

IDENTITIES = st.text(string.ascii_lowercase + string.digits + ":~", min_size=1, max_size=20)
PLACES = st.integers(0, 2**62)


@given(st.lists(st.tuples(IDENTITIES, PLACES, PLACES), max_size=20))
def test_a_plan_is_read_as_it_was_written(plans: list[tuple[str, int, int]]) -> None:
    assert plan_of(plan_text(plans)) == plans


@pytest.mark.parametrize("text", ["a", "a@1", "a@1-x", "@1-2", "a@1-2 b", "a@1-99999999999999999999"])
def test_what_is_no_plan_is_none(text: str) -> None:
    assert plan_of(text) == []


@pytest.mark.parametrize(
    ("position", "begin"),
    [
        (None, ("b", 10)),
        (("b", 10), ("b", 10)),
        (("b", 20), ("b", 20)),  # saved behind the batch
        (("b", 5), ("b", 10)),  # saved before it: a plan is made when all before is done
        (("a", 900), ("b", 10)),  # of a file that was rotated away since
        (("c", 3), ("c", 3)),
    ],
)
def test_where_reading_goes_on(position: tuple[str, int] | None, begin: tuple[str, int]) -> None:
    assert begin_of(position, [("b", 10, 20), ("c", 0, 7)]) == begin


def test_without_a_plan_the_position_counts() -> None:
    assert begin_of(("a", 1), []) == ("a", 1)
    assert begin_of(None, []) is None


class Stored:
    """The store of positions."""

    def __init__(self) -> None:
        self.rows: dict[str, tuple[str, int]] = {}

    async def load_position(self, path: str) -> tuple[str, int] | None:
        return self.rows.get(path)

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        self.rows[path] = (identity, offset)

    async def source_position(self, source: str) -> int | None:
        return None


async def test_while_nothing_is_held_back_the_plan_is_the_last_batch() -> None:
    stored, held = Stored(), 0
    positions = PipelinePositions("s", stored, "", from_head=True, held=lambda: held, now=lambda: 0.0)
    await positions.plan("/a", "x", 0, 10)
    await positions.plan("/a", "x", 10, 20)
    await positions.plan("/a", "x", 10, 20)  # it is offered again
    assert await positions.planned("/a") == [("x", 10, 20)]
    held = 1
    await positions.plan("/a", "x", 20, 30)
    await positions.plan("/a", "y", 0, 5)
    assert await positions.planned("/a") == [("x", 10, 20), ("x", 20, 30), ("y", 0, 5)]
    for number in range(MOST_PLANNED + 5):
        await positions.plan("/a", "z", number, number + 1)
    assert len(await positions.planned("/a")) == MOST_PLANNED
    held = 0
    await positions.plan("/a", "z", 900, 901)
    assert await positions.planned("/a") == [("z", 900, 901)]
    assert await positions.load_position("/a") == ("z", 900)
