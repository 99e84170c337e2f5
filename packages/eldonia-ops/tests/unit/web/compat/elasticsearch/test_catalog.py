"""Indices, templates, data streams, aliases and policies, as clients declare them."""

import json
from typing import Any

import pytest
from fake_platform import NOW, FakePlatform

from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.services.elasticsearch.index_retention import IndexRetention

DAY = 86_400_000
TIME = "2026-11-24T00:00:00.000Z"


async def create(ask: Any, index: str, **document: Any) -> str:
    line = json.dumps({"create": {"_index": index}}) + "\n" + json.dumps({"@timestamp": TIME, **document}) + "\n"
    _status, body = await ask("POST", "/_bulk", Role.INGEST, content=line.encode())
    return (
        body["items"][0]["create"].get("_index", "")
        if not body["errors"]
        else body["items"][0]["create"]["error"]["type"]
    )


async def test_an_index_is_made_with_its_templates(ask: Any) -> None:
    component = {"template": {"settings": {"index": {"refresh_interval": "5s"}}}}
    assert (await ask("PUT", "/_component_template/c", json=component))[0] == 200
    template = {
        "index_patterns": ["shop-*"],
        "composed_of": ["c"],
        "priority": 5,
        "template": {"mappings": {"properties": {"n": {"type": "integer"}}}, "aliases": {"shop": {}}},
    }
    assert (await ask("PUT", "/_index_template/t", json={**template, "composed_of": ["none"]}))[0] == 400
    assert (await ask("PUT", "/_index_template/t", json=template))[1] == {"acknowledged": True}
    assert await create(ask, "<shop-{now/d}>", n=1, word="x") == "shop-2026.11.23"
    _, found = await ask("GET", "/shop-2026.11.23")
    index = found["shop-2026.11.23"]
    assert index["settings"]["index"]["refresh_interval"] == "5s"
    assert index["mappings"]["properties"]["n"] == {"type": "integer"}
    assert index["mappings"]["properties"]["word"]["type"] == "text"
    assert index["aliases"] == {"shop": {}}
    _status, caps = await ask("GET", "/shop/_field_caps?fields=n,word*")
    assert {name: list(one) for name, one in caps["fields"].items()} == {
        "n": ["integer"], "word": ["text"], "word.keyword": ["keyword"],
    }  # fmt: skip
    assert (await ask("HEAD", "/shop"))[0] == 200
    assert (await ask("HEAD", "/nothing"))[0] == 404
    assert (await ask("HEAD", "/_index_template/t"))[0] == 200
    assert (await ask("HEAD", "/_index_template/none"))[0] == 404
    assert (await ask("PUT", "/_index_template/t?create=true", json=template))[0] == 400
    assert (await ask("DELETE", "/_index_template/t"))[0] == 200
    assert (await ask("DELETE", "/_index_template/t"))[1]["error"]["type"] == "index_template_missing_exception"


async def test_older_templates(ask: Any) -> None:
    first = {"index_patterns": ["old-*"], "order": 1, "settings": {"number_of_shards": 2, "codec": "a"}}
    await ask("PUT", "/_template/a", json=first)
    await ask("PUT", "/_template/b", json={"index_patterns": "old-*", "order": 2, "settings": {"index.codec": "b"}})
    assert (await ask("GET", "/_template/a"))[1]["a"]["settings"]["index"] == {"number_of_shards": "2", "codec": "a"}
    assert (await ask("GET", "/_template/none"))[0] == 404
    await create(ask, "old-1")
    settings = (await ask("GET", "/old-1/_settings"))[1]["old-1"]["settings"]["index"]
    assert (settings["number_of_shards"], settings["codec"]) == ("2", "b")
    assert (await ask("PUT", "/_template/c", json={}))[0] == 400


async def test_an_index_by_request(ask: Any) -> None:
    body = {
        "settings": {"number_of_shards": 1},
        "mappings": {"properties": {"n": {"type": "long"}}},
        "aliases": {"al": {}},
    }
    assert (await ask("PUT", "/own", json=body))[1]["index"] == "own"
    assert (await ask("PUT", "/own", json={}))[1]["error"]["type"] == "resource_already_exists_exception"
    assert (await ask("PUT", "/Own", json={}))[1]["error"]["type"] == "invalid_index_name_exception"
    assert (await ask("PUT", "/other", json={"colour": 1}))[0] == 400
    await ask("PUT", "/own/_mapping", json={"properties": {"m": {"type": "ip"}}})
    await ask("PUT", "/own/_settings", json={"index": {"priority": 5}})
    assert (await ask("GET", "/own/_mapping"))[1]["own"]["mappings"]["properties"] == {
        "n": {"type": "long"}, "m": {"type": "ip"},
    }  # fmt: skip
    assert await create(ask, "al", n=1) == "own"
    assert (await ask("DELETE", "/al"))[1]["error"]["type"] == "illegal_argument_exception"
    assert (await ask("DELETE", "/own"))[0] == 200
    assert (await ask("GET", "/own"))[1]["error"]["type"] == "index_not_found_exception"
    assert (await ask("GET", "/_alias/al"))[0] == 404
    assert (await ask("GET", "/_cat/indices?format=json"))[1][0]["index"] == "logs"
    assert (await ask("DELETE", "/logs"))[0] == 400


async def test_data_streams(ask: Any, platform: FakePlatform) -> None:
    backing = await create(ask, "logs-shop-default", message="m")
    assert backing == ".ds-logs-shop-default-2026.11.23-000001"
    status, body = await ask("POST", "/logs-shop-default/_doc", json={"@timestamp": TIME})
    assert (status, "op_type of create" in body["error"]["reason"]) == (400, True)
    status, body = await ask("PUT", "/logs-shop-default/_create/x", json={"message": "no time"})
    assert (status, "timestamp field" in body["error"]["reason"]) == (400, True)
    assert (await ask("PUT", "/_data_stream/other"))[0] == 400
    assert (await ask("PUT", "/_data_stream/logs-a-b"))[0] == 200
    assert (await ask("PUT", "/_data_stream/logs-a-b"))[1]["error"]["type"] == "resource_already_exists_exception"
    assert (await ask("POST", "/logs-shop-default/_rollover"))[1]["rolled_over"] is True
    assert (await create(ask, "logs-shop-default")).endswith("-000002")
    found = (await ask("GET", "/_data_stream/logs-*"))[1]["data_streams"]
    assert [(one["name"], one["generation"]) for one in found] == [("logs-a-b", 1), ("logs-shop-default", 2)]
    assert (await ask("DELETE", f"/{backing}"))[0] == 400
    assert (await ask("DELETE", "/_data_stream/logs-shop-default"))[0] == 200
    assert not platform.telemetry.logs.records
    assert (await ask("GET", "/_resolve/index/*"))[1]["data_streams"][0]["name"] == "logs-a-b"


async def test_aliases(ask: Any) -> None:
    for name in ("a-1", "a-2"):
        await ask("PUT", f"/{name}")
    actions = {"actions": [{"add": {"indices": ["a-*"], "alias": "a"}}, {"add": {"index": "a-2", "alias": "b"}}]}
    assert (await ask("POST", "/_aliases", json=actions))[0] == 200
    assert await create(ask, "a") == "illegal_argument_exception"
    await ask("PUT", "/a-2/_alias/a", json={"is_write_index": True})
    assert await create(ask, "a") == "a-2"
    assert (await ask("POST", "/a/_rollover"))[1]["new_index"] == "a-000003"
    assert await create(ask, "a") == "a-000003"
    assert (await ask("GET", "/a-1/_alias"))[1] == {"a-1": {"aliases": {"a": {}}}}
    assert len((await ask("GET", "/_cat/aliases?format=json"))[1]) == 4
    assert (await ask("DELETE", "/a-2/_alias/b"))[0] == 200
    assert (await ask("HEAD", "/_alias/b"))[0] == 404
    for bad in (
        {}, {"actions": [{"remove": {"index": "a-1", "alias": "none"}}]},
        {"actions": [{"remove_index": {"index": "a-1"}}]},
        {"actions": [{"add": {"index": "a-1", "alias": "a-2"}}]}, {"actions": [{"add": {"index": "a-1"}}]},
        {"actions": [{"add": {"index": "a-1", "alias": "f", "filter": {"term": {"a": 1}}}}]},
    ):  # fmt: skip
        assert (await ask("POST", "/_aliases", json=bad))[0] >= 400, bad


POLICY = {
    "policy": {
        "phases": {
            "hot": {"actions": {"rollover": {"max_age": "1d"}}},
            "delete": {"min_age": "7d", "actions": {"delete": {}}},
        }
    }
}


async def test_policies_that_delete_take_an_admin(ask: Any) -> None:
    hot = {"policy": {"phases": {"hot": {"actions": {"rollover": {"max_size": "5gb"}}}}}}
    assert (await ask("PUT", "/_ilm/policy/p", Role.INGEST, json=hot))[0] == 200
    status, body = await ask("PUT", "/_ilm/policy/p", Role.INGEST, json=POLICY)
    assert (status, "role admin" in body["error"]["reason"]) == (403, True)
    assert (await ask("PUT", "/_ilm/policy/p", json=POLICY))[0] == 200
    assert (await ask("GET", "/_ilm/policy/p"))[1]["p"]["version"] == 2
    assert (await ask("GET", "/_ilm/policy/none"))[0] == 404
    for bad in ({}, {"policy": {"phases": {"lukewarm": {}}}}, {"policy": {"phases": {"delete": {"min_age": "soon"}}}},
                {"policy": {"phases": {"cold": {"actions": {"searchable_snapshot": {}}}}}}):  # fmt: skip
        assert (await ask("PUT", "/_ilm/policy/q", json=bad))[0] == 400, bad


@pytest.mark.parametrize("kind", ["ilm", "ism", "stream"])
async def test_documents_are_deleted_once_they_are_old(ask: Any, platform: FakePlatform, kind: str) -> None:
    name = "app-1"
    if kind == "ilm":
        await ask("PUT", "/_ilm/policy/p", json=POLICY)
        await ask("PUT", f"/{name}", json={"settings": {"index.lifecycle.name": "p"}})
        assert "7 days old" in str((await ask("GET", f"/{name}/_ilm/explain"))[1])
    elif kind == "ism":
        states = [
            {
                "name": "hot",
                "actions": [],
                "transitions": [{"state_name": "out", "conditions": {"min_index_age": "7d"}}],
            },
            {"name": "out", "actions": [{"delete": {}}], "transitions": []},
        ]
        policy = {"policy": {"default_state": "hot", "states": states, "ism_template": [{"index_patterns": ["app-*"]}]}}
        assert (await ask("PUT", "/_plugins/_ism/policies/p", json=policy))[0] == 201
        await ask("PUT", f"/{name}")
        assert "7 days old" in str((await ask("GET", f"/_plugins/_ism/explain/{name}"))[1])
    else:
        name = "logs-app-default"
        await ask("PUT", f"/_data_stream/{name}")
        assert (await ask("PUT", f"/_data_stream/{name}/_lifecycle", json={"data_retention": "7d"}))[0] == 200
    index = (await ask("GET", f"/_resolve/index/{name}"))[1]
    backing = index["indices"][0]["name"] if index["indices"] else index["data_streams"][0]["backing_indices"][0]
    records = [
        LogRecord(timestamp_ns=(NOW - days * DAY) * 10**6, message=str(days), metadata={"_index": where})
        for days in (1, 6, 8, 20)
        for where in (backing, "kept")
    ]
    await platform.telemetry.logs.insert_logs(
        [*records, LogRecord(timestamp_ns=(NOW - 9 * DAY) * 10**6, message="tail")]
    )
    clock = type("Clock", (), {"now": lambda self: NOW})()
    assert await IndexRetention(clock, platform.state, platform.telemetry.logs).expire_once() == 2
    left = sorted((one.metadata.get("_index", ""), one.message) for one in platform.telemetry.logs.records)
    assert left == sorted(
        [("", "tail"), (backing, "1"), (backing, "6"), ("kept", "1"), ("kept", "6"), ("kept", "8"), ("kept", "20")]
    )


async def test_pipelines_are_kept_and_not_run(ask: Any) -> None:
    pipeline = {"processors": [{"set": {"field": "a", "value": 1}}]}
    assert (await ask("PUT", "/_ingest/pipeline/p", json=pipeline))[0] == 200
    assert (await ask("GET", "/_ingest/pipeline/p"))[1] == {"p": pipeline}
    assert (await ask("GET", "/_ingest/pipeline/none"))[0] == 404
    assert (await ask("PUT", "/_ingest/pipeline/p", json={}))[0] == 400
    assert (await ask("DELETE", "/_ingest/pipeline/p"))[0] == 200


async def test_start_up_probes(ask: Any) -> None:
    """What Filebeat, Logstash, Vector, Fluentd and Grafana ask before they send or show anything."""
    assert (await ask("GET", "/"))[1]["tagline"] == "You Know, for Search"
    assert (await ask("GET", "/_license"))[1]["license"]["status"] == "active"
    assert (await ask("GET", "/_xpack"))[1]["features"]["ilm"] == {"available": True, "enabled": True}
    assert (await ask("GET", "/_nodes/http"))[1]["nodes"]
    assert (await ask("GET", "/_cluster/health?wait_for_status=yellow"))[1]["status"] == "green"
    assert (await ask("GET", "/_cluster/settings"))[0] == 200
    assert (await ask("GET", "/_cluster/stats"))[1]["nodes"]["count"]["total"] == 1
    assert (await ask("GET", "/_cluster/state/metadata"))[1]["metadata"]["indices"]["logs"]
    assert (await ask("POST", "/_refresh"))[1]["_shards"]["failed"] == 0
    assert (await ask("GET", "/_stats"))[1]["indices"]["logs"]
    for path in ("health", "templates", "count", "nodes", "aliases"):
        assert (await ask("GET", f"/_cat/{path}?format=json"))[0] == 200


async def test_logstash_sets_up_an_index_with_date_math(ask: Any) -> None:
    path = "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E"
    assert (await ask("HEAD", "/_alias/logstash"))[0] == 404
    body = {"aliases": {"logstash": {"is_write_index": True}}}
    assert (await ask("PUT", path, Role.INGEST, json=body))[1]["index"] == "logstash-2026.11.23-000001"
    assert (await ask("HEAD", path))[0] == 200
    assert (await ask("HEAD", "/_alias/logstash"))[0] == 200
    assert await create(ask, "logstash", message="m") == "logstash-2026.11.23-000001"
    lines = b'{"index":{"_index":"logstash","routing":"a"}}\n{"message":"m"}\n'
    query = "filter_path=errors,items.*.error,items.*.status"
    status, found = await ask("POST", f"/_bulk?{query}", Role.INGEST, content=lines)
    assert (status, found["errors"], found["items"][0]["index"]["status"]) == (200, False, 201)


async def test_filebeat_sets_itself_up(ask: Any) -> None:
    name = "filebeat-8.19.0"
    policy = {
        "policy": {"phases": {"hot": {"actions": {"rollover": {"max_age": "30d", "max_primary_shard_size": "50gb"}}}}}
    }
    assert (await ask("GET", "/_ilm/policy/filebeat", Role.INGEST))[0] == 404
    assert (await ask("PUT", "/_ilm/policy/filebeat", Role.INGEST, json=policy))[0] == 200
    assert (await ask("HEAD", f"/_index_template/{name}", Role.INGEST))[0] == 404
    fields = {f"field_{n}": {"type": "keyword", "ignore_above": 1024} for n in range(6_000)}
    template = {
        "data_stream": {},
        "index_patterns": [name],
        "priority": 150,
        "template": {
            "mappings": {"date_detection": False, "dynamic_templates": [], "properties": fields},
            "settings": {"index": {"lifecycle": {"name": "filebeat"}, "mapping": {"total_fields": {"limit": 12_500}}}},
        },
    }
    assert (await ask("PUT", f"/_index_template/{name}", Role.INGEST, json=template))[0] == 200
    assert (await ask("GET", f"/_data_stream/{name}", Role.INGEST))[0] == 404
    assert (await ask("PUT", f"/_data_stream/{name}", Role.INGEST))[0] == 200
    assert (await create(ask, name, message="m", log={"offset": 5}, agent={"type": "filebeat"})).endswith("-000001")
    shown = (await ask("GET", f"/_data_stream/{name}"))[1]["data_streams"][0]
    assert (shown["ilm_policy"], shown["template"]) == ("filebeat", name)


async def test_tables_for_people(http: Any) -> None:
    async with http() as client:
        text = (await client.get("/_cat/indices?v&h=index,docs.count&s=index:desc")).text
        assert text.splitlines()[0].split() == ["index", "docs.count"]
        assert (await client.get("/_cat/health?format=yaml")).status_code == 400
        assert "/_cat/indices" in (await client.get("/_cat")).text


async def test_names_of_fields_in_one_request_are_bounded(ask: Any) -> None:
    await create(ask, "app", n=1)
    for method, path, body in [
        ("POST", "/_field_caps", {"fields": [f"*a{n}*" for n in range(300)]}),
        ("GET", "/app/_mapping/field/" + ",".join(f"a{n}" for n in range(300)), None),
    ]:
        status, answer = await ask(method, path, json=body)
        assert (status, answer["error"]["type"]) == (400, "illegal_argument_exception")
    status, answer = await ask("POST", "/_field_caps", json={"fields": ["n"] * 300})
    assert (status, list(answer["fields"])) == (200, ["n"])
