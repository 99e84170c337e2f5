"""A batch that comes again is taken once: by a buffer, after its chunk has gone, and after a crash."""

from itertools import count
from pathlib import Path

import pytest
from pipeline_outputs_world import Receiver, World, batch, running, until

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs import NullOutput
from eldonia_ops.pipeline_outputs.buffered import BufferedOutput
from eldonia_ops.pipeline_outputs.chunk_files import TAKEN, FileChunks
from eldonia_ops.pipeline_outputs.chunk_frames import encode_events, events_of, key_of, payload_of
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.pipeline_outputs.taken_keys import KEY_BYTES, MOST_KEYS, TakenKeys, digest_of

NONCES = count(1)  # no two processes have the same


def keyed(key: str, *numbers: int) -> Batch:
    return batch(*numbers).under(key)


def output(world: World, folder: Path, receiver: Receiver, **settings: object) -> BufferedOutput:
    made = BufferSettings(file=True, flush_mode="immediate", **settings)  # type: ignore[arg-type]
    nonce = f"{next(NONCES):012x}"
    return BufferedOutput(NullOutput(type="null", id="o"), made, world.edge, FileChunks(folder), receiver, nonce=nonce)


async def test_a_batch_that_comes_again_is_sent_once_even_after_a_crash(tmp_path: Path) -> None:
    world, receiver = World(tmp_path), Receiver()
    async with running(output(world, tmp_path / "b", receiver)) as first:
        await first.write(keyed("one", 1, 2))
        await first.write(keyed("one", 1, 2))
        await until(lambda: len(receiver.records) == 2)
        await first.write(keyed("one", 1, 2))
        await first.write(batch(3))
        await first.write(batch(3))  # without a key nothing is known of it
        await until(lambda: len(receiver.records) == 4)
    assert (tmp_path / "b" / TAKEN).stat().st_size == KEY_BYTES
    # What follows is another process: its chunk is gone, and still it is known.
    receiver.failure = OutputError("away")
    second = output(world, tmp_path / "b", receiver)
    await second.write(keyed("one", 1, 2))
    await second.write(keyed("two", 4))
    second._store.close()  # as kill -9 leaves it
    receiver.failure = None
    async with running(output(world, tmp_path / "b", receiver)) as third:
        await third.write(keyed("two", 4))
        await third.write(keyed("three", 5))
        await until(lambda: len(receiver.records) >= 6)
    assert [record["n"] for record in receiver.records] == [1, 2, 3, 3, 4, 5]


async def test_of_a_batch_that_was_taken_in_part_the_rest_is_taken(tmp_path: Path) -> None:
    world, receiver = World(tmp_path), Receiver()
    receiver.failure = OutputError("away")
    first = output(world, tmp_path / "b", receiver, chunk_limit_records=1)
    await first.write(keyed("one", 1, 2, 3))
    first._store.close()
    chunks = sorted((tmp_path / "b").glob("*.chunk"))
    assert len(chunks) == 3
    receiver.failure = None
    chunks[1].unlink()  # it was not written when the process was killed
    async with running(output(world, tmp_path / "b", receiver, chunk_limit_records=1)) as second:
        await second.write(keyed("one", 1, 2, 3))
        await until(lambda: len(receiver.records) >= 3)
    assert sorted(record["n"] for record in receiver.records) == [1, 2, 3]


def test_keys_in_payloads() -> None:
    events = encode_events(batch(1, 2).events)
    key = digest_of("a key")
    assert key_of(payload_of("tag", events, key)) == key
    assert key_of(payload_of("tag", events)) == b""
    assert events_of(payload_of("tag", events, key)) == events_of(payload_of("tag", events))
    assert key_of(payload_of("t" * 70_000, events, key)) == key
    with pytest.raises(ValueError, match="without tag and key"):
        key_of(b"\x92\x92\xa1")


def test_the_file_of_keys_is_bounded_and_may_be_torn(tmp_path: Path) -> None:
    path = tmp_path / ".taken"
    keys = TakenKeys(path)
    some = [number.to_bytes(KEY_BYTES, "big") for number in range(5 * MOST_KEYS)]
    for start in range(0, len(some), 1_000):
        part = some[start : start + 1_000]
        keys.add(part)
        keys.keep(part)
    assert path.stat().st_size <= (2 * MOST_KEYS + 2_000) * KEY_BYTES
    with path.open("ab") as file:
        file.write(b"torn")
    again = TakenKeys(path)
    again.load()
    assert some[-1] in again
    assert some[-MOST_KEYS] in again
    assert some[0] not in again
    assert path.stat().st_size % KEY_BYTES == 0
