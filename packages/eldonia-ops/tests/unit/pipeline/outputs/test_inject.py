"""The fields of <inject>."""

import pytest
from fluent_conf import NOW_NS
from pipeline_sections import output, read_output, section

from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inject import Inject

BATCH = Batch("app.web", (Event(NOW_NS + 123_456_789, {"a": 1, "host": "theirs"}),), "from", "key")


def injected(**values: str) -> dict[str, object]:
    inject = output("file", section("inject", values), path="/tmp/x").inject
    assert isinstance(inject, Inject)
    found = inject.into(BATCH, "web-1")
    assert (found.tag, found.source, found.key) == ("app.web", "from", "key")
    assert BATCH.events[0].record == {"a": 1, "host": "theirs"}, "others hold the same record"
    return found.events[0].record


def test_every_field() -> None:
    found = injected(hostname_key="host", worker_id_key="worker", tag_key="tag", time_key="time")
    assert found == {"a": 1, "host": "web-1", "worker": 0, "tag": "app.web", "time": 1_700_000_000.123456}
    assert injected(hostname_key="h", hostname="named")["h"] == "named"


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"time_type": "unixtime"}, 1_700_000_000),
        ({"time_type": "unixtime_millis"}, 1_700_000_000_123),
        ({"time_type": "unixtime_nanos"}, 1_700_000_000_123_456_789),
        ({"time_type": "string", "utc": "true"}, "2023-11-14T22:13:20Z"),
        ({"time_type": "string", "time_format": "%H:%M:%S.%L", "timezone": "+09:00"}, "07:13:20.123"),
    ],
)
def test_times(values: dict[str, str], wanted: object) -> None:
    assert injected(time_key="at", **values)["at"] == wanted


def test_faults_are_named() -> None:
    _, problems = read_output("stdout", section("inject", {"hostname_kee": "h"}))
    assert "inject has no parameter hostname_kee: it is ignored" in [one.message for one in problems]
    _, problems = read_output("null", section("inject", {"tag_key": "t"}))
    assert "null has no section <inject>: it is ignored" in [one.message for one in problems]
