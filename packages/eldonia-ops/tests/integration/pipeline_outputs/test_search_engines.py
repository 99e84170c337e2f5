"""The output ``elasticsearch`` against servers that index: our own listener, and an OpenSearch where one is named."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from elasticsearch_clients import elasticsearch_serving
from pipeline_outputs_world import EPOCH_MS, World, batch, running, until
from pipeline_sections import output, section
from required_tools import requires_variable

from eldonia_ops.pipeline.buffer import Chunk
from eldonia_ops.pipeline.chunk_keys import ChunkKey
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline_outputs.elasticsearch import ElasticsearchDelivery
from eldonia_ops.pipeline_outputs.opening import open_output

NOW = {"flush_mode": "immediate", "retry_wait": "1", "retry_randomize": "false"}
PEER = os.environ.get("ELDONIA_OPENSEARCH_URL", "")
"""``sh benchmarks/opensearch/peer.sh FOLDER 9201`` starts one of the packages of Maven Central."""
DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class Engine:
    """A server, and who we are to it."""

    url: str
    user: str = ""
    password: str = ""

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, auth=(self.user, self.password), trust_env=False, timeout=30)

    def declared(self, type: str = "opensearch", **values: str) -> Any:
        credentials = {"user": self.user, "password": self.password} if self.user else {}
        return output(type, section("buffer", NOW, argument="tag"), hosts=self.url, **credentials, **values)

    def found(self, index: str) -> list[dict[str, Any]]:
        """The documents of an index in the order of their number, as they were sent."""
        with self.client() as http:
            http.post(f"/{index}/_refresh").raise_for_status()
            answer = http.post(f"/{index}/_search", json={"size": 100, "sort": [{"n": "asc"}]}).raise_for_status()
        return [hit["_source"] for hit in answer.json()["hits"]["hits"]]


@pytest.fixture(scope="module")
def own_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with elasticsearch_serving(tmp_path_factory.mktemp("engine")) as (serving, url):
        yield Engine(url, "fluentd", serving.token)


@pytest.fixture(
    scope="module",
    params=[
        "ours",
        pytest.param("opensearch", marks=requires_variable("ELDONIA_OPENSEARCH_URL")),
    ],
)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "opensearch":
        one = Engine(PEER)
        with one.client() as http:
            http.delete("/_data_stream/contract-stream")
            http.delete("/contract-*").raise_for_status()
        yield one
        return
    yield request.getfixturevalue("own_engine")


async def test_each_day_has_its_index(engine: Engine, tmp_path: Path) -> None:
    today, yesterday = batch(1, 2), batch(3, at_ns=EPOCH_MS * 10**6 - DAY_NS)
    made = engine.declared(logstash_format="true", logstash_prefix="contract-daily", include_tag_key="true")
    async with running(open_output(made, World(tmp_path).edge)) as out:
        await out.write(today)
        await out.write(yesterday)
        await until(lambda: out.statuses()[0].written_events == 3, 30)
    assert [one["n"] for one in engine.found("contract-daily-2026.12.01")] == [1, 2]
    assert engine.found("contract-daily-2026.11.30") == [
        {"n": 3, "tag": "t.a", "@timestamp": "2026-11-30T00:00:00.000000000+00:00"}
    ]


async def test_a_chunk_that_is_sent_again_is_stored_once(engine: Engine, tmp_path: Path) -> None:
    world, made = World(tmp_path), engine.declared(index_name="contract-twice")
    chunk = Chunk("0123456789abcdef0123456789abcdef", ChunkKey(tag="t.a"), EPOCH_MS)
    for _ in range(2):  # as after a kill between the answer and the removal of the chunk
        delivery = ElasticsearchDelivery(made, made.buffer, world.edge.errors, world.edge.now_ms)
        await delivery.deliver(chunk, [batch(1, 2, 3)])
        await delivery.close()
    assert [one["n"] for one in engine.found("contract-twice")] == [1, 2, 3]


async def test_a_data_stream_is_made_by_its_template(engine: Engine, tmp_path: Path) -> None:
    made = engine.declared("opensearch_data_stream", data_stream_name="contract-stream")
    async with running(open_output(made, World(tmp_path).edge)) as out:
        await out.write(batch(1, 2))
        await until(lambda: out.statuses()[0].written_events == 2, 30)
    assert [one["n"] for one in engine.found("contract-stream")] == [1, 2]
    with engine.client() as http:
        (stream,) = http.get("/_data_stream/contract-stream").raise_for_status().json()["data_streams"]
        assert stream["template"] == "contract-stream_template"


async def test_a_template_of_a_file_is_put_once(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "template.json"
    file.write_text('{"index_patterns": ["contract-<<name>>-*"], "settings": {"number_of_replicas": 0}, "order": 7}')
    values = {
        "index_name": "contract-templated-1",
        "template_name": "contract-templated",
        "template_file": str(file),
        "customize_template": '{"<<name>>": "templated"}',
    }
    with engine.client() as http:
        http.delete("/_template/contract-templated")
        for order, overwrite in ((7, "false"), (7, "false"), (8, "true")):
            if order == 8:
                file.write_text(file.read_text().replace("7", "8"))
            made = engine.declared(**values, template_overwrite=overwrite)
            async with running(open_output(made, World(tmp_path).edge)) as out:
                await out.write(batch(order))
                await until(lambda: out.statuses()[0].written_events == 1, 30)
            found = http.get("/_template/contract-templated").raise_for_status().json()["contract-templated"]
            assert (found["index_patterns"], found["order"]) == (["contract-templated-*"], order)


async def test_a_template_that_cannot_be_read_is_named_and_nothing_is_lost(engine: Engine, tmp_path: Path) -> None:
    file, world = tmp_path / "template.json", World(tmp_path)
    values = {"template_name": "contract-late", "template_file": str(file), "template_overwrite": "true"}
    made = engine.declared(index_name="contract-late", **values)
    async with running(open_output(made, world.edge)) as out:
        await out.write(batch(1))
        await until(lambda: "template.json cannot be read" in out.statuses()[0].last_error)
        file.write_text('{"index_patterns": ["contract-late"]')
        world.now_ms += 1_000
        await until(lambda: "must hold a JSON object" in out.statuses()[0].last_error)
        file.write_text('{"index_patterns": ["contract-late"]}')
        world.now_ms += 2_000
        await until(lambda: out.statuses()[0].written_events == 1, 30)
    assert [one["n"] for one in engine.found("contract-late")] == [1]


async def test_documents_go_to_an_alias_with_its_first_index(engine: Engine, tmp_path: Path) -> None:
    with engine.client() as http:
        http.delete("/contract-rolled-shop-2026.12.01-000001")
        values = {"index_name": "contract-rolled", "rollover_index": "true", "application_name": "shop"}
        for n in (1, 2):  # the second time the alias is there
            async with running(open_output(engine.declared(**values), World(tmp_path).edge)) as out:
                await out.write(batch(n))
                await until(lambda: out.statuses()[0].written_events == 1, 30)
        aliases = http.get("/_alias/contract-rolled").raise_for_status().json()
        assert list(aliases) == ["contract-rolled-shop-2026.12.01-000001"]
    assert [one["n"] for one in engine.found("contract-rolled")] == [1, 2]


async def test_a_policy_is_put_for_the_indices_of_an_alias(own_engine: Engine, tmp_path: Path) -> None:
    # OpenSearch has no ILM.
    engine, file = own_engine, tmp_path / "template.json"
    file.write_text('{"index_patterns": ["lived-*"]}')
    policy = '{"policy": {"phases": {"hot": {"actions": {}}, "delete": {"min_age": "3d", "actions": {"delete": {}}}}}}'
    values = {"template_name": "lived", "template_file": str(file), "ilm_policy_id": "short", "ilm_policy": policy}
    made = engine.declared("elasticsearch", index_name="lived", enable_ilm="true", **values)
    async with running(open_output(made, World(tmp_path).edge)) as out:
        await out.write(batch(1))
        await until(lambda: out.statuses()[0].written_events == 1, 30)
    with engine.client() as http:
        found = http.get("/_ilm/policy/short").raise_for_status().json()["short"]["policy"]
        assert found["phases"]["delete"]["min_age"] == "3d"
        index = http.get("/lived-default-2026.12.01-000001/_settings").raise_for_status().json()
        assert "'short'" in str(index)
    assert [one["n"] for one in engine.found("lived")] == [1]


async def test_deep_and_odd_records_come_back_as_they_were(engine: Engine, tmp_path: Path) -> None:
    odd = {
        "n": 1,
        "deep": {"a": {"b": ["x", None], "c": [{"d": 1.5}]}},
        "空": "値 \u2028 end",
        "empty": {},
        "flag": False,
    }
    made = engine.declared(index_name="contract-odd")
    async with running(open_output(made, World(tmp_path).edge)) as out:
        await out.write(Batch("t.a", (Event(EPOCH_MS * 10**6, odd),), "test"))
        await until(lambda: out.statuses()[0].written_events == 1, 30)
    (found,) = engine.found("contract-odd")
    assert found.pop("@timestamp", None) in (None, "2026-12-01T00:00:00.000000000+00:00")
    assert found == odd


async def test_one_document_that_is_refused_leaves_its_neighbours(engine: Engine, tmp_path: Path) -> None:
    world = World(tmp_path)
    events = [
        Event(EPOCH_MS * 10**6, {"n": number, "@timestamp": at}) for number, at in ((1, 0), (2, "no time"), (3, 0))
    ]
    made = engine.declared(index_name="contract-refused", include_timestamp="false")
    async with running(open_output(made, world.edge)) as out:
        await out.write(Batch("t.a", tuple(events), "test"))
        await until(lambda: bool(world.refused) and out.statuses()[0].queued_chunks == 0, 30)
    assert [one["n"] for one in engine.found("contract-refused")] == [1, 3]
    ((refused, reason),) = world.refused
    assert [event.record["n"] for event in refused.events] == [2]
    assert reason.startswith("400 ")
    assert "@timestamp" in reason
