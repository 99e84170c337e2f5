"""Which buffers outlive the process, and what of them is found again."""

from dataclasses import replace
from pathlib import Path

import pytest
from pipeline_outputs_world import World, batch, running
from pipeline_sections import output, section

from eldonia_ops.pipeline_outputs.opening import left_behind, open_output
from eldonia_ops.pipeline_outputs.running import OutputEdge

MEMORY = section("buffer", {"flush_interval": "60s", "flush_at_shutdown": "false"})


async def waiting_after_a_restart(edge: OutputEdge, *sections: object) -> int:
    declared = output("http", *sections or (MEMORY,), endpoint="http://127.0.0.1:9/")  # type: ignore[arg-type]
    async with running(open_output(declared, edge)) as out:
        await out.write(batch(1, 2).under("k"))
        await out.write(batch(1, 2).under("k"))  # it is the same one again
    async with running(open_output(declared, edge)) as out:
        await out.write(batch(1, 2).under("k"))
        return out.statuses()[0].queued_events


async def test_a_buffer_in_memory_outlives_the_process(tmp_path: Path) -> None:
    assert await waiting_after_a_restart(World(tmp_path).edge) == 2


async def test_unless_the_settings_say_that_it_need_not(tmp_path: Path) -> None:
    """What came before the restart is gone, and with it the key: here only what came again afterwards waits."""
    edge = replace(World(tmp_path).edge, keep_memory=False)
    assert await waiting_after_a_restart(edge) == 2
    assert not edge.buffers.exists()


async def test_a_path_of_a_buffer_in_memory_is_not_written_to(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    section_ = section("buffer", {"path": str(elsewhere), "flush_interval": "60s", "flush_at_shutdown": "false"})
    assert await waiting_after_a_restart(World(tmp_path).edge, section_) == 2
    assert not elsewhere.exists()


async def test_chunks_of_an_output_that_is_gone_are_named(tmp_path: Path) -> None:
    edge = World(tmp_path).edge
    assert left_behind(edge.buffers, ()) == {}
    declared = output("http", MEMORY, endpoint="http://127.0.0.1:9/")
    await waiting_after_a_restart(edge)
    assert left_behind(edge.buffers, (declared,)) == {}
    ((folder, count),) = left_behind(edge.buffers, (replace(declared, id="another"),)).items()
    assert (folder.parent, count) == (edge.buffers, 1)


async def test_what_is_given_up_takes_no_more_room_than_the_buffer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from eldonia_ops.pipeline.buffer import Chunk
    from eldonia_ops.pipeline.chunk_keys import ChunkKey
    from eldonia_ops.pipeline_outputs.chunk_files import FileChunks

    chunks = FileChunks(tmp_path, most_given_up=2_500)
    for number in range(5):
        chunk = Chunk(f"{number:032x}", ChunkKey(), 1)
        chunks.begin(chunk)
        chunks.append(chunk.id, b"x" * 1_000, 1)
        assert chunks.set_aside(chunk.id, "refused")
    chunks.close()
    left = sorted(path.name for path in (tmp_path / "given-up").iterdir())
    assert left == [f"{number:032x}{suffix}" for number in (3, 4) for suffix in (".chunk", ".txt")]
    assert "takes more room than total_limit_size" in caplog.text
