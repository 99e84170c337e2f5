"""What Filebeat's own pipelines ask of processors: parts of addresses, keys with dots, patterns of grok, zones."""

from typing import Any

import pytest

from eldonia_ops.protocols.elasticsearch.ingest import PipelineSet, compile_pipeline
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument


def run(document: dict[str, Any], kind: str, **options: Any) -> Any:
    """The document behind one processor, or what is wrong with it."""
    found = IngestDocument(document)
    try:
        compile_pipeline("p", {"processors": [{kind: options}]}).run(found, PipelineSet({}))
    except ProcessorError as error:
        return error.reason
    return found.source


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        # The example of Elasticsearch's documentation.
        (
            "http://myusername:mypassword@www.example.com:80/foo.gif?key1=val1&key2=val2#fragment",
            {
                "path": "/foo.gif", "fragment": "fragment", "extension": "gif", "password": "mypassword", "port": 80,
                "scheme": "http", "user_info": "myusername:mypassword", "domain": "www.example.com",
                "query": "key1=val1&key2=val2", "username": "myusername",
            },
        ),
        ("/shop/cart?id=%E4%BB%98", {"path": "/shop/cart", "query": "id=付"}),
        ("/a.b/c", {"path": "/a.b/c"}),
        ("https://Example.com", {"path": "", "scheme": "https", "domain": "Example.com"}),
        ("http://[::1]:9200/_bulk", {"path": "/_bulk", "scheme": "http", "domain": "[::1]", "port": 9200}),
        ("http://h/a b|c", {"path": "/a b|c", "scheme": "http", "domain": "h"}),
    ],
)  # fmt: skip
def test_uri_parts(address: str, parts: dict[str, Any]) -> None:
    assert run({"a": address}, "uri_parts", field="a") == {"a": address, "url": {**parts, "original": address}}


def test_uri_parts_with_options() -> None:
    found = run({"a": "/x"}, "uri_parts", field="a", target_field="u", keep_original=False, remove_if_successful=True)
    assert found == {"u": {"path": "/x"}}
    assert run({}, "uri_parts", field="a", ignore_missing=True) == {}
    for bad in ("/a b", "x|y", "/%zz", "http://h:port/"):
        assert run({"a": bad}, "uri_parts", field="a") == f"unable to parse URI [{bad}]"
    assert (
        run({"a": 5}, "uri_parts", field="a")
        == "field [a] of type [java.lang.Integer] cannot be cast to [java.lang.String]"
    )


def test_urldecode() -> None:
    assert run({"a": ["x%20y+z", "%E4%BB%98"]}, "urldecode", field="a") == {"a": ["x y z", "付"]}


@pytest.mark.parametrize(
    ("document", "options", "wanted"),
    [
        ({"foo.bar": "v"}, {"field": "foo.bar"}, {"foo": {"bar": "v"}}),
        ({"foo.bar": "v2", "foo": {"bar": "v1"}}, {"field": "foo.bar"}, {"foo": {"bar": ["v1", "v2"]}}),
        ({"foo.bar": 2, "foo": {"bar": 1}}, {"field": "foo.bar", "override": True}, {"foo": {"bar": 2}}),
        ({"a.b": 1, "c.d.e": 2, "f": 3}, {"field": "*"}, {"a": {"b": 1}, "c": {"d": {"e": 2}}, "f": 3}),
        ({"x": {"a.b": 1}}, {"field": "a.b", "path": "x"}, {"x": {"a": {"b": 1}}}),
        (
            {"foo.bar": 1, "foo": 5},
            {"field": "foo.bar"},
            "cannot set [bar] with parent object of type [java.lang.Integer] as part of path [foo.bar]",
        ),
        ({"x": 1}, {"field": "a.b"}, {"x": 1}),
    ],
)
def test_dot_expander(document: dict[str, Any], options: dict[str, Any], wanted: Any) -> None:
    assert run(document, "dot_expander", **options) == wanted


def test_grok_knows_what_modules_use() -> None:
    line = '<165>1 2026-12-01T00:00:00Z host app 12 ID47 [x@1 a="b"] 付'
    assert run({"m": line}, "grok", field="m", patterns=["^%{SYSLOG5424LINE}$"]) == {
        "m": line, "syslog5424_pri": "165", "syslog5424_ver": "1", "syslog5424_ts": "2026-12-01T00:00:00Z",
        "syslog5424_host": "host", "syslog5424_app": "app", "syslog5424_proc": "12", "syslog5424_msgid": "ID47",
        "syslog5424_sd": "[x@1 a=\"b\"]", "syslog5424_msg": "付",
    }  # fmt: skip
    found = run(
        {"m": "I NETWORK x"},
        "grok",
        field="m",
        patterns=["%{MONGO3_SEVERITY:s} %{MONGO3_COMPONENT:c} %{JAVALOGMESSAGE:t}"],
    )
    assert found == {"m": "I NETWORK x", "s": "I", "c": "NETWORK", "t": "x"}


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("2026-12-01 09:00:00.123 UTC", "yyyy-MM-dd HH:mm:ss.SSS zz"),
        ("2026-12-01T18:00:00.123+09:00", "yyyy-MM-dd'T'HH:mm:ss.SSSZZZZZ"),
    ],
)
def test_zones_of_postgresql_and_mongodb(text: str, format: str) -> None:
    assert run({"t": text}, "date", field="t", formats=[format])["@timestamp"] == "2026-12-01T09:00:00.123Z"
