"""What senders and readers ask before and while they work, request by request as their sources have it.

Each asserts what the client itself checks of an answer. Sources: fluent-plugin-elasticsearch and -opensearch (run by
hand against the platform, too), ``plugins/out_es`` of Fluent Bit, ``src/sinks/elasticsearch`` of Vector,
logstash-output-elasticsearch, ``libbeat`` and ``filebeat/fileset`` of Beats, ``pkg/tsdb/elasticsearch`` of Grafana.
"""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform

from eldonia_ops.model.access import Role

TIME = "2026-11-24T00:00:00.000Z"
NDJSON = {"Content-Type": "application/x-ndjson"}


def lines(*some: Any) -> bytes:
    return b"".join(json.dumps(one).encode() + b"\n" for one in some)


@pytest.fixture
async def sender(http: Any, platform: FakePlatform) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the token of a sender as the password, as most have it; each answer has the product's header."""
    token = platform.secrets[Role.INGEST]
    basic = "Basic " + base64.b64encode(f"elastic:{token}".encode()).decode()

    async def checked(response: httpx.Response) -> None:
        assert response.headers["x-elastic-product"] == "Elasticsearch"

    async with http(Role.INGEST, Authorization=basic) as client:
        client.event_hooks = {"response": [checked]}
        yield client


async def test_fluentd_with_a_rollover_index(sender: httpx.AsyncClient) -> None:
    info = (await sender.get("/")).json()
    assert (info["version"]["number"].split(".")[0], info["tagline"]) == ("8", "You Know, for Search")
    xpack = (await sender.get("/_xpack")).json()
    assert xpack["features"]["ilm"] == {"available": True, "enabled": True}
    assert (await sender.get("/_index_template/shop")).status_code == 404
    template = {
        "index_patterns": "shop-*",
        "priority": 101,
        "template": {"settings": {"index.lifecycle.name": "p", "index.lifecycle.rollover_alias": "shop"}},
    }
    assert (await sender.put("/_index_template/shop", json=template)).json() == {"acknowledged": True}
    shown = (await sender.get("/_index_template/shop")).json()["index_templates"][0]["index_template"]
    assert shown["index_patterns"] == ["shop-*"]
    assert (await sender.head("/_alias/shop")).status_code == 404
    name = "%3Cshop-app-%7Bnow%2Fd%7D-000001%3E"
    assert (await sender.put(f"/{name}")).json()["index"] == "shop-app-2026.11.23-000001"
    again = await sender.put(f"/{name}")
    assert (again.status_code, "resource_already_exists_exception" in again.text) == (400, True)
    payload = {"aliases": {"shop": {"is_write_index": True}}}
    assert (await sender.put(f"/{name}/_aliases/shop", json=payload)).json() == {"acknowledged": True}
    assert (await sender.head("/_alias/shop")).status_code == 200
    assert (await sender.get("/_ilm/policy/p")).status_code == 404
    policy = {"policy": {"phases": {"hot": {"actions": {"rollover": {"max_size": "50gb", "max_age": "30d"}}}}}}
    assert (await sender.put("/_ilm/policy/p", json=policy)).status_code == 200
    body = lines({"index": {"_index": "shop", "_id": "c2hvcA=="}}, {"@timestamp": TIME, "message": "m"}) * 2
    answer = (await sender.post("/_bulk", content=body, headers=NDJSON)).json()
    assert answer["errors"] is False
    assert [(list(one), one["index"]["status"]) for one in answer["items"]] == [(["index"], 201), (["index"], 200)]


async def test_fluentd_with_ids_that_come_again(sender: httpx.AsyncClient) -> None:
    """``write_operation create`` with an ``id_key``: what is sent again is a conflict, which counts as a duplicate."""
    body = lines(
        {"create": {"_index": "dup", "_id": "h1"}}, {"n": 1}, {"create": {"_index": "dup"}}, {"@timestamp": "x"}
    )
    headers = {"Content-Type": "application/vnd.elasticsearch+x-ndjson; compatible-with=8", "Content-Encoding": "gzip"}
    for statuses in ([201, 400], [409, 400]):
        answer = (await sender.post("/_bulk", content=gzip.compress(body), headers=headers)).json()
        assert [one["create"]["status"] for one in answer["items"]] == statuses
        assert all(
            {"type", "reason"} <= one["create"]["error"].keys() for one in answer["items"] if "error" in one["create"]
        )


async def test_fluentd_with_a_data_stream(sender: httpx.AsyncClient) -> None:
    assert (await sender.get("/_data_stream/foo")).status_code == 404
    assert (await sender.get("/_index_template/foo_template")).status_code == 404
    assert (await sender.get("/_ilm/policy/foo_policy")).status_code == 404
    policy = {"policy": {"phases": {"hot": {"actions": {"rollover": {"max_size": "50gb", "max_age": "30d"}}}}}}
    assert (await sender.put("/_ilm/policy/foo_policy", json=policy)).status_code == 200
    template = {
        "index_patterns": ["foo*"],
        "data_stream": {},
        "template": {"settings": {"index.lifecycle.name": "foo_policy"}},
    }
    assert (await sender.put("/_index_template/foo_template", json=template)).status_code == 200
    assert (await sender.put("/_data_stream/foo")).status_code == 200
    assert (await sender.get("/_data_stream/foo")).json()["data_streams"][0]["ilm_policy"] == "foo_policy"
    body = lines({"create": {"_id": "1"}}, {"@timestamp": TIME, "message": "m"})
    assert (await sender.post("/foo/_bulk", content=body, headers=NDJSON)).json()["errors"] is False


@pytest.mark.parametrize("path", ["/_bulk", "/_bulk/?pipeline=low"])
async def test_fluent_bit(sender: httpx.AsyncClient, path: str) -> None:
    """It asks nothing at its start; with ``Pipeline`` it writes a slash in front of the question mark."""
    processors = [{"lowercase": {"field": "level", "ignore_missing": True}}]
    await sender.put("/_ingest/pipeline/low", json={"processors": processors})
    documents = [
        {"create": {"_index": "fluent-bit", "_type": "_doc", "_id": "0f"}}, {"@timestamp": TIME, "level": "ERROR"},
        {"index": {"_index": "logstash-2026.11.24"}}, {"@timestamp": TIME, "log": "付"},
        {"update": {"_index": "fluent-bit", "_id": "up"}}, {"doc_as_upsert": True, "doc": {"@timestamp": TIME, "n": 1}},
    ]  # fmt: skip
    answer = (await sender.post(path, content=lines(*documents), headers=NDJSON)).json()
    assert answer["errors"] is False
    assert all(next(iter(one.values()))["status"] in (200, 201) for one in answer["items"])


async def test_vector(sender: httpx.AsyncClient) -> None:
    assert (await sender.get("/")).json()["version"]["number"].split(".")[0] == "8"
    assert (await sender.get("/_cluster/health")).status_code == 200
    stream = lines({"create": {"_index": "logs-vector-default"}}, {"@timestamp": TIME, "message": "m"})
    answer = await sender.post("/_bulk?timeout=60s", content=stream, headers=NDJSON)
    assert (answer.status_code, '"errors":true' in answer.text.replace(" ", "")) == (200, False)

    async def versions(*numbers: int, type: str = "external") -> list[int]:
        action = {"_index": "v", "_id": "1", "version_type": type}
        some = [part for n in numbers for part in ({"index": {**action, "version": n}}, {"n": n})]
        found = (await sender.post("/_bulk?timeout=60s", content=lines(*some), headers=NDJSON)).json()
        return [one["index"]["status"] for one in found["items"]]

    assert await versions(10, 5, 10, 11) == [201, 409, 409, 200]
    assert await versions(11, 10, type="external_gte") == [200, 409]
    delete = {"delete": {"_index": "v", "_id": "1", "version": 11, "version_type": "external"}}
    assert (await sender.post("/_bulk", content=lines(delete))).json()["items"][0]["delete"]["status"] == 409
    refused = await sender.post("/_bulk", content=lines({"index": {"_index": "v", "_id": "1", "version": 3}}, {"n": 3}))
    assert (refused.status_code, "if_seq_no" in refused.text) == (400, True)


async def test_logstash(sender: httpx.AsyncClient) -> None:
    assert (await sender.head("/")).status_code == 200
    info = (await sender.get("/")).json()
    assert info["version"]["build_flavor"] == "default"
    assert info["cluster_uuid"]
    assert (await sender.get("/_license")).json()["license"]["status"] == "active"
    assert (await sender.head("/_index_template/logstash")).status_code == 404
    template = {
        "index_patterns": ["logstash-*"],
        "template": {
            "settings": {"index.lifecycle.name": "logstash-policy", "index.lifecycle.rollover_alias": "logstash"},
            "mappings": {"dynamic_templates": [{"s": {"match_mapping_type": "string", "mapping": {"type": "text"}}}]},
        },
        "priority": 200,
        "_meta": {"description": "ECS index template for logstash-output-elasticsearch"},
    }
    assert (await sender.put("/_index_template/logstash", json=template)).status_code == 200
    assert (await sender.head("/logstash")).status_code == 404
    alias = {"aliases": {"logstash": {"is_write_index": True}}}
    path = "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E"
    assert (await sender.put(path, json=alias)).status_code == 200
    assert (await sender.put(path, json=alias)).status_code == 400
    assert (await sender.get("/_ilm/policy/logstash-policy")).status_code == 404
    policy = {"policy": {"phases": {"hot": {"actions": {"rollover": {"max_size": "50gb", "max_age": "30d"}}}}}}
    assert (await sender.put("/_ilm/policy/logstash-policy", json=policy)).status_code == 200
    body = lines(
        {"index": {"_index": "logstash", "_id": None, "routing": None}}, {"@timestamp": TIME, "message": "m"},
        {"index": {"_index": "logstash"}}, {"@timestamp": "bad"},
    )  # fmt: skip
    answer = await sender.post("/_bulk?filter_path=errors,items.*.error,items.*.status", content=body)
    found = answer.json()
    assert found["items"][1]["index"].pop("error")["type"] == "document_parsing_exception"
    assert found == {"errors": True, "items": [{"index": {"status": 201}}, {"index": {"status": 400}}]}
    nodes = (await sender.get("/_nodes/http")).json()["nodes"]
    assert [one["http"]["publish_address"] for one in nodes.values()] == ["localhost:9200"]
    assert all(one["roles"] != ["master"] for one in nodes.values())


async def test_filebeat(sender: httpx.AsyncClient, platform: FakePlatform) -> None:
    # api_key: "id:TOKEN" is sent in base 64.
    key = base64.b64encode(f"any:{platform.secrets[Role.INGEST]}".encode()).decode()
    sender.headers["Authorization"] = f"ApiKey {key}"
    assert (await sender.get("/", headers={"Accept": "application/json"})).json()["version"]["number"]
    license = (await sender.get("/_license")).json()["license"]
    assert (license["type"], license["status"]) == ("basic", "active")
    assert (await sender.get("/_ilm/policy/filebeat")).status_code == 404
    policy = {
        "policy": {"phases": {"hot": {"actions": {"rollover": {"max_age": "30d", "max_primary_shard_size": "50gb"}}}}}
    }
    assert (await sender.put("/_ilm/policy/filebeat", json=policy)).status_code == 200
    name = "filebeat-8.15.0"
    assert (await sender.get(f"/_index_template/{name}")).status_code == 404
    template = {
        "index_patterns": [name],
        "data_stream": {},
        "priority": 150,
        "template": {
            "mappings": {
                "_meta": {"beat": "filebeat"},
                "date_detection": False,
                "properties": {"@timestamp": {"type": "date"}},
            },
            "settings": {"index": {"lifecycle": {"name": "filebeat"}, "query": {"default_field": ["message"]}}},
        },
    }
    assert (await sender.put(f"/_index_template/{name}", json=template)).status_code == 200
    assert (await sender.get(f"/_data_stream/{name}")).status_code == 404
    assert (await sender.put(f"/_data_stream/{name}")).status_code == 200
    nodes = (await sender.get("/_nodes/ingest")).json()["nodes"]
    (processors,) = ([one["type"] for one in node["ingest"]["processors"]] for node in nodes.values())
    assert {"user_agent", "geoip", "grok"} <= set(processors)
    pipeline = "filebeat-8.15.0-nginx-access-pipeline"
    assert (await sender.get(f"/_ingest/pipeline/{pipeline}")).status_code == 404
    script = await sender.put(f"/_ingest/pipeline/{pipeline}", json={"processors": [{"script": {"source": "x"}}]})
    cause = script.json()["error"]["root_cause"][0]
    assert (script.status_code, cause["type"], cause["header"]["processor_type"]) == (400, "parse_exception", "script")
    assert cause["reason"].startswith("No processor type exists with name")
    body = {
        "description": "access logs",
        "processors": [
            {"set": {"field": "event.ingested", "copy_from": "_ingest.timestamp"}},
            {"rename": {"field": "message", "target_field": "event.original", "if": "ctx.event?.original == null"}},
            {
                "grok": {
                    "field": "event.original",
                    "patterns": ['"%{WORD:http.method} %{DATA:url}" %{INT:http.status:long}'],
                }
            },
            {"user_agent": {"field": "agent_text", "ignore_missing": True}},
            {"geoip": {"field": "source.ip", "target_field": "source.geo", "ignore_missing": True}},
        ],
        "on_failure": [{"set": {"field": "error.message", "value": "{{ _ingest.on_failure_message }}"}}],
    }
    assert (await sender.put(f"/_ingest/pipeline/{pipeline}", json=body)).json() == {"acknowledged": True}
    assert (await sender.get(f"/_ingest/pipeline/{pipeline}")).status_code == 200
    some = ['"GET /a" 200', "no line of nginx"]
    documents = [
        part
        for message in some
        for part in ({"create": {"_index": name, "pipeline": pipeline}}, {"@timestamp": TIME, "message": message})
    ]
    path = (
        "/_bulk?filter_path=errors,items.index.status,items.index.error,items.create.status,items.create.error,"
        "items.update.status,items.update.error"
    )
    answer = await sender.post(path, content=gzip.compress(lines(*documents)), headers={"Content-Encoding": "gzip"})
    assert answer.json() == {"errors": False, "items": [{"create": {"status": 201}}] * 2}
    good, bad = (record.metadata for record in platform.telemetry.logs.records)
    assert (good["http"], good["event"]["original"]) == ({"method": "GET", "status": 200}, '"GET /a" 200')
    assert good["tags"] == ["_geoip_database_unavailable_GeoLite2-City.mmdb"]
    assert "do not match" in bad["error"]["message"]


async def test_grafana(sender: httpx.AsyncClient, http: Any) -> None:
    body = lines(
        {"index": {"_index": "app-2026.11.24"}}, {"@timestamp": TIME, "level": "error", "took": 5, "o": {"p": 1}}
    )
    await sender.post("/_bulk", content=body)
    async with http(Role.VIEWER) as reader:
        health = await reader.get("/_cluster/health?wait_for_status=yellow")
        assert (health.status_code, health.json()["status"]) == (200, "green")
        assert (await reader.get("/")).json()["version"]["number"]
        caps = (await reader.get("/app-2026.11.24/_field_caps?fields=@timestamp")).json()
        assert caps["fields"]["@timestamp"]["date"]["aggregatable"] is True
        mapping = (await reader.get("/app-2026.11.24/_mapping")).json()["app-2026.11.24"]["mappings"]["properties"]
        assert mapping["@timestamp"]["type"] == "date"
        assert mapping["took"]["type"] == "long"
        assert mapping["o"]["properties"]["p"]["type"] == "long"
        absent = await reader.get("/app-2020.01.01/_mapping")
        assert (absent.status_code, absent.json()["error"]["type"]) == (404, "index_not_found_exception")
        within = {
            "range": {"@timestamp": {"format": "epoch_millis", "gte": 1_795_400_000_000, "lte": 1_795_500_000_000}}
        }
        document = {
            "docvalue_fields": ["@timestamp"], "query": {"bool": {"filter": within}}, "script_fields": {}, "size": 500,
            "sort": {"@timestamp": {"order": "desc", "unmapped_type": "boolean"}, "_doc": {"order": "desc"}},
        }  # fmt: skip
        terms = {"size": 0, "query": {"bool": {"filter": [within]}}, "aggs": {"1": {"terms": {
            "field": "level.keyword", "size": 500, "order": {"_key": "asc"}}}}}  # fmt: skip
        header = {"ignore_unavailable": True, "index": ["app-2026.11.24", "app-2026.11.25"]}
        found = await reader.post(
            "/_msearch?max_concurrent_shard_requests=5", content=lines(header, document, header, terms), headers=NDJSON
        )
        first, second = found.json()["responses"]
        assert first["hits"]["hits"][0]["_source"]["took"] == 5
        assert first["hits"]["hits"][0]["fields"]["@timestamp"] == [TIME]
        assert len(first["hits"]["hits"][0]["sort"]) == 2
        assert [one["key"] for one in second["aggregations"]["1"]["buckets"]] == ["error"]
        assert (first["status"], second["status"]) == (200, 200)
