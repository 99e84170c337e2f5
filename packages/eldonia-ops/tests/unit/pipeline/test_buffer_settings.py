"""The <buffer> section, and what Fluentd 0.12 had in its place."""

import pytest
from pipeline_sections import section

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.pipeline.buffer_settings import BufferSettings, buffer_of
from eldonia_ops.pipeline.section import Section, SectionReader


def read(
    *inner: Section, keys: tuple[str, ...] = (), timekey: str = "", **values: str
) -> tuple[BufferSettings, list[Diagnostic]]:
    problems: list[Diagnostic] = []
    return buffer_of(SectionReader(section("match", values, *inner), problems), keys=keys, timekey=timekey), problems


def test_the_defaults_are_fluentds() -> None:
    found, problems = read()
    assert not problems
    assert found == BufferSettings()
    assert (found.chunk_limit_size, found.total_limit_size, found.flush_interval_ms) == (8 << 20, 512 << 20, 60_000)
    file, _ = read(section("buffer", {"@type": "file"}))
    assert (file.chunk_limit_size, file.total_limit_size, file.flush_at_shutdown) == (256 << 20, 64 << 30, False)


def test_the_seeds_buffer() -> None:
    values = {
        "@type": "file",
        "path": "/b",
        "flush_interval": "5s",
        "chunk_limit_size": "2M",
        "queue_limit_length": "8",
    }
    found, problems = read(section("buffer", values), keys=("tag",))
    assert not problems
    assert found.chunk_keys == ("tag",)
    assert (found.flush_interval_ms, found.chunk_limit_size, found.total_limit_size) == (5_000, 2 << 20, 16 << 20)


def test_time_keys_make_it_lazy() -> None:
    found, problems = read(section("buffer", {"timekey": "1h", "timekey_use_utc": "true"}, argument="time,$.a.b"))
    assert not problems
    assert (found.flush_mode, found.timekey_ms, found.timekey_zone, found.fields) == (
        "lazy",
        3_600_000,
        "+00:00",
        ("$.a.b",),
    )
    _, problems = read(section("buffer", {}, argument="time"))
    assert "needs timekey" in problems[0].message
    day, problems = read(keys=("time",), timekey="1d")
    assert not problems
    assert day.timekey_ms == 86_400_000


def test_parameters_of_old_files() -> None:
    found, problems = read(
        buffer_type="file", buffer_path="/b", flush_interval="3s", buffer_queue_full_action="block", retry_limit="5"
    )
    assert not problems
    assert (found.file, found.path, found.flush_interval_ms, found.overflow_action) == (True, "/b", 3_000, "block")
    assert found.retry.max_times == 5


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"@type": "redis"}, "no buffer of type 'redis'"),
        ({"overflow_action": "panic"}, "overflow_action"),
        ({"chunk_limit_size": "600m"}, "larger than total_limit_size"),
        ({"flush_intervall": "1s"}, "no parameter flush_intervall"),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, str], word: str) -> None:
    _, problems = read(section("buffer", values))
    assert word in str(problems[0])
