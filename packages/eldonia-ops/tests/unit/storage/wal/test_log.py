"""Appends, failures of the disk, release, and what is read after an end of any kind."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from eldonia_ops.ports import TelemetryError, TelemetryUnavailableError
from eldonia_ops.storage.wal import Record, WriteAheadLog
from eldonia_ops.storage.wal.segments import segments


def nothing(sequence: int) -> None:
    pass


async def read(folder: Path) -> list[Record]:
    log = WriteAheadLog(folder)
    return [record for records in [found async for found in log.replay()] for record in records]


async def opened(folder: Path, **settings: Any) -> WriteAheadLog:
    log = WriteAheadLog(folder, **settings)
    async for _ in log.replay():
        pass
    return log


async def test_what_was_appended_is_read_by_the_next_that_opens_it(tmp_path: Path) -> None:
    log = await opened(tmp_path / "wal")
    accepted: list[int] = []
    await asyncio.gather(*(log.append(1, b"%d" % n, accepted.append) for n in range(50)))
    assert accepted == list(range(1, 51))
    assert log.syncs < 50  # those who waited shared one
    # No close: as after kill -9.
    assert await read(tmp_path / "wal") == [Record(n + 1, 1, b"%d" % n) for n in range(50)]


async def test_numbers_go_on_after_an_unclean_end(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    await first.append(1, b"a", nothing)
    second = await opened(tmp_path)
    await second.append(1, b"b", nothing)
    assert [(record.sequence, record.payload) for record in await read(tmp_path)] == [(1, b"a"), (2, b"b")]


async def test_it_opens_again_and_again_without_a_record(tmp_path: Path) -> None:
    for _ in range(3):
        log = await opened(tmp_path)
        await log.close()
    log = await opened(tmp_path)
    await log.append(1, b"a", nothing)
    assert [record.payload for record in await read(tmp_path)] == [b"a"]
    assert len(segments(tmp_path)) <= 2


async def test_a_torn_end_is_left_out_and_what_follows_is_kept(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    await first.append(1, b"a", nothing)
    [(_, path)] = segments(tmp_path)
    with path.open("ab") as file:
        file.write(path.read_bytes()[:-1])
    second = await opened(tmp_path)
    await second.append(1, b"b", nothing)
    assert [record.payload for record in await read(tmp_path)] == [b"a", b"b"]


async def test_a_segment_is_removed_when_all_of_it_is_released_and_not_before(tmp_path: Path) -> None:
    log = await opened(tmp_path, segment_bytes=100, kept_seconds=0.0)
    for n in range(20):
        await log.append(1, b"%030d" % n, nothing)
    many = len(segments(tmp_path))
    assert many > 5
    await log.tidy()
    assert len(segments(tmp_path)) == many
    log.release(10)
    await log.tidy()
    left = await read(tmp_path)
    assert len(segments(tmp_path)) < many
    assert {record.sequence for record in left} >= set(range(11, 21))
    assert log.unreleased_bytes <= log.size


async def test_released_segments_stay_for_a_while_within_their_bound(tmp_path: Path) -> None:
    log = await opened(tmp_path, segment_bytes=100, kept_seconds=3600.0, kept_bytes=300)
    for n in range(20):
        await log.append(1, b"%030d" % n, nothing)
    log.release(20)
    await log.tidy()
    assert 100 <= log.size <= 500


async def test_a_clean_close_leaves_the_preamble_alone(tmp_path: Path) -> None:
    log = await opened(tmp_path, preamble=lambda: [(9, b"known")])
    await log.append(1, b"a", nothing)
    log.release(log.last)
    await log.close()
    assert [(record.kind, record.payload) for record in await read(tmp_path)] == [(9, b"known")]
    with pytest.raises(TelemetryError, match="closed"):
        await log.append(1, b"b", nothing)


async def test_a_close_keeps_what_is_not_released(tmp_path: Path) -> None:
    log = await opened(tmp_path)
    await log.append(1, b"a", nothing)
    await log.close()
    assert [record.payload for record in await read(tmp_path)] == [b"a"]


async def test_a_full_disk_refuses_and_what_was_accepted_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = await opened(tmp_path)
    await log.append(1, b"a", nothing)
    write = os.write

    def half(descriptor: int, data: Any) -> int:
        if len(data) > 5:
            return write(descriptor, bytes(data[:5]))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    accepted: list[int] = []
    monkeypatch.setattr(os, "write", half)
    for _ in range(3):
        with pytest.raises(TelemetryUnavailableError, match="No space left"):
            await log.append(1, b"never" * 20, accepted.append)
    monkeypatch.setattr(os, "write", write)
    assert accepted == []
    await log.append(1, b"b", accepted.append)
    found = await read(tmp_path)
    assert [record.payload for record in found] == [b"a", b"b"]
    assert accepted == [found[-1].sequence]
    assert log.failures == 3


async def test_a_sync_that_failed_is_not_tried_again_on_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = await opened(tmp_path)
    await log.append(1, b"a", nothing)

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as context:
        context.setattr(os, "fdatasync", broken)
        with pytest.raises(TelemetryError, match="Input/output error"):
            await log.append(1, b"never", nothing)
    await log.append(1, b"b", nothing)
    assert len(segments(tmp_path)) == 2
    assert [record.payload for record in await read(tmp_path)] == [b"a", b"b"]


async def test_a_sender_that_gives_up_takes_nothing_back(tmp_path: Path) -> None:
    log = await opened(tmp_path)
    accepted: list[int] = []
    task = asyncio.create_task(log.append(1, b"a", accepted.append))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await log.append(1, b"b", accepted.append)
    assert accepted == [1, 2]


async def test_damage_between_records_is_counted(tmp_path: Path) -> None:
    log = await opened(tmp_path)
    for n in range(3):
        await log.append(1, b"%030d" % n, nothing)
    [(_, path)] = segments(tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    second = WriteAheadLog(tmp_path)
    records = [record for found in [found async for found in second.replay()] for record in found]
    assert [record.sequence for record in records] == [1, 3]
    assert second.gaps == 1


async def test_a_log_that_is_turned_over_lets_go_of_what_was_before(tmp_path: Path) -> None:
    log = await opened(tmp_path, kept_seconds=0.0)
    assert (log.turn_over(), log.holds(0)) == (0, 0), "there is nothing yet"
    await log.append(1, b"alice", nothing)
    last = log.turn_over()
    await log.append(1, b"bob", nothing)
    assert (last, log.holds(last), len(segments(tmp_path))) == (1, 1, 2)
    await log.tidy()
    assert log.holds(last) == 1, "not released"
    log.release(1)
    await log.tidy()
    assert log.holds(last) == 0
    assert [record.payload for record in await read(tmp_path)] == [b"bob"]


async def test_a_log_is_turned_over_between_two_groups_and_never_within_one(tmp_path: Path) -> None:
    log = await opened(tmp_path)
    senders = [asyncio.create_task(log.append(1, b"%d" % n, nothing)) for n in range(20)]
    await asyncio.sleep(0)
    log.turn_over()  # while they are being written
    await asyncio.gather(*senders)
    last = log.last
    await log.append(1, b"after", nothing)
    assert len(segments(tmp_path)) == 2
    assert log.holds(last) == 1
    assert [record.sequence for record in await read(tmp_path)] == list(range(1, 22))
