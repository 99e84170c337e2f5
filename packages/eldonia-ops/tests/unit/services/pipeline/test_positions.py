"""Which batches went to the outputs before a crash, and where reading goes on."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.collectors.tail.files import look
from eldonia_ops.collectors.tail.pos_file import FilePosition, write_pos_file
from eldonia_ops.services.pipeline.positions import PipelinePositions, begin_of, plan_of, plan_text

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


async def test_the_plan_is_the_last_batch() -> None:
    stored = Stored()
    positions = PipelinePositions("s", stored, "", from_head=True, now=lambda: 0.0)
    await positions.plan("/a", "x", 0, 10)
    await positions.plan("/a", "x", 10, 20)
    await positions.plan("/a", "x", 10, 20)  # it is offered again
    assert await positions.planned("/a") == [("x", 10, 20)]
    await positions.plan("/a", "y", 0, 5)
    assert await positions.planned("/a") == [("y", 0, 5)]
    assert await positions.load_position("/a") == ("y", 0)


def identity_of(path: Path) -> str:
    found = look(path)
    assert found is not None
    return found.identity


async def test_a_file_that_was_cut_and_written_again_is_not_read_from_the_old_place(tmp_path: Path) -> None:
    """The pos_file has only the inode, which a file keeps that is copied and cut: what it says is about the copy."""
    log, pos_file, stored = tmp_path / "a.log", tmp_path / "a.pos", Stored()
    log.write_text("first line of before\n" * 10)
    before = identity_of(log)
    positions = PipelinePositions("s", stored, str(pos_file), from_head=True, now=lambda: 0.0)
    await positions.save_position(str(log), before, 42)
    with log.open("r+") as file:  # the same inode
        file.truncate()
        file.write("first line of after\n" * 20)
    later = PipelinePositions("s", stored, str(pos_file), from_head=True, now=lambda: 0.0)
    assert await later.load_position(str(log)) == (before, 42), (
        "the copy is read on first, then the file from its start"
    )
    assert identity_of(log) != before
    # Fluentd has run in between, and is further than we ever were: its place is one of the file as it is now.
    write_pos_file(pos_file, {str(log): FilePosition(100, log.stat().st_ino)})
    later = PipelinePositions("s", stored, str(pos_file), from_head=True, now=lambda: 0.0)
    assert await later.load_position(str(log)) == (identity_of(log), 100)


async def test_the_generation_of_a_file_is_not_forgotten(tmp_path: Path) -> None:
    log, pos_file, stored = tmp_path / "a.log", tmp_path / "a.pos", Stored()
    log.write_text("always the same\n" * 10)
    positions = PipelinePositions("s", stored, str(pos_file), from_head=True, now=lambda: 0.0)
    await positions.save_position(str(log), identity_of(log) + "~1", 32)
    later = PipelinePositions("s", stored, str(pos_file), from_head=True, now=lambda: 0.0)
    assert await later.load_position(str(log)) == (identity_of(log) + "~1", 32)


async def test_the_pos_file_is_never_behind_our_own_state(tmp_path: Path) -> None:
    """After a kill between the two, a place of what the file held before would be taken for one of what it holds."""
    log, pos_file = tmp_path / "a.log", tmp_path / "a.pos"
    log.write_text("a line\n" * 10)
    seen: list[str] = []

    class Watched(Stored):
        async def save_position(self, path: str, identity: str, offset: int) -> None:
            seen.append(pos_file.read_text())
            await super().save_position(path, identity, offset)

    positions = PipelinePositions("s", Watched(), str(pos_file), from_head=True, now=lambda: 0.0)
    await positions.save_position(str(log), identity_of(log), 7)
    assert seen == [pos_file.read_text()]
