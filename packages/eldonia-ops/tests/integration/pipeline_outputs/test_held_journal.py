"""The file of what filters hold back: what was written is read, up to what a kill has torn."""

import asyncio
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.filters.held_lines import HeldLines, held_of
from eldonia_ops.pipeline_outputs.held_journal import HeldJournal, Step, StepKind, kept_of
from eldonia_ops.pipeline_outputs.running import OutputError

NAMES = st.tuples(st.integers(0, 3), st.sampled_from(["a\0", "b\0é", "c"]))
LINES = st.builds(
    lambda text, value, number: held_of("tag", Event(number, {"log": text, "x": value}), text, 7, "java"),
    st.text(max_size=5),
    st.one_of(st.integers(), st.floats(allow_nan=False), st.none(), st.lists(st.text(max_size=2), max_size=2)),
    st.integers(-(2**62), 2**62),
)
COMMITS = st.tuples(st.just("commit"), st.text(max_size=3), st.dictionaries(NAMES, st.none() | LINES, max_size=4))
INTENTS = st.tuples(st.just("intend"), st.text(min_size=1, max_size=3), st.frozensets(NAMES, min_size=1, max_size=3))


def written(path: Path, steps: list) -> tuple[HeldJournal, list[int]]:
    """A journal after some steps, and its size after each."""
    journal, sizes = HeldJournal(path, "p"), [path.stat().st_size]
    for what, key, value in steps:
        if what == "commit":
            asyncio.run(journal.commit(key, value))
        else:
            journal.intend(Step(key, StepKind.BATCH, value))
        sizes.append(path.stat().st_size)
    return journal, sizes


def plain(lines: dict) -> list:
    return [(name, held.tag, str(held.events), held.texts, held.mark) for name, held in lines.items()]


@hypothesis_settings(max_examples=40)
@given(st.lists(COMMITS | INTENTS, max_size=8), st.randoms(use_true_random=False))
def test_a_torn_file_is_read_up_to_the_last_whole_frame(steps: list, chance) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "held"
        journal, sizes = written(path, steps)
        data = path.read_bytes()
        journal.close()
        cut = chance.randrange(len(data) + 1)
        whole = sum(1 for size in sizes if size <= cut)
        found = kept_of(data[:cut])
        if not whole:
            assert found.pipeline == ""
            return
        again = Path(folder) / "again"
        other, _ = written(again, steps[: whole - 1])
        assert plain(found.lines) == plain(dict(other.lines)), "and in the same order"
        assert list(found.pending.values()) == list(other.pending)
        other.tidy()
        assert plain(kept_of(again.read_bytes()).lines) == plain(found.lines)
        assert list(kept_of(again.read_bytes()).pending.values()) == list(other.pending)
        for what, key, _ in steps[: whole - 1]:
            assert not (what == "commit" and key) or other.knows(key)
        other.close()


def lines(text: str) -> HeldLines:
    return held_of("t", Event(1, {"log": text}), text, 1)


async def test_what_is_held_back_no_more_is_forgotten(tmp_path: Path) -> None:
    """A person's records may be among it."""
    path = tmp_path / "held"
    journal = HeldJournal(path, "p")
    await journal.commit("k1", {(0, "a"): lines("secret")})
    assert b"secret" in path.read_bytes()
    await journal.commit("k2", {(0, "a"): None})
    journal.tidy()
    assert b"secret" not in path.read_bytes()
    assert journal.knows("k1")
    journal.close()
    assert HeldJournal(path, "p").knows("k2")


async def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    path = tmp_path / "held"
    journal = HeldJournal(path, "p")
    for number in range(60):
        await journal.commit(f"k{number}", {(0, "a"): lines("x" * 100_000)})
    assert path.stat().st_size < 2_000_000
    assert len(journal.lines) == 1


async def test_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "held"
    journal = HeldJournal(path, "p")
    await journal.commit("k1", {(0, "a"): lines("one")})
    write = os.write

    def part(file: int, data: memoryview) -> int:
        if len(data) > 10:
            return write(file, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", part)
    with pytest.raises(OutputError, match="No space left on device"):
        await journal.commit("k2", {(0, "a"): lines("two")})
    assert not journal.knows("k2")
    monkeypatch.undo()
    await journal.commit("k3", {(0, "b"): lines("three")})
    journal.close()
    found = HeldJournal(path, "p")
    assert [held.texts for held in found.lines.values()] == [("one",), ("three",)]
    assert (found.knows("k2"), found.knows("k3")) == (False, True)
