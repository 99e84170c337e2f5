"""Files whose lines belong together, from the disk to records."""

import asyncio
import contextlib

import pytest
from required_tools import requires_shared, shared_folder

from eldonia_ops.collectors.tail.batches import TailOptions
from eldonia_ops.collectors.tail.discovery import FileTail
from eldonia_ops.collectors.tail.join import JoinBounds
from eldonia_ops.collectors.tail.records import batch_records
from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.logs.lines import LineFormat

NOW = 1_795_000_000_000_000_000


class Kept:
    """Records and positions, in memory."""

    def __init__(self, format):
        self.format = format
        self.records = []
        self.position = None

    async def load_position(self, path):
        return self.position

    async def save_position(self, path, identity, offset):
        self.position = (identity, offset)

    async def source_position(self, source):
        return max((record.offset for record in self.records if record.source == source), default=None)

    async def sink(self, batch):
        records = batch_records(batch, NOW, format=self.format)
        self.records += records
        return sum(1 for record in records if record.parse_error)


async def follow(kept, path, count, seconds=0.05, more=()):
    """Follow a file until so many records have come; ``more`` is what is appended, when so many are there."""
    options = TailOptions(poll_seconds=0.005, discover_seconds=0.01, join=JoinBounds(seconds=seconds))
    tail = FileTail([str(path)], kept.sink, kept, options)
    task = asyncio.create_task(tail.run())
    try:
        async with asyncio.timeout(30):
            for wanted, data in (*more, (count, b"")):
                while len(kept.records) < wanted:  # noqa: ASYNC110 - what a tail does is no event
                    await asyncio.sleep(0.005)
                with path.open("ab") as out:
                    out.write(data)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    return kept.records


@requires_shared("cases")
@pytest.mark.parametrize("format", [LineFormat.JSON, LineFormat.AUTO])
@pytest.mark.parametrize("name", ["docker-json-file", "k8s-cri"])
async def test_parts_of_a_containers_line_are_one_record(tmp_path, name, format):
    path = tmp_path / "a.log"
    path.write_bytes((shared_folder("cases") / f"{name}.log").read_bytes())
    records = await follow(Kept(format), path, 3)
    assert sorted(record.message for record in records) == [
        "first half of a long line and its second half",
        "payment failed",
        "plain line",
    ]
    [failed] = [record for record in records if record.message == "payment failed"]
    assert failed.level is LogLevel.ERROR
    assert failed.metadata["order_id"] == 42
    assert [record.parse_error for record in records] == [""] * 3
    assert max(record.offset for record in records) == path.stat().st_size


@requires_shared("cases")
async def test_a_stack_trace_of_plain_text_is_the_error_of_its_record(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes((shared_folder("cases") / "stacktrace-plain.log").read_bytes())
    records = await follow(Kept(LineFormat.AUTO), path, 4)
    assert [record.level.value for record in records] == ["info", "warn", "error", "error"]
    failed = records[2]
    assert (failed.error.name, failed.error.message) == ("java.lang.IllegalStateException", "gateway timeout")
    assert "Caused by: java.io.IOException: connect refused" in failed.error.stack
    assert failed.error.stack.endswith("... 2 more")
    assert failed.message.startswith("2026-11-29T00:49:23,299 [main] ERROR com.example.Shop - payment failed")
    assert [record.error for record in (*records[:2], records[3])] == [None] * 3


async def test_raw_files_keep_what_the_runtime_wrote(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"2026-11-29T00:00:02.5Z stdout P first\n2026-11-29T00:00:02.6Z stdout F second\n")
    kept = Kept(LineFormat.RAW)
    options = TailOptions(poll_seconds=0.005, join=JoinBounds(seconds=0.05, containers=False))
    task = asyncio.create_task(FileTail([str(path)], kept.sink, kept, options).run())
    async with asyncio.timeout(30):
        while len(kept.records) < 2:  # noqa: ASYNC110 - what a tail does is no event
            await asyncio.sleep(0.005)
    task.cancel()
    assert [record.message for record in kept.records] == path.read_text().splitlines()


async def test_what_is_held_back_is_read_again_by_the_next_who_follows(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b'{"message":"before"}\n2026-11-29T00:00:02.5Z stdout P first \n')
    kept = Kept(LineFormat.AUTO)
    # The second part never comes while this one follows; it would wait for an hour.
    await follow(kept, path, 1, seconds=3_600)
    assert [record.message for record in kept.records] == ["before"]
    assert kept.position[1] == len(b'{"message":"before"}\n')
    with path.open("ab") as out:
        out.write(b"2026-11-29T00:00:02.6Z stdout F second\n")
    await follow(kept, path, 2, seconds=3_600)
    assert [record.message for record in kept.records] == ["before", "first second"]
    assert kept.position[1] == path.stat().st_size


async def test_what_comes_after_a_silence_is_a_record_of_its_own(tmp_path):
    path = tmp_path / "a.log"
    path.write_bytes(b"2026-11-29T00:00:02.5Z stdout P first \n")
    records = await follow(Kept(LineFormat.AUTO), path, 2, more=[(1, b"2026-11-29T00:00:02.6Z stdout F second\n")])
    assert [record.message for record in records] == ["first ", "second"]


@pytest.mark.parametrize("way", ["renamed", "truncated"])
async def test_what_is_held_back_of_a_file_that_ends_is_stored(tmp_path, way):
    path = tmp_path / "a.log"
    path.write_bytes(b'{"message":"before"}\n2026-11-29T00:00:02.5Z stdout P first \n')
    kept = Kept(LineFormat.AUTO)
    options = TailOptions(
        poll_seconds=0.005, discover_seconds=0.01, rotation_grace_seconds=0.05, join=JoinBounds(seconds=3_600)
    )
    task = asyncio.create_task(FileTail([f"{path}*"], kept.sink, kept, options).run())
    try:
        async with asyncio.timeout(30):
            while len(kept.records) < 1:  # noqa: ASYNC110 - what a tail does is no event
                await asyncio.sleep(0.005)
            if way == "renamed":
                path.rename(tmp_path / "a.log.1")
                path.write_bytes(b'{"message":"after"}\n')
            else:
                path.write_bytes(b'{"message":"after"}\n')
            while len(kept.records) < 3:  # noqa: ASYNC110 - what a tail does is no event
                await asyncio.sleep(0.005)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert [record.message for record in kept.records] == ["before", "first ", "after"]
