"""Outputs as they are declared."""

import pytest
from pipeline_sections import output, read_output, section

from eldonia_ops.pipeline.outputs import (
    OUTPUT_TYPES,
    CopyOutput,
    FileOutput,
    NullOutput,
    RelabelOutput,
    StdoutOutput,
    StoreOutput,
)


def test_an_unknown_type_is_named_with_the_nearest() -> None:
    found, problems = read_output("elasticsarch")
    assert found is None
    assert "did you mean 'elasticsearch'?" in str(problems[0])
    found, problems = read_output("cassandra_cql")
    assert "there are: " in str(problems[0])


def test_small_outputs() -> None:
    assert isinstance(output("null"), NullOutput)
    assert isinstance(output("stdout"), StdoutOutput)
    store = output("eldonia")
    assert isinstance(store, StoreOutput)
    assert store.buffer is None
    relabel = output("relabel", **{"at_label": "@X"})
    assert isinstance(relabel, RelabelOutput)
    assert relabel.label == "@X"
    assert "needs @label" in str(read_output("relabel")[1][0])


def test_ids_follow_from_the_place_unless_they_are_written() -> None:
    assert output("null").id == "null:fluent.conf:1"
    assert output("null", at_id="mine").id == "mine"


def test_the_seeds_outputs() -> None:
    values = {"host": "elasticsearch", "port": "9200", "logstash_format": "true", "logstash_prefix": "eldonia-logs"}
    buffer = section("buffer", {"@type": "file", "path": "/b", "flush_interval": "10s"})
    found, problems = read_output("elasticsearch", buffer, **values)
    assert not problems
    assert found is not None
    assert found.summary == "index eldonia-logs-%Y.%m.%d at http://elasticsearch:9200"
    assert found.buffer is not None
    assert found.buffer.chunk_keys == ("tag",)
    found, problems = read_output("elasticsearch", buffer, **values, index_name="eldonia-logs-%Y.%m.%d")
    assert found is not None
    assert ["index_name has no effect" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize(
    ("values", "urls"),
    [
        ({}, ("http://localhost:9200",)),
        ({"host": "es", "scheme": "https", "path": "/p/"}, ("https://es:9200/p",)),
        ({"hosts": "a:1,b,https://c:3/"}, ("http://a:1", "http://b:9200", "https://c:3")),
        ({"host": "::1"}, ("http://[::1]:9200",)),
    ],
)
def test_addresses_of_elasticsearch(values: dict[str, str], urls: tuple[str, ...]) -> None:
    assert output("elasticsearch", **values).urls == urls


def test_a_data_stream_is_created_in() -> None:
    found = output("opensearch_data_stream", data_stream_name="logs-app-default")
    assert (found.write_operation, found.data_stream, found.index) == ("create", True, "logs-app-default")


def test_secrets_are_not_shown() -> None:
    found = output("elasticsearch", user="u", password="hunter2", custom_headers='{"X-Key":"hunter2"}')
    assert "hunter2" not in repr(found)
    forward = output(
        "forward",
        section("security", {"self_hostname": "h", "shared_key": "hunter2"}),
        section("server", {"host": "x"}),
    )
    assert "hunter2" not in repr(forward)
    http = output(
        "http",
        section("auth", {"username": "u", "password": "hunter2"}),
        endpoint="http://x/",
        headers='{"a":"hunter2"}',
    )
    assert "hunter2" not in repr(http)


@pytest.mark.parametrize(
    ("values", "template"),
    [
        ({"path": "/x/app"}, "/x/app.%Y%m%d_**.log"),
        ({"path": "/x/app", "append": "true"}, "/x/app.%Y%m%d.log"),
        ({"path": "/x/app.*.txt", "compress": "gzip"}, "/x/app.%Y%m%d_**.txt.gz"),
        ({"path": "/x/%Y%m%d/app", "append": "true", "path_suffix": ".txt"}, "/x/%Y%m%d/app.txt"),
        ({"path": "/x/app", "time_slice_format": "%Y-%m", "add_path_suffix": "false"}, "/x/app.%Y-%m_**"),
    ],
)
def test_paths_of_files(values: dict[str, str], template: str) -> None:
    found = output("file", **values)
    assert isinstance(found, FileOutput)
    assert found.template == template


def test_paths_by_tag_and_hour() -> None:
    buffer = section("buffer", {"timekey": "1h"}, argument="tag,time")
    assert output("file", buffer, path="/x/${tag}/app").template == "/x/${tag}/app.%Y%m%d%H_**.log"
    _, problems = read_output("file", section("buffer", {}, argument="tag"), path="/x/${app}")
    assert "${app} needs app as a chunk key" in str(problems[0])
    _, problems = read_output("file", buffer, path="/x/%Y%m%d")
    assert "%H is missing" in str(problems[0])


def test_copies_and_their_stores() -> None:
    found = output(
        "copy",
        section("store", {"@type": "null"}, argument="ignore_error"),
        section("store", {"@type": "relabel", "@label": "@X"}),
    )
    assert isinstance(found, CopyOutput)
    assert [(type(store.output), store.ignore_error) for store in found.stores] == [
        (NullOutput, True),
        (RelabelOutput, False),
    ]
    found, problems = read_output("copy", section("store", {"@type": "nul"}))
    assert found is None
    assert "did you mean 'null'?" in str(problems[0])


def test_secondaries() -> None:
    found = output("http", section("secondary", {"@type": "file", "path": "/x/${chunk_id}"}), endpoint="http://x/")
    assert isinstance(found.secondary, FileOutput)
    assert found.secondary.buffer == found.buffer
    dump = section("secondary", {"@type": "secondary_file", "directory": "/d", "basename": "dump.${chunk_id}"})
    assert output("http", dump, endpoint="http://x/").secondary.template == "/d/dump.${chunk_id}_**"
    _, problems = read_output("null", section("secondary", {"@type": "null"}))
    assert "only to an output with a buffer" in str(problems[0])


def test_http_retries_by_its_codes() -> None:
    assert output("http", endpoint="https://x/").retryable == (429, 502, 503, 504)
    assert output("http", endpoint="https://x/", retryable_response_codes="503,500").retryable == (503, 500)
    assert "must begin with http" in str(read_output("http", endpoint="x")[1][0])


@pytest.mark.parametrize("type", OUTPUT_TYPES)
def test_every_output_names_what_it_does_not_know(type: str) -> None:
    _, problems = read_output(type, no_such_parameter="1")
    assert any("no_such_parameter" in problem.message for problem in problems)
