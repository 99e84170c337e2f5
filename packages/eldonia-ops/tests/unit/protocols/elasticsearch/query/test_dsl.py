"""Which documents queries find, and how what cannot be read is refused."""

# ruff: noqa: E501  a query a line

import json
from typing import Any

import pytest

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.protocols.elasticsearch.documents import record_of_document
from eldonia_ops.protocols.elasticsearch.query.dsl import read_query
from eldonia_ops.protocols.elasticsearch.query.errors import DslError, placed
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.score import score_of

NOW = 1_796_083_200_000_000_000  # 2026-12-01T00:00:00Z
DOCUMENTS: list[dict[str, Any]] = [
    {
        "@timestamp": "2026-11-30T23:30:00.000Z",
        "message": "connection reset by peer",
        "level": "ERROR",
        "service": "cart",
        "status": 502,
        "host": "node-01",
        "tags": ["edge", "blue"],
        "user": {"id": "u1", "name": "Ann Lee"},
    },
    {
        "@timestamp": "2026-11-30T22:00:00.000Z",
        "message": "Connection closed, reset by operator",
        "level": "info",
        "service": "auth",
        "status": 200,
        "host": "node-02",
        "tags": "edge",
        "path": "/api/v1/orders",
        "latency": 12.5,
    },
    {
        "@timestamp": "2026-11-29T12:00:00.000Z",
        "message": "接続がタイムアウトしました for cart",
        "level": "warn",
        "service": "cart",
        "status": "502",
        "host": "db-1",
        "ok": True,
        "user": {"id": "u2"},
    },
]


@pytest.fixture(scope="module")
def records() -> list[LogRecord]:
    found = [
        record_of_document(dict(document), index="app-1", number=place, received_ns=NOW, id=str(place))
        for place, document in enumerate(DOCUMENTS)
    ]
    return [*found, LogRecord(timestamp_ns=NOW - 10**9, message="by another way", service="cron", hostname="db-1")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"match_all": {}}, "0123"),
        ({"match_none": {}}, ""),
        ({"match": {"message": "reset peer"}}, "01"),
        ({"match": {"message": {"query": "reset peer", "operator": "and"}}}, "0"),
        ({"match": {"message": {"query": "reset peer closed", "minimum_should_match": 2}}}, "01"),
        ({"match": {"message": {"query": "reset peer closed", "minimum_should_match": "100%"}}}, ""),
        ({"match": {"message": "res"}}, ""),
        ({"match": {"message": "タイムアウト"}}, "2"),
        ({"match": {"user.name": "lee"}}, "0"),
        ({"match": {"path": "orders"}}, "1"),
        ({"match": {"latency": 5}}, ""),
        ({"match": {"status": 502}}, "02"),
        ({"match_phrase": {"message": "reset by peer"}}, "0"),
        ({"match_phrase": {"message": "closed reset"}}, "1"),
        ({"match_phrase": {"message": "connection by"}}, ""),
        ({"match_phrase": {"message": {"query": "connection by", "slop": 1}}}, "0"),
        ({"match_phrase_prefix": {"message": "reset by op"}}, "1"),
        ({"match_bool_prefix": {"message": "operator conn"}}, "01"),
        ({"multi_match": {"query": "cart", "fields": ["message", "service^2"]}}, "02"),
        ({"multi_match": {"query": "cart ann", "fields": ["service", "user.name"], "type": "cross_fields",
                          "operator": "and"}}, "0"),
        ({"term": {"level": "ERROR"}}, "0"),
        ({"term": {"level": "error"}}, ""),
        ({"term": {"level": {"value": "error", "case_insensitive": True}}}, "0"),
        ({"term": {"host": "db-1"}}, "23"),
        ({"term": {"host.keyword": "node-01"}}, "0"),
        ({"term": {"tags": "edge"}}, "01"),
        ({"term": {"tags.keyword": "blue"}}, "0"),
        ({"term": {"ok": True}}, "2"),
        ({"term": {"message": "closed"}}, "1"),
        ({"terms": {"service": ["cart", "cron"]}}, "023"),
        ({"terms": {"status": [200, 502]}}, "012"),
        ({"range": {"status": {"gte": 200, "lt": 502}}}, "1"),
        ({"range": {"host": {"gte": "node-02"}}}, "1"),
        ({"range": {"@timestamp": {"gte": "now-1h"}}}, "03"),
        ({"range": {"@timestamp": {"gte": "now-1d/d", "lt": "now/d"}}}, "013"),
        ({"range": {"@timestamp": {"lte": "2026-11-30||/d"}}}, "0123"),
        ({"range": {"@timestamp": {"gt": "2026-11-29||/d"}}}, "013"),
        ({"range": {"@timestamp": {"gte": 1_796_081_400_000, "format": "epoch_millis"}}}, "03"),
        ({"range": {"@timestamp": {"gte": "2026-12-01T07:30:00", "time_zone": "+09:00"}}}, "03"),
        ({"exists": {"field": "user.name"}}, "0"),
        ({"exists": {"field": "latency"}}, "1"),
        ({"prefix": {"host": "node-"}}, "01"),
        ({"prefix": {"message": "conn"}}, "01"),
        ({"wildcard": {"path": "/api/*/orders"}}, "1"),
        ({"wildcard": {"host": {"value": "NODE-0?", "case_insensitive": True}}}, "01"),
        ({"regexp": {"host": "node-0[12]"}}, "01"),
        ({"regexp": {"host": "node"}}, ""),
        ({"ids": {"values": ["0", "2"]}}, "02"),
        ({"term": {"_index": "app-1"}}, "012"),
        ({"term": {"_index": "logs"}}, "3"),
        ({"wildcard": {"_index": "app-*"}}, "012"),
        ({"bool": {}}, "0123"),
        ({"bool": {"must": {"match": {"message": "reset"}}, "must_not": [{"term": {"service": "auth"}}]}}, "0"),
        ({"bool": {"should": [{"term": {"service": "cart"}}, {"term": {"status": 502}}]}}, "02"),
        ({"bool": {"filter": {"term": {"service": "cart"}}, "should": [{"term": {"level": "x"}}]}}, "02"),
        ({"bool": {"should": [{"term": {"service": "cart"}}], "minimum_should_match": 2}}, ""),
        ({"bool": {"should": [{"term": {"service": "cart"}}], "minimum_should_match": "50%"}}, "02"),
        ({"bool": {"should": [{"term": {"service": "cart"}}], "minimum_should_match": 0}}, "02"),
        ({"bool": {"filter": {"term": {"service": "cart"}}, "should": [{"term": {"level": "x"}}],
                   "minimum_should_match": "50%"}}, "02"),
        ({"bool": {"should": [{"term": {"service": "cart"}}, {"term": {"level": "warn"}},
                              {"exists": {"field": "ok"}}], "minimum_should_match": "75%"}}, "2"),
        ({"nested": {"path": "user", "query": {"term": {"user.id": "u2"}}}}, "2"),
        ({"constant_score": {"filter": {"term": {"service": "auth"}}}}, "1"),
        ({"dis_max": {"queries": [{"term": {"service": "auth"}}, {"term": {"service": "cron"}}]}}, "13"),
        ({"boosting": {"positive": {"match": {"message": "reset"}}, "negative": {"term": {"service": "auth"}},
                       "negative_boost": 0.5}}, "01"),
        ({"query_string": {"query": "service:cart AND status:>=500"}}, "0"),
        ({"query_string": {"query": "level:(ERROR OR warn) -timeout"}}, "02"),
        ({"simple_query_string": {"query": "reset + -peer", "fields": ["message"]}}, "1"),
    ],
)  # fmt: skip
def test_finds(query: dict[str, Any], found: str, records: list[LogRecord]) -> None:
    clause = read_query(query, NOW)
    assert "".join(str(place) for place, one in enumerate(records) if matches(clause.node, one)) == found


@pytest.mark.parametrize(
    ("query", "scores"),
    [
        ({"match_all": {"boost": 3}}, {0: 3, 1: 3}),
        ({"match": {"message": "reset peer"}}, {0: 2, 1: 1}),
        ({"match": {"message": {"query": "reset peer", "boost": 2}}}, {0: 4, 1: 2}),
        ({"bool": {"filter": {"match": {"message": "reset"}}}}, {0: 0, 1: 0}),
        ({"bool": {"must": {"match": {"message": "reset"}}, "should": {"term": {"service": "auth"}}}}, {0: 1, 1: 2}),
        ({"constant_score": {"filter": {"match": {"message": "reset"}}, "boost": 7}}, {0: 7, 1: 7}),
        ({"dis_max": {"queries": [{"match": {"message": "reset"}}, {"match": {"message": {"query": "peer", "boost": 4}}}],
                      "tie_breaker": 0.5}}, {0: 4.5, 1: 1}),
        ({"boosting": {"positive": {"match": {"message": "reset"}}, "negative": {"term": {"service": "auth"}},
                       "negative_boost": 0.25}}, {0: 1, 1: 0.25}),
    ],
)  # fmt: skip
def test_scores(query: dict[str, Any], scores: dict[int, float], records: list[LogRecord]) -> None:
    clause = read_query(query, NOW)
    assert {place: score_of(clause.score, records[place]) for place in scores} == scores


@pytest.mark.parametrize(
    ("query", "type", "reason"),
    [
        ({"matchh": {}}, "parsing_exception", "unknown query [matchh] did you mean [match]?"),
        ({}, "illegal_argument_exception", "query malformed, empty clause found"),
        ({"match": {"a": 1, "b": 2}}, "parsing_exception", "[match] query doesn't support multiple fields, found [a] and [b]"),
        ({"match": {"message": {"query": "x", "fuzziness": "AUTO"}}}, "illegal_argument_exception", "[fuzziness] is not supported"),
        ({"match": {"message": {"query": "x", "nonsense": 1}}}, "parsing_exception", "[match] query does not support [nonsense]"),
        ({"term": {"a": [1]}}, "parsing_exception", "[term] query does not support array of values"),
        ({"range": {"a": {"above": 1}}}, "parsing_exception", "[range] query does not support [above]"),
        ({"range": {"@timestamp": {"gte": "yesterday"}}}, "parse_exception", "failed to parse date field [yesterday]"),
        ({"regexp": {"host": "a(b"}}, "illegal_argument_exception", "host"),
        ({"regexp": {"host": "a&b"}}, "illegal_argument_exception", "the operator [&]"),
        ({"bool": {"musst": []}}, "parsing_exception", "[bool] query does not support [musst]"),
        ({"query_string": {"query": "a AND"}}, "query_shard_exception", "Failed to parse query [a AND]"),
        ({"query_string": {"query": "timeot~"}}, "illegal_argument_exception", "fuzzy word [timeot~]"),
        ({"terms": {"a": {"index": "x", "id": "1", "path": "y"}}}, "illegal_argument_exception", "lookup"),
    ],
)  # fmt: skip
def test_refuses(query: dict[str, Any], type: str, reason: str) -> None:
    with pytest.raises(DslError) as caught:
        read_query(query, NOW)
    assert caught.value.type == type
    assert reason in caught.value.reason


def test_says_where() -> None:
    body = json.dumps({"query": {"bool": {"must": {"matchh": {}}}}}, indent=1).encode()
    with pytest.raises(DslError) as caught:
        read_query(json.loads(body)["query"], NOW)
    found = placed(caught.value, body).body()
    assert (found["line"], found["col"]) == (5, 15)
    assert found["caused_by"]["reason"] == "[5:15] unknown field [matchh]"
    assert found["root_cause"][0]["type"] == "parsing_exception"


def test_depth_and_number_are_bounded() -> None:
    deep: dict[str, Any] = {"match_all": {}}
    for _ in range(40):
        deep = {"bool": {"must": deep}}
    with pytest.raises(DslError, match="nested depth"):
        read_query(deep, NOW)
    with pytest.raises(DslError, match="maxClauseCount"):
        read_query({"bool": {"should": [{"term": {"a": n}} for n in range(2_000)]}}, NOW)
