"""Each processor on documents, with what Elasticsearch's documentation says of it."""

from typing import Any

import pytest

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.ingest import PipelineSet, compile_pipeline
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument

NOW = "2026-12-01T00:00:00.000Z"


def run(document: dict[str, Any], *processors: dict[str, Any], **more: Any) -> Any:
    """The document behind a pipeline; what is wrong with it as a text; None when it is dropped."""
    pipeline = compile_pipeline("p", {"processors": list(processors), **more})
    found = IngestDocument(document, {"_index": "app", "_id": "1"}, {"timestamp": NOW})
    try:
        pipeline.run(found, PipelineSet({}))
    except ProcessorError as error:
        return error.reason
    return None if found.dropped else found.source


@pytest.mark.parametrize(
    ("options", "document", "wanted"),
    [
        (
            {"set": {"field": "a.b", "value": "x-{{n}}-{{{t}}}-{{none}}"}},
            {"n": 5, "t": "é"},
            {"n": 5, "t": "é", "a": {"b": "x-5-é-"}},
        ),
        ({"set": {"field": "a", "value": [1, "{{b}}"]}}, {"b": "y"}, {"b": "y", "a": [1, "y"]}),
        ({"set": {"field": "a", "value": 2, "override": False}}, {"a": 1}, {"a": 1}),
        ({"set": {"field": "a", "value": "{{b}}", "ignore_empty_value": True}}, {"a": 1}, {"a": 1}),
        ({"set": {"field": "a", "copy_from": "b"}}, {"b": {"c": 1}}, {"b": {"c": 1}, "a": {"c": 1}}),
        ({"set": {"field": "t", "value": "{{_ingest.timestamp}}"}}, {}, {"t": NOW}),
        (
            {"set": {"field": "a.b", "value": 1}},
            {"a": 5},
            "cannot set [b] with parent object of type [java.lang.Integer] as part of path [a.b]",
        ),
        ({"rename": {"field": "a", "target_field": "b.c"}}, {"a": 1}, {"b": {"c": 1}}),
        ({"rename": {"field": "a", "target_field": "b"}}, {"x": 1}, "field [a] doesn't exist"),
        ({"rename": {"field": "a", "target_field": "b", "ignore_missing": True}}, {"x": 1}, {"x": 1}),
        ({"rename": {"field": "a", "target_field": "b"}}, {"a": 1, "b": 2}, "field [b] already exists"),
        ({"rename": {"field": "a", "target_field": "b", "override": True}}, {"a": 1, "b": 2}, {"b": 1}),
        (
            {"rename": {"field": "a", "target_field": "b.c"}},
            {"a": 1, "b": 2},
            "cannot set [c] with parent object of type [java.lang.Integer] as part of path [b.c]",
        ),
        ({"remove": {"field": ["a", "b.c"]}}, {"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2}}),
        ({"remove": {"field": "a"}}, {}, "field [a] not present as part of path [a]"),
        ({"remove": {"field": "a", "ignore_missing": True}}, {"b": 1}, {"b": 1}),
        ({"remove": {"keep": ["a", "b.c"]}}, {"a": 1, "b": {"c": 1, "d": 2}}, {"a": 1, "b": {"c": 1}}),
        (
            {"append": {"field": "tags", "value": ["x", "{{n}}"]}},
            {"tags": "y", "n": 1},
            {"tags": ["y", "x", "1"], "n": 1},
        ),
        ({"append": {"field": "tags", "value": "x", "allow_duplicates": False}}, {"tags": ["x"]}, {"tags": ["x"]}),
        ({"lowercase": {"field": "a"}}, {"a": ["ÄB", "C"]}, {"a": ["äb", "c"]}),
        ({"uppercase": {"field": "a", "target_field": "b"}}, {"a": "x"}, {"a": "x", "b": "X"}),
        (
            {"lowercase": {"field": "a"}},
            {"a": 5},
            "[lowercase] value of type [java.lang.Integer] cannot be cast to [java.lang.String]",
        ),
        ({"trim": {"field": "a", "ignore_missing": True}}, {}, {}),
        ({"trim": {"field": "a"}}, {"a": None}, "field [a] is null, cannot process it."),
        (
            {"gsub": {"field": "a", "pattern": "(\\d+)-(?P<x>\\w)", "replacement": "$2\\$${x}"}},
            {"a": "1-b 22-c"},
            {"a": "b$b c$c"},
        ),
        ({"gsub": {"field": "a", "pattern": "x", "replacement": "$7"}}, {"a": "x"}, "No group [$7]"),
        ({"split": {"field": "a", "separator": "\\s+"}}, {"a": "b  c "}, {"a": ["b", "c"]}),
        ({"split": {"field": "a", "separator": ",", "preserve_trailing": True}}, {"a": "b,,"}, {"a": ["b", "", ""]}),
        ({"join": {"field": "a", "separator": "-"}}, {"a": ["b", 1]}, {"a": "b-1"}),
        ({"json": {"field": "a", "target_field": "b"}}, {"a": '{"x": [1]}'}, {"a": '{"x": [1]}', "b": {"x": [1]}}),
        ({"json": {"field": "a", "add_to_root": True}}, {"a": '{"x": 1}'}, {"a": '{"x": 1}', "x": 1}),
        ({"json": {"field": "a", "add_to_root": True}}, {"a": "5"}, "cannot add non-map fields to root of document"),
        (
            {"kv": {"field": "a", "field_split": " ", "value_split": "=", "target_field": "b"}},
            {"a": "x=1 y=2 x=3"},
            {"a": "x=1 y=2 x=3", "b": {"x": ["1", "3"], "y": "2"}},
        ),
        ({"drop": {}}, {"a": 1}, None),
        ({"fail": {"message": "no {{a}}"}}, {"a": 1}, "no 1"),
        (
            {"geoip": {"field": "ip"}},
            {"ip": "1.1.1.1"},
            {"ip": "1.1.1.1", "tags": ["_geoip_database_unavailable_GeoLite2-City.mmdb"]},
        ),
        (
            {"user_agent": {"field": "a"}},
            {"a": "curl/8"},
            {"a": "curl/8", "user_agent": {"name": "Other", "original": "curl/8", "device": {"name": "Other"}}},
        ),
        ({"set": {"field": "_source.a", "value": 1}}, {}, {"a": 1}),
        ({"set": {"field": "a..b", "value": 1}}, {}, "path [a..b] is not valid"),
        ({"set": {"field": "l.1", "value": 9}}, {"l": [1, 2]}, {"l": [1, 9]}),
        (
            {"set": {"field": "l.5", "value": 9}},
            {"l": [1]},
            "[5] is out of bounds for array with length [1] in path [l.5]",
        ),
    ],
)
def test_a_processor(options: dict[str, Any], document: dict[str, Any], wanted: Any) -> None:
    assert run(document, options) == wanted


@pytest.mark.parametrize(
    ("type", "value", "wanted"),
    [
        ("integer", "12", 12),
        ("integer", "0x1F", 31),
        ("integer", "3000000000", None),
        ("long", "3000000000", 3_000_000_000),
        ("long", "9" * 400, None),
        ("float", "1.5", 1.5),
        ("double", "nan", None),
        ("double", "1e999", None),
        ("boolean", "TRUE", True),
        ("boolean", "yes", None),
        ("string", True, "true"),
        ("string", 5, "5"),
        ("ip", "::1", "::1"),
        ("ip", "x", None),
        ("auto", "5", 5),
        ("auto", "x", "x"),
        ("auto", "false", False),
        ("integer", ["1", "2"], [1, 2]),
        ("integer", {"a": 1}, None),
    ],
)
def test_convert(type: str, value: Any, wanted: Any) -> None:
    found = run({"a": value}, {"convert": {"field": "a", "type": type}})
    if wanted is None:
        assert found.startswith("unable to convert [")
    else:
        assert found == {"a": wanted}


@pytest.mark.parametrize(
    ("value", "formats", "wanted"),
    [
        ("01/Dec/2026:10:00:00 +0900", ["dd/MMM/yyyy:HH:mm:ss Z"], "2026-12-01T01:00:00.000Z"),
        ("2026-12-01 10:00:00,123", ["yyyy-MM-dd HH:mm:ss,SSS"], "2026-12-01T10:00:00.123Z"),
        ("2026-12-01T10:00:00.123456789Z", ["ISO8601"], "2026-12-01T10:00:00.123456789Z"),
        ("1796083200", ["UNIX"], "2026-12-01T00:00:00.000Z"),
        (1796083200123, ["ISO8601", "UNIX_MS"], "2026-12-01T00:00:00.123Z"),
        ("Nov 30 10:00:00", ["MMM d HH:mm:ss", "MMM dd HH:mm:ss"], "2026-11-30T10:00:00.000Z"),
        ("yesterday", ["ISO8601", "UNIX", "yyyy"], None),
        ("now", ["ISO8601"], None),
        ({"a": 1}, ["ISO8601"], None),
    ],
)
def test_date(value: Any, formats: list[str], wanted: str | None) -> None:
    found = run({"t": value}, {"date": {"field": "t", "formats": formats}})
    assert found == ({"t": value, "@timestamp": wanted} if wanted else found)
    assert isinstance(found, dict) is (wanted is not None)


def test_date_in_a_zone() -> None:
    options = {"field": "t", "formats": ["yyyy-MM-dd HH:mm"], "timezone": "{{zone}}", "target_field": "at"}
    found = run({"t": "2026-12-01 10:00", "zone": "Asia/Tokyo"}, {"date": options})
    assert found["at"] == "2026-12-01T10:00:00.000+09:00"
    assert run({"t": "2026-12-01 10:00", "zone": "Asia/Tokio"}, {"date": options}) == "Unknown time-zone ID: Asia/Tokio"
    options = {"field": "t", "formats": ["ISO8601"], "output_format": "yyyy.MM.dd"}
    assert run({"t": "2026-12-01T10:00:00Z"}, {"date": options})["@timestamp"] == "2026.12.01"


def test_grok() -> None:
    line = '10.0.0.1 - - "GET /a" 200 0.25 付'
    pattern = (
        '%{IPORHOST:client.ip} - - "%{WORD:http.method} %{DATA:url}" %{INT:status:int} %{NUMBER:took:float} %{OWN:rest}'
    )
    options = {"field": "m", "patterns": ["^nothing$", pattern], "pattern_definitions": {"OWN": "\\S+"}}
    found = run({"m": line}, {"grok": options})
    del found["m"]
    assert found == {
        "client": {"ip": "10.0.0.1"}, "http": {"method": "GET"}, "url": "/a", "status": 200, "took": 0.25, "rest": "付",
    }  # fmt: skip
    assert run({"m": "x"}, {"grok": options}) == "Provided Grok expressions do not match field value: [x]"
    brackets = {"field": "m", "patterns": ["%{WORD:[a][b]} %{INT:[n]:int}"]}
    assert run({"m": "x 5"}, {"grok": brackets}) == {"m": "x 5", "a": {"b": "x"}, "n": 5}


@pytest.mark.parametrize(
    ("processor", "reason"),
    [
        ({"sett": {}}, "No processor type exists with name [sett]: did you mean"),
        ({"script": {}}, "No processor type exists with name [script]: scripts are not run here"),
        ({"set": {"field": "a"}}, "[value] required property is missing"),
        ({"set": {"value": "a"}}, "[field] required property is missing"),
        (
            {"set": {"field": "a", "value": 1, "colour": 2}},
            "doesn't support one or more provided configuration parameters [colour]",
        ),
        ({"set": {"field": {}, "value": 1}}, "[field] property isn't a string, but of type [java.util.HashMap]"),
        ({"set": {"field": "a", "value": 1, "override": 7}}, "[override] property isn't a boolean"),
        (
            {"gsub": {"field": "a", "pattern": "(?=x)", "replacement": ""}},
            "[pattern] Invalid regex pattern found in: [(?=x)]",
        ),
        ({"grok": {"field": "a", "patterns": ["%{NONE:x}"]}}, "there is no grok pattern %{NONE}"),
        ({"convert": {"field": "a", "type": "colour"}}, "type [colour] not supported"),
        ({"date": {"field": "a", "formats": ["QQQ"]}}, "[QQQ] of the pattern [QQQ] is not known"),
        ({"set": {"field": "a", "value": 1, "if": "ctx.a.b() > 1"}}, "the method [b] with 0 arguments is not known"),
        (5, "each of [processors] is an object"),
        ({"set": 5}, "the options of a processor are an object"),
    ],
)
def test_a_pipeline_that_cannot_be_used(processor: Any, reason: str) -> None:
    with pytest.raises(ElasticsearchError) as error:
        compile_pipeline("p", {"processors": [processor]})
    assert reason in error.value.reason
    assert error.value.type == "parse_exception"


def test_failures() -> None:
    fails = {"fail": {"message": "bad", "tag": "t"}}
    noted = {
        "set": {
            "field": "error",
            "value": " ".join(
                f"{{{{_ingest.on_failure_{name}}}}}" for name in ("message", "processor_type", "processor_tag")
            ),
        }
    }
    after = {"set": {"field": "after", "value": 1}}
    assert run({}, fails, after) == "bad"
    assert run({}, {"fail": {"message": "bad", "ignore_failure": True}}, after) == {"after": 1}
    assert run({}, {"fail": {**fails["fail"], "on_failure": [noted]}}, after) == {"error": "bad fail t", "after": 1}
    assert run({}, fails, after, on_failure=[noted]) == {"error": "bad  "}


def test_pipelines_call_others_but_not_themselves() -> None:
    bodies = {
        "a": {
            "processors": [{"pipeline": {"name": "b"}}, {"pipeline": {"name": "none", "ignore_missing_pipeline": True}}]
        },
        "b": {"processors": [{"set": {"field": "b", "value": 1}}]},
        "c": {"processors": [{"pipeline": {"name": "c"}}]},
        "d": {"processors": [{"pipeline": {"name": "none"}}]},
        "e": {"processors": [{"pipeline": {"name": "f"}}, {"pipeline": {"name": "f"}}] * 200},
        "f": {"processors": [{"set": {"field": "x", "value": 1}}] * 400},
    }
    others = PipelineSet(bodies)
    document = IngestDocument({})
    others.run("a", document)
    assert document.source == {"b": 1}
    for name, reason in (("c", "Cycle detected"), ("d", "does not exist"), ("e", "2000 processors")):
        with pytest.raises(ProcessorError, match=reason):
            others.run(name, IngestDocument({}))
