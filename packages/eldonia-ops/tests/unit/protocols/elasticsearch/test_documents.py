"""What is sent comes back, whatever its keys mean to the record."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogLevel, LogRecord
from eldonia_ops.protocols.elasticsearch.documents import (
    FORBIDDEN,
    id_of,
    index_of,
    record_of_document,
    source_of,
    version_of,
)
from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.logs import fields as log_fields

NOW = 1_795_000_000 * 10**9
NAMES = sorted(
    {
        *log_fields._TIMES,
        *log_fields._MESSAGES,
        *log_fields._LEVELS,
        *(name for names in log_fields._FIELDS.values() for name in names),
        *(
            "@timestamp",
            "status",
            "name",
            "err",
            "stack",
            "metadata",
            "log_level",
            "requestId",
            "request_id",
            "a",
            "pid",
        ),
        *("a,b", "a:b", "a=b", "", "host", "log", "stream", "instant", "performance", "error"),
    }
)
keys = (st.sampled_from(NAMES) | st.text(max_size=8)).filter(lambda key: key not in FORBIDDEN and key.isprintable())
texts = st.text(max_size=12).filter(str.isprintable)
scalars = (
    st.sampled_from(
        [
            "2026-11-14T00:00:00.008062Z",
            "2026-11-14T00:00:00.008+09:00",
            "2026-11-14T00:00:60Z",
            "2026-11-14 00:00:00",
            "2026-11-14T00:00:00",
            "2026-11-14T00:00:00.1Z",
            "info",
            "WARN",
            "error",
            "",
        ]
    )
    | texts
    | st.sampled_from([30, 1_794_824_000_123, 1_794_824_000, 404, 2**63, -5, 1.5, 1.0, True, None])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
)


def stored(document: dict[str, Any], **more: Any) -> LogRecord:
    return record_of_document(document, **{"index": "app", "number": 5, "received_ns": NOW, **more})


@given(st.dictionaries(keys, values, max_size=6))
def test_the_source_is_what_was_sent(document: dict[str, Any]) -> None:
    try:
        record = stored(document)
    except ElasticsearchError:
        assert "@timestamp" in document  # the only thing that is asked of a document
        return
    assert source_of(record) == document
    assert index_of(record) == "app"
    assert id_of(record) == "e00000000000005"


def test_what_a_record_has_a_field_for_is_kept_once() -> None:
    document = {
        "@timestamp": "2026-11-14T00:00:00.123Z",
        "message": "down",
        "level": "error",
        "service": "shop",
        "host": "n1",
        "userId": "u1",
        "took": 5,
    }
    record = stored(document, id="x", version=2)
    assert record.message == "down"
    assert record.level is LogLevel.ERROR
    assert (record.service, record.hostname, record.user_id) == ("shop", "n1", "u1")
    assert record.metadata == {
        "_index": "app",
        "_id": "x",
        "_version": 2,
        "_source": "@timestamp:3Z,message,level,service,host=hostname,userId=user_id",
        "took": 5,
    }
    assert source_of(record) == document
    assert (id_of(record), version_of(record)) == ("x", 2)


def test_levels_by_other_names_stay_as_they_are() -> None:
    record = stored({"level": "WARNING", "message": "m"})
    assert record.level is LogLevel.WARN
    assert source_of(record) == {"level": "WARNING", "message": "m"}


@pytest.mark.parametrize("stated", ["yesterday", "", "2026-13-01T00:00:00Z", [1], {"a": 1}, True])
def test_a_time_that_is_none_is_refused(stated: Any) -> None:
    with pytest.raises(ElasticsearchError, match="failed to parse field") as caught:
        stored({"@timestamp": stated, "message": "m"})
    assert caught.value.body()["error"]["type"] == "document_parsing_exception"


def test_a_time_in_the_future_is_kept_in_the_source_alone() -> None:
    document = {"@timestamp": "2099-01-01T00:00:00Z", "message": "m"}
    record = stored(document)
    assert record.timestamp_ns == NOW
    assert source_of(record) == document


@pytest.mark.parametrize("name", ["_id", "_index", "_source", "_version"])
def test_names_of_our_own_are_refused(name: str) -> None:
    with pytest.raises(ElasticsearchError, match=f"Field \\[{name}\\] is a metadata field"):
        stored({name: "x", "message": "m"})


def test_other_records_have_a_source_and_an_id() -> None:
    record = LogRecord(timestamp_ns=NOW, message="m", service="shop", metadata={"a": 1}, id=7)
    assert index_of(record) == "logs"
    assert id_of(record) == f"r{NOW:016x}{7:016x}"
    assert source_of(record) == {
        "@timestamp": "2026-11-18T11:06:40.000Z",
        "message": "m",
        "level": "info",
        "service": "shop",
        "a": 1,
    }
