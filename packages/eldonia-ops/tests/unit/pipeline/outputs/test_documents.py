"""Documents for Elasticsearch."""

import json
from typing import Any

import pytest
from pipeline_sections import output, section

from eldonia_ops.pipeline.chunk_keys import ChunkKey
from eldonia_ops.pipeline.event import Event
from eldonia_ops.pipeline.outputs.documents import Documents

AT = 1_362_020_400_123_456_789
CHUNK = "0" * 32


def document(
    record: dict[str, Any], *, key: ChunkKey | None = None, buffer: str = "tag", **values: str
) -> tuple[Any, Any]:
    found = output(
        "elasticsearch", section("buffer", {"timekey": "1d", "timekey_use_utc": "true"}, argument=buffer), **values
    )
    made = Documents(found, found.buffer).document(key or ChunkKey(tag="t.a"), CHUNK, 7, "t.a", Event(AT, record))
    return json.loads(made.action), json.loads(made.source)


def test_an_index_and_an_id_that_follows_from_the_chunk() -> None:
    assert document({"a": 1}, index_name="Logs") == ({"index": {"_index": "logs", "_id": f"{CHUNK}-7"}}, {"a": 1})


def test_logstash_format() -> None:
    action, source = document({"a": 1}, logstash_format="true", logstash_prefix="${tag[1]}-logs")
    assert action["index"]["_index"] == "a-logs-2013.02.28"
    assert source == {"a": 1, "@timestamp": "2013-02-28T03:00:00.123456789+00:00"}


def test_the_documents_own_time_chooses_the_index() -> None:
    action, source = document({"@timestamp": "2020-01-02T00:00:00Z"}, logstash_format="true")
    assert action["index"]["_index"] == "logstash-2020.01.02"
    assert source == {"@timestamp": "2020-01-02T00:00:00Z"}
    action, source = document({"at": "02/01/2020"}, logstash_format="true", time_key="at", time_key_format="%d/%m/%Y")
    assert action["index"]["_index"] == "logstash-2020.01.02"
    assert source["@timestamp"] == "02/01/2020"
    action, _ = document({"@timestamp": "never"}, logstash_format="true")
    assert action["index"]["_index"] == "logstash-2013.02.28"


def test_placeholders_of_time() -> None:
    action, _ = document({}, key=ChunkKey(1_362_009_600, "t.a"), buffer="tag,time", index_name="x.%Y.%m.%d")
    assert action["index"]["_index"] == "x.2013.02.28"


@pytest.mark.parametrize(
    ("values", "action", "source"),
    [
        ({"id_key": "id"}, {"index": {"_index": "fluentd", "_id": "9"}}, {"id": 9, "n": {"m": 1}}),
        ({"id_key": "$.n.m"}, {"index": {"_index": "fluentd", "_id": "1"}}, {"id": 9, "n": {"m": 1}}),
        ({"include_tag_key": "true", "tag_key": "@log_name"}, None, {"id": 9, "n": {"m": 1}, "@log_name": "t.a"}),
        ({"remove_keys": "id"}, None, {"n": {"m": 1}}),
        ({"flatten_hashes": "true"}, None, {"id": 9, "n_m": 1}),
        ({"write_operation": "create"}, {"create": {"_index": "fluentd", "_id": CHUNK + "-7"}}, None),
        ({"write_operation": "upsert", "id_key": "id"}, {"update": {"_index": "fluentd", "_id": "9"}},
         {"doc": {"id": 9, "n": {"m": 1}}, "doc_as_upsert": True}),
        ({"target_index_key": "id"}, {"index": {"_index": "9", "_id": CHUNK + "-7"}}, {"n": {"m": 1}}),
        ({"routing_key": "id"}, {"index": {"_index": "fluentd", "_id": CHUNK + "-7", "routing": "9"}}, None),
    ],
)  # fmt: skip
def test_settings(values: dict[str, str], action: Any, source: Any) -> None:
    record = {"id": 9, "n": {"m": 1}}
    found = document(record, **values)
    assert found[0] == (action or {"index": {"_index": "fluentd", "_id": f"{CHUNK}-7"}})
    assert found[1] == (source or record)
    assert record == {"id": 9, "n": {"m": 1}}  # a record is never changed in place


def test_an_id_that_is_too_long_for_elasticsearch_does_not_refuse_its_neighbours() -> None:
    # Elasticsearch refuses the whole request for one of more than 512 bytes.
    first, _ = document({"id": "漢" * 171}, id_key="id")
    second, _ = document({"id": "漢" * 172}, id_key="id")
    assert len(first["index"]["_id"]) == 40
    assert first != second
    assert document({"id": "x" * 512}, id_key="id")[0]["index"]["_id"] == "x" * 512
