"""Files that were written are read back."""

import gzip
import json
from pathlib import Path

import pytest
from pipeline_outputs_world import World, batch, running, until
from pipeline_sections import output, section

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline_outputs.opening import open_output

# ruff: noqa: ASYNC240 - files are looked at between the steps of a test
DAY = {"timekey": "1d", "timekey_use_utc": "true", "flush_mode": "immediate"}


async def test_a_file_for_each_day_and_tag(tmp_path: Path) -> None:
    buffer = section("buffer", DAY, argument="tag,time")
    declared = output(
        "file", buffer, section("format", {"@type": "json"}), path=f"{tmp_path}/${{tag}}/app", append="true",
        symlink_path=f"{tmp_path}/now", symlink_path_use_relative="true",
    )  # fmt: skip
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        for at, tag in ((0, "a"), (86_399, "a"), (86_400, "a"), (0, "b")):
            await out.write(Batch(tag, (Event(at * 1_000_000_000, {"at": at}),)))
        await until(lambda: out.statuses()[0].written_chunks == 4)
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("app.*")}
    assert found == {
        "a/app.19700101.log": '{"at":0}\n{"at":86399}\n',
        "a/app.19700102.log": '{"at":86400}\n',
        "b/app.19700101.log": '{"at":0}\n',
    }
    assert (tmp_path / "now").is_symlink()
    assert not (tmp_path / "now").readlink().is_absolute()


async def test_without_append_every_chunk_is_a_file(tmp_path: Path) -> None:
    declared = output(
        "file", section("buffer", DAY, argument="time"), path=f"{tmp_path}/app.*", compress="gzip", utc="true"
    )
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        for n in range(3):
            await out.write(batch(n, tag="t"))
        await until(lambda: out.statuses()[0].written_chunks == 3)
    texts = [gzip.decompress((tmp_path / f"app.20261201_{n}.gz").read_bytes()).decode() for n in range(3)]
    assert sorted(texts) == [f'2026-12-01T00:00:00Z\tt\t{{"n":{n}}}\n' for n in range(3)]


async def test_a_tag_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    declared = output("file", section("buffer", DAY, argument="tag"), path=f"{tmp_path}/x/${{tag}}")
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        await out.write(batch(1, tag="../../evil"))
        await until(lambda: out.statuses()[0].given_up_events == 1)
        assert ".." in out.statuses()[0].last_error
    assert not list(tmp_path.parent.glob("evil*"))


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a file where a folder should be")
    world = World(tmp_path)
    buffer = section("buffer", {**DAY, "retry_wait": "1", "retry_randomize": "false"}, argument="time")
    declared = output("file", buffer, section("format", {"@type": "json"}), path=f"{tmp_path}/x/app", append="true")
    async with running(open_output(declared, world.edge)) as out:
        await out.write(batch(1))
        await until(lambda: out.statuses()[0].failed_writes == 1)
        (tmp_path / "x").unlink()
        world.now_ms += 1_000
        await out.write(batch(2))
        await until(lambda: out.statuses()[0].written_chunks == 2)
    lines = (tmp_path / "x" / "app.20261201.log").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 2]


async def test_buffers_of_two_outputs_are_apart(tmp_path: Path) -> None:
    world = World(tmp_path)
    file = {"@type": "file", "flush_mode": "lazy"}
    first = output("file", section("buffer", file, argument="tag"), path=f"{tmp_path}/a", at_id="one")
    second = output("file", section("buffer", file, argument="tag"), path=f"{tmp_path}/a", at_id="two")
    one, two = open_output(first, world.edge), open_output(second, world.edge)
    with pytest.raises(OSError, match="in use"):
        open_output(first, world.edge)
    await one.close()
    await two.close()


async def test_a_tag_cannot_have_a_link_made_outside_of_the_folder(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("a file of another program")
    declared = output(
        "file", section("buffer", DAY, argument="tag"), path=f"{tmp_path}/x/app", symlink_path=f"{tmp_path}/x/${{tag}}"
    )
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        await out.write(batch(1, tag="../kept"))
        await until(lambda: out.statuses()[0].given_up_events == 1)
    assert kept.read_text() == "a file of another program"
    assert not kept.is_symlink()


async def test_a_link_is_made_in_the_place_of_a_link_alone(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file of another program")
    declared = output(
        "file", section("buffer", DAY, argument="tag"), path=f"{tmp_path}/x/app", symlink_path=f"{tmp_path}/${{tag}}"
    )
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        await out.write(batch(1, tag="kept"))
        await until(lambda: out.statuses()[0].given_up_events == 1)
        assert "is no link" in out.statuses()[0].last_error
        await out.write(batch(2, tag="free"))
        await until((tmp_path / "free").is_symlink)
    assert (tmp_path / "kept").read_text() == "a file of another program"


@pytest.mark.parametrize("tag", ["a\0b", "x" * 300, "file/in/it", "folder"])
async def test_a_tag_that_is_no_name_of_a_file_stops_no_other(tmp_path: Path, tag: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    declared = output(
        "file", section("buffer", {"flush_mode": "immediate"}, argument="tag"), path=f"{tmp_path}/${{tag}}",
        append="true", add_path_suffix="false",
    )  # fmt: skip
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        await out.write(batch(1, tag=tag))
        await until(lambda: out.statuses()[0].given_up_events == 1)
        await out.write(batch(2, tag="good"))
        await until((tmp_path / "good").exists)


async def test_a_tag_at_the_beginning_of_a_path_cannot_make_it_one_of_the_whole_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    declared = output("file", section("buffer", DAY, argument="tag"), path="${tag}")
    async with running(open_output(declared, World(tmp_path).edge)) as out:
        await out.write(batch(1, tag=f"{tmp_path}/evil"))
        await until(lambda: out.statuses()[0].given_up_events == 1)
    assert not list(tmp_path.glob("evil*"))
