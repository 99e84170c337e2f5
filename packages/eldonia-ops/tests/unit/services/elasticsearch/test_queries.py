"""Searches, pages of them, and aggregations, over records in memory."""

# ruff: noqa: E501  a request a line

import json
from typing import Any

import pytest

from eldonia_ops.protocols.elasticsearch.documents import record_of_document
from eldonia_ops.protocols.elasticsearch.query.errors import DslError
from eldonia_ops.protocols.elasticsearch.query.fields import index_pattern
from eldonia_ops.services.elasticsearch.queries import ElasticsearchQueries
from eldonia_ops.simulation.memory_stores.logs import MemoryLogStore

NOW = 1_796_083_200_000_000_000  # 2026-12-01T00:00:00Z


class Clock:
    def __init__(self) -> None:
        self.ns = NOW

    def __call__(self) -> int:
        return self.ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def store() -> MemoryLogStore:
    found = MemoryLogStore()
    await add(found, 0, 40)
    return found


async def add(store: MemoryLogStore, first: int, count: int) -> None:
    documents = [
        {
            "@timestamp": f"2026-11-30T{number % 4:02d}:{number // 4:02d}:00.{number // 8 % 2 * 250:03d}Z",
            "message": f"request {number} {'failed' if number % 4 == 0 else 'done'}",
            "service": f"s{number % 3}",
            "took": number // 3,
            **({"user": {"id": f"u{number % 5}", "role": "admin"}} if number % 2 else {}),
        }
        for number in range(first, first + count)
    ]
    await store.insert_logs(
        [
            record_of_document(document, index="app", number=place, received_ns=NOW, id=str(place))
            for place, document in enumerate(documents, first)
        ]
    )


@pytest.fixture
def queries(store: MemoryLogStore, clock: Clock) -> ElasticsearchQueries:
    async def indices(expression: str, _parameters: Any) -> Any:
        return expression, index_pattern(expression)

    return ElasticsearchQueries(store, clock, indices)


def body(**given: Any) -> bytes:
    return json.dumps(given).encode()


def ids(answer: dict[str, Any]) -> list[str]:
    return [hit["_id"] for hit in answer["hits"]["hits"]]


async def test_a_search_has_the_newest_of_the_best_first(queries: ElasticsearchQueries) -> None:
    answer = await queries.search("app", {}, body(query={"match": {"message": "failed"}}, size=2))
    assert ids(answer) == ["36", "32"]
    assert answer["hits"]["total"] == {"value": 10, "relation": "eq"}
    assert answer["hits"]["max_score"] == 1.0
    source = answer["hits"]["hits"][0]["_source"]
    assert source == {
        "@timestamp": "2026-11-30T00:09:00.000Z",
        "message": "request 36 failed",
        "service": "s0",
        "took": 12,
    }


@pytest.mark.parametrize(
    ("tracked", "total"),
    [
        (5, {"value": 5, "relation": "gte"}),
        (40, {"value": 40, "relation": "eq"}),
        (True, {"value": 40, "relation": "eq"}),
        (False, None),
    ],
)
async def test_total_is_honest(queries: ElasticsearchQueries, tracked: Any, total: Any) -> None:
    answer = await queries.search("", {}, body(track_total_hits=tracked, size=3))
    assert answer["hits"].get("total") == total


async def test_source_fields_and_highlight(queries: ElasticsearchQueries) -> None:
    asked = body(
        query={"term": {"user.id": "u1"}},
        size=1,
        sort=[{"@timestamp": {"order": "asc", "format": "strict_date_optional_time_nanos"}}],
        _source={"includes": ["user.*", "service"], "excludes": ["*.role"]},
        fields=["took", {"field": "@timestamp", "format": "epoch_millis"}, "user*"],
        highlight={"fields": {"*": {}}, "pre_tags": ["["], "post_tags": ["]"]},
    )
    (hit,) = (await queries.search("", {}, asked))["hits"]["hits"]
    assert hit["_source"] == {"service": "s1", "user": {"id": "u1"}}
    fields = {"took": [0], "@timestamp": ["1796000400000"], "user.id": ["u1"], "user.role": ["admin"]}
    assert hit["fields"] == {**fields, "took": [hit["fields"]["took"][0]], "@timestamp": hit["fields"]["@timestamp"]}
    assert hit["highlight"] == {"user.id": ["[u1]"]}
    assert hit["sort"][0].endswith("000000Z")


@pytest.mark.parametrize(
    "sort",
    [
        [{"took": "asc"}, "_doc"],
        [{"@timestamp": "desc"}, {"_doc": "desc"}],
        [{"@timestamp": "asc"}, "_doc"],
        ["_doc"],
        [{"@timestamp": "desc"}, {"service": "asc"}, {"_doc": "desc"}],
        [{"user.id": {"order": "desc", "missing": "_first"}}, "_doc"],
        ["_score", "_doc"],
    ],
)
async def test_search_after_sees_each_once(queries: ElasticsearchQueries, sort: list[Any]) -> None:
    every = ids(await queries.search("", {}, body(size=100, sort=sort)))
    seen: list[str] = []
    after: list[Any] | None = None
    while True:
        given = {"search_after": after} if after else {}
        answer = await queries.search("", {}, body(size=7, sort=sort, **given))
        if not ids(answer):
            break
        seen += ids(answer)
        after = answer["hits"]["hits"][-1]["sort"]
    assert seen == every
    assert len(set(seen)) == 40


async def test_a_point_in_time_does_not_see_what_comes_later(
    queries: ElasticsearchQueries, store: MemoryLogStore, clock: Clock
) -> None:
    point = (await queries.open_point("app", {"keep_alive": "1m"}))["id"]
    await add(store, 40, 10)
    asked = {"size": 30, "pit": {"id": point, "keep_alive": "2m"}, "sort": [{"took": "asc"}]}
    first = await queries.search("", {}, body(**asked))
    assert first["hits"]["total"]["value"] == 40
    asked |= {"search_after": first["hits"]["hits"][-1]["sort"], "pit": {"id": first["pit_id"]}}
    second = await queries.search("", {}, body(**asked))
    assert len({*ids(first), *ids(second)}) == 40
    counted = body(size=0, pit={"id": point}, aggs={"n": {"value_count": {"field": "took"}}})
    assert (await queries.search("", {}, counted))["aggregations"]["n"]["value"] == 40
    clock.ns += 200 * 10**9
    with pytest.raises(DslError) as caught:
        await queries.search("", {}, body(pit={"id": first["pit_id"]}))
    assert (caught.value.status, caught.value.type) == (404, "search_context_missing_exception")


async def test_a_scroll_sees_each_once_and_ends(queries: ElasticsearchQueries, store: MemoryLogStore) -> None:
    page = await queries.search("app", {"scroll": "1m", "size": "15"}, body(sort=["_doc"], query={"match_all": {}}))
    seen: list[str] = []
    await add(store, 40, 10)
    while ids(page):
        assert page["hits"]["total"]["value"] == 40
        assert "sort" in page["hits"]["hits"][0]
        seen += ids(page)
        page = await queries.scroll({}, body(scroll_id=page["_scroll_id"], scroll="1m"))
    assert seen == [str(number) for number in sorted(range(40), key=lambda n: (n % 4, n // 4))]
    assert await queries.clear_scroll({}, body(scroll_id=[page["_scroll_id"]])) == {"succeeded": True, "num_freed": 1}
    with pytest.raises(DslError, match="No search context found"):
        await queries.scroll({}, body(scroll_id=page["_scroll_id"]))
    with pytest.raises(DslError, match="invalid id"):
        await queries.scroll({}, body(scroll_id="bm9uc2Vuc2U="))


async def test_msearch_answers_each_for_itself(queries: ElasticsearchQueries) -> None:
    lines = [{"index": "app"}, {"query": {"match_all": {}}, "size": 1}, {}, {"query": {"nonsense": {}}}]
    answer = await queries.msearch(
        "", {"rest_total_hits_as_int": "true"}, b"\n".join(json.dumps(x).encode() for x in lines) + b"\n"
    )
    first, second = answer["responses"]
    assert (first["status"], first["hits"]["total"]) == (200, 40)
    assert (second["status"], second["error"]["type"]) == (400, "parsing_exception")


async def test_count_and_validate(queries: ElasticsearchQueries) -> None:
    assert (await queries.count("app", {"q": "message:failed"}, b""))["count"] == 10
    assert (await queries.count("other", {}, b""))["count"] == 0
    assert (await queries.validate("", {}, body(query={"match": {"message": "x"}})))["valid"] is True
    refused = await queries.validate("", {"explain": "true"}, body(query={"mach": {}}))
    assert (refused["valid"], refused["error"]) == (False, "unknown query [mach] did you mean [match]?")


async def aggregated(queries: ElasticsearchQueries, **aggs: Any) -> dict[str, Any]:
    return (await queries.search("", {}, body(size=0, aggs=aggs)))["aggregations"]


async def test_terms_with_what_is_left_out(queries: ElasticsearchQueries) -> None:
    metric = {"m": {"max": {"field": "took"}}}
    found = await aggregated(
        queries, t={"terms": {"field": "service.keyword", "size": 2, "order": {"m": "desc"}}, "aggs": metric}
    )
    assert found["t"] == {
        "doc_count_error_upper_bound": 0,
        "sum_other_doc_count": 13,
        "buckets": [
            {"key": "s0", "doc_count": 14, "m": {"value": 13.0}},
            {"key": "s1", "doc_count": 13, "m": {"value": 12.0}},
        ],
    }


async def test_gaps_of_a_histogram_are_filled(queries: ElasticsearchQueries) -> None:
    bounds = {"min": "2026-11-29T23:00:00Z", "max": "2026-11-30T05:30:00Z"}
    inner = {"c": {"cumulative_sum": {"buckets_path": "_count"}}, "d": {"derivative": {"buckets_path": "_count"}}}
    histogram = {"field": "@timestamp", "fixed_interval": "1h", "extended_bounds": bounds, "format": "HH:mm"}
    found = await aggregated(
        queries, h={"date_histogram": histogram, "aggs": inner}, best={"max_bucket": {"buckets_path": "h>_count"}}
    )
    rows = [(one["key_as_string"], one["doc_count"], one["c"]["value"]) for one in found["h"]["buckets"]]
    counts = [
        ("23:00", 0, 0),
        ("00:00", 10, 10),
        ("01:00", 10, 20),
        ("02:00", 10, 30),
        ("03:00", 10, 40),
        ("04:00", 0, 40),
    ]
    assert rows == [*counts, ("05:00", 0, 40)]
    assert [one.get("d", {}).get("value") for one in found["h"]["buckets"]] == [None, 10, 0, 0, 0, -10, 0]
    assert found["best"] == {"value": 10.0, "keys": ["00:00", "01:00", "02:00", "03:00"]}


async def test_days_that_are_not_24_hours_long(queries: ElasticsearchQueries, store: MemoryLogStore) -> None:
    documents = [{"@timestamp": f"2026-10-{day}T12:00:00Z", "message": "x"} for day in (24, 26)]
    await store.insert_logs([record_of_document(one, index="days", number=1, received_ns=NOW) for one in documents])
    histogram = {"field": "@timestamp", "calendar_interval": "day", "time_zone": "Europe/Berlin"}
    answer = await queries.search("days", {}, body(size=0, aggs={"h": {"date_histogram": histogram}}))
    rows = [(one["key_as_string"], one["doc_count"]) for one in answer["aggregations"]["h"]["buckets"]]
    assert rows == [
        ("2026-10-24T00:00:00.000+02:00", 1),
        ("2026-10-25T00:00:00.000+02:00", 0),
        ("2026-10-26T00:00:00.000+01:00", 1),
    ]


async def test_a_composite_goes_on_behind_its_last_key(queries: ElasticsearchQueries) -> None:
    sources = [
        {"s": {"terms": {"field": "service", "order": "desc"}}},
        {"u": {"terms": {"field": "user.id", "missing_bucket": True}}},
    ]
    seen: list[Any] = []
    after: dict[str, Any] = {}
    while True:
        composite = {"size": 4, "sources": sources, **({"after": after} if after else {})}
        found = (await aggregated(queries, c={"composite": composite}))["c"]
        seen += [(one["key"]["s"], one["key"]["u"], one["doc_count"]) for one in found["buckets"]]
        if "after_key" not in found:
            break
        after = found["after_key"]
    assert sum(count for _, _, count in seen) == 40
    assert [key for key, _, _ in seen] == sorted((key for key, _, _ in seen), reverse=True)
    assert len({(a, b) for a, b, _ in seen}) == len(seen) == 18
    assert seen[0][1] is None


async def test_first_hits_of_buckets(queries: ElasticsearchQueries) -> None:
    top = {"hits": {"top_hits": {"size": 1, "sort": [{"took": "desc"}, "_doc"], "_source": False}}}
    found = await aggregated(queries, t={"terms": {"field": "service"}, "aggs": top})
    hits = [one["hits"]["hits"] for one in found["t"]["buckets"]]
    assert [(one["total"]["value"], one["hits"][0]["_id"], one["hits"][0]["sort"][0]) for one in hits] == [
        (14, "39", 13), (13, "37", 12), (13, "38", 12),
    ]  # fmt: skip


async def test_global_sees_all_of_the_indices(queries: ElasticsearchQueries) -> None:
    aggs = {"g": {"global": {}, "aggs": {"n": {"sum": {"field": "took"}}}}, "own": {"sum": {"field": "took"}}}
    answer = await queries.search("app", {}, body(size=0, query={"term": {"service": "s0"}}, aggs=aggs))
    found = answer["aggregations"]
    assert (found["g"]["doc_count"], found["g"]["n"]["value"], found["own"]["value"]) == (40, 247.0, 91.0)


@pytest.mark.parametrize(
    ("aggregation", "type", "reason"),
    [
        ({"significant_terms": {"field": "x"}}, "illegal_argument_exception", "of type [significant_terms] is not supported"),
        ({"trms": {"field": "x"}}, "parsing_exception", "unknown aggregation type [trms] did you mean [terms]?"),
        ({"terms": {}}, "illegal_argument_exception", "Required one of fields"),
        ({"terms": {"field": "x", "order": {"nope": "asc"}}}, "aggregation_execution_exception", "Invalid aggregator order path [nope]"),
        ({"date_histogram": {"field": "@timestamp"}}, "illegal_argument_exception", "Invalid interval specified"),
        ({"date_histogram": {"field": "@timestamp", "fixed_interval": "1s", "extended_bounds": {"min": "2020", "max": "2026"}}},
         "too_many_buckets_exception", "Trying to create too many buckets"),
        ({"composite": {"sources": []}}, "illegal_argument_exception", "Composite [sources] cannot be null or empty"),
        ({"terms": {"field": "x", "script": "y"}}, "illegal_argument_exception", "[script] is not supported"),
        ({}, "parsing_exception", "Missing definition"),
    ],
)  # fmt: skip
async def test_aggregations_that_are_refused(
    queries: ElasticsearchQueries, aggregation: dict[str, Any], type: str, reason: str
) -> None:
    with pytest.raises(DslError) as caught:
        await aggregated(queries, a=aggregation)
    assert caught.value.type == type
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"from": 9_999, "size": 2}, "Result window is too large"),
        ({"size": -1}, "[size] parameter cannot be negative, found [-1]"),
        ({"nonsense": 1}, "Unknown key for a VALUE_NUMBER in [nonsense]."),
        ({"suggest": {"a": {}}}, "[suggest] is not supported"),
        ({"sort": [{"a": "asc"}], "search_after": [1, 2]}, "search_after has 2 value(s) but sort has 1."),
        ({"sort": [{"a": "up"}]}, "SortOrder.UP"),
        ({"script_fields": {"a": {}}}, "[script_fields] is not supported"),
    ],
)
async def test_searches_that_are_refused(queries: ElasticsearchQueries, given: dict[str, Any], reason: str) -> None:
    with pytest.raises(DslError) as caught:
        await queries.search("", {}, body(**given))
    assert reason in caught.value.reason
