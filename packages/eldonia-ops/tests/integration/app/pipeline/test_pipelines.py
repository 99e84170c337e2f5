"""`serve` runs a fluent.conf: from files that are written to records that are found."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from required_tools import requires_shared, shared_folder
from serving import Serving, serving

from eldonia_ops.collectors.tail.pos_file import FilePosition, format_pos_file, read_pos_file

CONF = """
<source>
  @type tail
  path {folder}/logs/*.log
  pos_file {folder}/app.pos
  tag app.*
  {more}
  <parse>
    @type json
    time_key timestamp
    time_format %Y-%m-%dT%H:%M:%S.%LZ
  </parse>
</source>
<filter app.**>
  @type record_transformer
  <record>
    environment "#{{ENV['NODE_ENV'] || 'development'}}"
    kind ${{tag_parts[-2]}}
  </record>
</filter>
<match app.**>
  @type eldonia
</match>
"""


def written(number: int) -> str:
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return json.dumps({"timestamp": f"{now}.000Z", "level": "warn", "message": f"line-{number:05d}", "service": "shop"})


def stored(platform: Serving) -> list[dict]:
    """Every record, page by page."""
    found: list[dict] = []
    before = ""
    with platform.client() as client:
        while True:
            params = {"limit": "1000", **({"before": before} if before else {})}
            answer = client.get("/api/ops/v1/logs", params=params)
            answer.raise_for_status()
            records = answer.json()["records"]
            found += records
            if len(records) < 1_000:
                return found
            before = records[-1]["cursor"]


def until(wanted: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.3)


def messages(records: list[dict]) -> Counter[str]:
    return Counter(record["message"] for record in records)


@requires_shared("seed")
def test_the_seeds_file_runs_end_to_end(tmp_path: Path):
    folder = shared_folder("seed")
    assert folder is not None
    logs = tmp_path / "logs"
    logs.mkdir()
    text = (folder / "fluent.conf").read_text("utf-8")
    moved = text.replace("/var/log/eldonia/", f"{logs}/").replace("/var/log/fluentd/", f"{tmp_path}/fluentd/")
    # As written it flushes after ten seconds.
    (tmp_path / "fluent.conf").write_text(moved.replace("flush_interval 10s", "flush_interval 1s"))
    settings = {"pipeline": {"file": "fluent.conf", "own_addresses": ["elasticsearch:9200"]}}
    (logs / "app.log").write_text("".join(f"{written(number)}\n" for number in range(3)))
    with serving(tmp_path, settings, {"NODE_ENV": "staging"}) as platform:
        with (logs / "app.log").open("a") as file:
            file.write(f"{written(3)}\nnot json\n")
        (logs / "error.log").write_text(f"{written(4)}\n")
        until(lambda: len(stored(platform)) >= 6)
        records = stored(platform)
        with platform.client() as client:
            targets = {f"{one['name']} {one['url']}": one for one in client.get("/api/ops/v1/targets").json()}
    found = {record["message"]: record for record in records}
    assert sorted(found) == [*(f"line-{number:05d}" for number in range(5)), "not json"]
    tag = f"eldonia{str(logs).replace('/', '.')}.app.log"
    first = found["line-00000"]
    assert (first["environment"], first["tag"], first["level"]) == ("staging", tag, "warn")
    assert first["hostname"] == os.uname().nodename
    assert "JSON" in found["not json"]["parseError"]
    file = next(one for one in targets.values() if one["url"] == str(logs / "app.log"))
    assert (file["kind"], file["health"], file["parse_errors"], file["recognised"]) == ("tail", "up", 1, "json")
    output = next(one for one in targets.values() if one["name"] == "elasticsearch:fluent.conf:38")
    assert (output["kind"], output["health"], output["url"]) == ("pipeline", "up", "the log store of this platform")
    positions = read_pos_file(tmp_path / "fluentd" / "eldonia.pos")
    assert positions[str(logs / "app.log")] == FilePosition(
        (logs / "app.log").stat().st_size, (logs / "app.log").stat().st_ino
    )


def test_kill_and_rotation_lose_nothing_and_double_nothing(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "fluent.conf").write_text(CONF.format(folder=tmp_path, more="read_from_head true"))
    settings = {"pipeline": {"file": "fluent.conf"}}
    number = 0

    def write(count: int) -> None:
        nonlocal number
        with (logs / "app.log").open("a") as file:
            for _ in range(count):
                file.write(f"{written(number)}\n")
                number += 1

    write(200)
    for turn in range(3):
        with serving(tmp_path, settings) as platform:
            write(300)
            if turn == 1:
                (logs / "app.log").rename(logs / "app.log.1")
                write(100)
            time.sleep(0.2 * turn)
            platform.kill()
        write(50)
    with serving(tmp_path, settings) as platform:
        until(lambda: len(messages(stored(platform))) >= number, 60)
        time.sleep(1)  # for what may come too often
        found = messages(stored(platform))
    assert found == Counter(f"line-{one:05d}" for one in range(number))


@pytest.mark.parametrize("from_head", [True, False])
def test_it_goes_on_where_fluentd_stopped(tmp_path: Path, from_head: bool):
    logs = tmp_path / "logs"
    logs.mkdir()
    lines = [f"{written(number)}\n" for number in range(5)]
    (logs / "known.log").write_text("".join(lines))
    (logs / "new.log").write_text(f"{written(10)}\n")
    inode = (logs / "known.log").stat().st_ino
    offset = len("".join(lines[:3]))
    (tmp_path / "app.pos").write_text(
        format_pos_file({str(logs / "known.log"): FilePosition(offset, inode), "/else.log": FilePosition(7, 8)})
    )
    more = "read_from_head true" if from_head else ""
    (tmp_path / "fluent.conf").write_text(CONF.format(folder=tmp_path, more=more))
    with serving(tmp_path, {"pipeline": {"file": "fluent.conf"}}) as platform:
        until(lambda: len(stored(platform)) >= 2)
        with (logs / "new.log").open("a") as file:
            file.write(f"{written(11)}\n")
        until(lambda: "line-00011" in messages(stored(platform)))
        found = messages(stored(platform))
    assert set(found) == {"line-00003", "line-00004", *(["line-00010"] if from_head else []), "line-00011"}
    positions = read_pos_file(tmp_path / "app.pos")
    assert positions[str(logs / "known.log")].offset == len("".join(lines))
    assert positions["/else.log"] == FilePosition(7, 8)


def test_a_faulty_pipeline_keeps_serve_from_starting_and_a_reload_from_changing(tmp_path: Path):
    (tmp_path / "fluent.conf").write_text("<match **>\n@type nothing\n</match>\n")
    with (
        pytest.raises(RuntimeError, match=r"fluent.conf:2: error: there is no output of type 'nothing'"),
        serving(tmp_path, {"pipeline": {"file": "fluent.conf"}}),
    ):
        pass
    logs = tmp_path / "logs"
    logs.mkdir()
    good = CONF.format(folder=tmp_path, more="read_from_head true")
    (tmp_path / "fluent.conf").write_text(good)
    with serving(tmp_path, {"pipeline": {"file": "fluent.conf"}}) as platform, platform.client() as client:
        (tmp_path / "fluent.conf").write_text(good.replace("@type eldonia", "@type nothing"))
        assert client.post("/-/reload").status_code >= 400
        (logs / "a.log").write_text(f"{written(1)}\n")
        until(lambda: "line-00001" in messages(stored(platform)))
        (tmp_path / "fluent.conf").write_text(good.replace("kind ${", "sort ${"))
        assert client.post("/-/reload").status_code == 200
        with (logs / "a.log").open("a") as file:
            file.write(f"{written(2)}\n")
        until(lambda: "line-00002" in messages(stored(platform)))
        records = {record["message"]: record.get("metadata", {}) for record in stored(platform)}
    assert records["line-00001"] == {"kind": "a"}
    assert records["line-00002"] == {"sort": "a"}


TRACES = """
<source>
  @type tail
  path {folder}/logs/*.log
  pos_file {folder}/app.pos
  tag app
  read_from_head true
  <parse>
    @type none
  </parse>
</source>
<filter app>
  @type detect_exceptions
  message message
  multiline_flush_interval 30s
</filter>
<match app>
  @type eldonia
</match>
"""
TRACE = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "    g()", "ValueError: no such cart"]


def test_what_a_filter_holds_back_is_read_again_after_a_kill(tmp_path: Path):
    logs = tmp_path / "logs"
    logs.mkdir()
    (tmp_path / "fluent.conf").write_text(TRACES.format(folder=tmp_path))
    settings = {"pipeline": {"file": "fluent.conf"}}
    with serving(tmp_path, settings) as platform:
        (logs / "a.log").write_text("".join(f"{line}\n" for line in ["first", *TRACE[:3]]))
        until(lambda: "first" in messages(stored(platform)))
        time.sleep(2)
        platform.kill()
    with serving(tmp_path, settings) as platform:
        with (logs / "a.log").open("a") as file:
            file.write(f"{TRACE[3]}\nlast\n")
        until(lambda: "last" in messages(stored(platform)))
        found = messages(stored(platform))
    assert found["\n".join(TRACE)] == 1
    assert set(found) == {"first", "\n".join(TRACE), "last"}
