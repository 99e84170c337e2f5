"""Chunks in files: crashes at any point, broken files, one owner, one fsync for many."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from pipeline_outputs_world import batch

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.chunk_keys import ChunkKey
from eldonia_ops.pipeline_outputs import chunk_files
from eldonia_ops.pipeline_outputs.chunk_files import SUFFIX, BufferInUseError, FileChunks
from eldonia_ops.pipeline_outputs.chunk_frames import encode_events, payload_of


def payload(*numbers: int) -> bytes:
    made = batch(*numbers)
    return payload_of(made.tag, encode_events(made.events))


def chunk(number: int, key: str = "t") -> Chunk:
    return Chunk(f"{number:032x}", ChunkKey(tag=key), number)


# ruff: noqa: ASYNC240 - what is in a folder is looked at between the steps of a test


async def test_what_was_appended_is_found_again(tmp_path: Path) -> None:
    store = FileChunks(tmp_path)
    store.begin(chunk(1))
    store.append(chunk(1).id, payload(1, 2), 2)
    await store.sync()
    store.append(chunk(1).id, payload(3), 1)
    store.close()
    again = FileChunks(tmp_path)
    (found,) = again.recover()
    assert (found.id, found.key, found.events) == (chunk(1).id, ChunkKey(tag="t"), 3)
    assert again.payloads(found.id) == [payload(1, 2), payload(3)]
    again.append(found.id, payload(4), 1)
    assert again.payloads(found.id)[-1] == payload(4)
    again.remove(found.id)
    again.close()
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


async def test_another_process_cannot_have_the_folder(tmp_path: Path) -> None:
    store = FileChunks(tmp_path)
    with pytest.raises(BufferInUseError, match="in use"):
        FileChunks(tmp_path)
    store.close()
    FileChunks(tmp_path).close()


async def test_a_broken_chunk_is_set_aside_and_the_others_are_sent(tmp_path: Path) -> None:
    store = FileChunks(tmp_path)
    for number in (1, 2, 3):
        store.begin(chunk(number))
        for n in range(3):
            store.append(chunk(number).id, payload(number * 10 + n), 1)
    store.close()
    (tmp_path / (chunk(1).id + SUFFIX)).write_bytes(b"nothing " * 20)
    damaged = tmp_path / (chunk(2).id + SUFFIX)
    data = bytearray(damaged.read_bytes())
    data[data.index(payload(21)) + 3] ^= 1
    damaged.write_bytes(data)
    again = FileChunks(tmp_path)
    found = {one.id: again.payloads(one.id) for one in again.recover()}
    assert found == {
        chunk(2).id: [payload(20), payload(22)],
        chunk(3).id: [payload(30), payload(31), payload(32)],
    }
    assert again.broken == 2
    aside = sorted(path.name for path in (tmp_path / "broken").iterdir())
    assert aside == [chunk(1).id + SUFFIX, chunk(1).id + ".txt", chunk(2).id + SUFFIX, chunk(2).id + ".txt"]
    assert (tmp_path / "broken" / aside[0]).read_bytes() == b"nothing " * 20
    assert (tmp_path / "broken" / aside[2]).read_bytes() == bytes(data)
    again.close()


async def test_a_write_that_fails_leaves_no_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileChunks(tmp_path)
    store.begin(chunk(1))
    store.append(chunk(1).id, payload(1), 1)
    real = os.write

    def half(number: int, data: Any) -> int:
        monkeypatch.setattr(chunk_files.os, "write", full)
        return real(number, bytes(data)[:5])

    def full(number: int, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(chunk_files.os, "write", half)
    with pytest.raises(OSError, match="No space"):
        store.append(chunk(1).id, payload(2), 1)
    monkeypatch.undo()
    store.append(chunk(1).id, payload(3), 1)
    assert store.payloads(chunk(1).id) == [payload(1), payload(3)]
    store.close()


async def test_one_fsync_is_for_all_who_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    real = os.fdatasync
    monkeypatch.setattr(chunk_files.os, "fdatasync", lambda number: (synced.append(number), real(number)))
    store = FileChunks(tmp_path)
    store.begin(chunk(1))

    async def write(n: int) -> None:
        store.append(chunk(1).id, payload(n), 1)
        await store.sync()

    await asyncio.gather(*(write(n) for n in range(100)))
    assert 1 <= len(synced) <= 5
    store.close()


async def test_a_failed_fsync_is_every_waiters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = FileChunks(tmp_path)
    store.begin(chunk(1))
    store.append(chunk(1).id, payload(1), 1)

    def fail(number: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(chunk_files.os, "fdatasync", fail)
    results = await asyncio.gather(*(store.sync() for _ in range(3)), return_exceptions=True)
    assert all(isinstance(result, OSError) for result in results)
    monkeypatch.undo()
    await store.sync()
    store.close()


async def test_more_chunks_than_files_may_be_open(tmp_path: Path) -> None:
    store = FileChunks(tmp_path)
    for number in range(300):
        store.begin(chunk(number, str(number)))
    for number in range(300):
        store.append(chunk(number).id, payload(number), 1)
    await store.sync()
    assert all(store.payloads(chunk(number).id) == [payload(number)] for number in range(300))
    store.close()


class Crashes(RuleBasedStateMachine):
    """A process that may end at any instant, also within a write: what was synchronised is there, and nothing twice."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = FileChunks(Path(self.folder.name))
        self.safe: dict[str, list[int]] = {}
        self.unsafe: dict[str, list[int]] = {}
        self.number = 0

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    @rule()
    def begin(self) -> None:
        self.number += 1
        made = chunk(self.number)
        self.store.begin(made)
        self.unsafe[made.id] = []

    @precondition(lambda self: self.unsafe)
    @rule(data=st.data())
    def append(self, data: st.DataObject) -> None:
        chunk_id = data.draw(st.sampled_from(sorted(self.unsafe)))
        self.number += 1
        self.store.append(chunk_id, payload(self.number), 1)
        self.unsafe[chunk_id].append(self.number)

    @rule()
    def sync(self) -> None:
        asyncio.run(self.store.sync())
        for chunk_id, numbers in self.unsafe.items():
            self.safe[chunk_id] = list(numbers)

    @precondition(lambda self: self.unsafe)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        chunk_id = data.draw(st.sampled_from(sorted(self.unsafe)))
        self.store.remove(chunk_id)
        del self.unsafe[chunk_id]
        self.safe.pop(chunk_id, None)

    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        self.store.close()
        for path in Path(self.folder.name).glob("*" + SUFFIX):
            # What was not synchronised may be there, in part, or not at all.
            kept = self._safe_bytes(path)
            end = data.draw(st.integers(kept, path.stat().st_size))
            os.truncate(path, end)
        self.store = FileChunks(Path(self.folder.name))
        found = {one.id: one for one in self.store.recover()}
        assert not (Path(self.folder.name) / "broken").exists()
        left: dict[str, list[int]] = {}
        for chunk_id in list(self.unsafe):
            numbers = [] if chunk_id not in found else self._numbers(chunk_id)
            safe = self.safe.get(chunk_id, [])
            assert numbers[: len(safe)] == safe
            assert numbers == self.unsafe[chunk_id][: len(numbers)]
            if chunk_id in found:
                left[chunk_id] = numbers
                assert found[chunk_id].events == len(numbers)
        self.unsafe = left
        self.safe = {chunk_id: list(numbers) for chunk_id, numbers in left.items()}

    def _safe_bytes(self, path: Path) -> int:
        from eldonia_ops.pipeline_outputs.chunk_frames import frame, head_frame

        numbers = self.safe.get(path.stem)
        if numbers is None:
            return 0
        head = head_frame(chunk(int(path.stem, 16)))
        return len(head) + sum(len(frame(payload(number), 1)) for number in numbers)

    def _numbers(self, chunk_id: str) -> list[int]:
        from eldonia_ops.pipeline_outputs.chunk_frames import events_of

        return [event.record["n"] for data in self.store.payloads(chunk_id) for event in events_of(data).events]

    @invariant()
    def all_can_be_read(self) -> None:
        for chunk_id, numbers in self.unsafe.items():
            assert self._numbers(chunk_id) == numbers


TestCrashes = Crashes.TestCase
TestCrashes.settings = hypothesis_settings(max_examples=15, stateful_step_count=20, deadline=None)
