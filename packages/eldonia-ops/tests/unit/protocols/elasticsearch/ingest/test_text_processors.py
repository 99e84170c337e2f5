"""``dissect``, ``csv``, ``foreach``, ``uri_parts`` and others, with what Elasticsearch's documentation says of them."""

# ruff: noqa: E501  a case a line

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.ingest import PipelineSet, compile_pipeline
from eldonia_ops.protocols.elasticsearch.ingest.delimited import values_of
from eldonia_ops.protocols.elasticsearch.ingest.dissect import dissection
from eldonia_ops.protocols.elasticsearch.ingest.errors import ProcessorError
from eldonia_ops.protocols.elasticsearch.ingest.fields import IngestDocument

ACCESS = (
    '1.2.3.4 - - [30/Apr/1998:22:00:52 +0000] "GET /english/venues/cities/images/montpellier/18.gif HTTP/1.0" 200 3171'
)


def run(document: dict[str, Any], *processors: dict[str, Any]) -> Any:
    """The document behind a pipeline; what is wrong with it as a text; None when it is dropped."""
    pipeline = compile_pipeline("p", {"processors": list(processors)})
    found = IngestDocument(document, {"_index": "app", "_id": "1"}, {"timestamp": "2026-12-01T00:00:00.000Z"})
    try:
        pipeline.run(found, PipelineSet({}))
    except ProcessorError as error:
        return error.reason
    return (
        None
        if found.dropped
        else {**found.source, **({"_index": i} if (i := found.metadata["_index"]) != "app" else {})}
    )


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        (
            '%{clientip} %{ident} %{auth} [%{@timestamp}] "%{verb} %{request} HTTP/%{httpversion}" %{status} %{size}',
            ACCESS,
            {"clientip": "1.2.3.4", "ident": "-", "auth": "-", "@timestamp": "30/Apr/1998:22:00:52 +0000", "verb": "GET",
             "request": "/english/venues/cities/images/montpellier/18.gif", "httpversion": "1.0", "status": "200", "size": "3171"},
        ),
        ("%{ts->} %{level}", "1998-08-10T17:15:42,466          WARN", {"ts": "1998-08-10T17:15:42,466", "level": "WARN"}),
        ("[%{ts}]%{->}[%{level}]", "[1998]            [WARN]", {"ts": "1998", "level": "WARN"}),
        ("%{+name} %{+name} %{+name} %{+name}", "john jacob jingleheimer schmidt", {"name": "john,jacob,jingleheimer,schmidt"}),
        ("%{+name/2} %{+name/4} %{+name/3} %{+name/1}", "john jacob jingleheimer schmidt", {"name": "schmidt,john,jingleheimer,jacob"}),
        ("%{name} %{+name}", "a b", {"name": "a,b"}),
        ("%{ip} %{?ident} %{?auth} [%{ts}]", "1.2.3.4 - - [30]", {"ip": "1.2.3.4", "ts": "30"}),
        ("%{ip} %{} %{}", "a b c", {"ip": "a"}),
        ("[%{ts}] [%{level}] %{*p1}:%{&p1} %{*p2}:%{&p2}", "[t] [E] ip:1.2.3.4 error:REFUSED", {"ts": "t", "level": "E", "ip": "1.2.3.4", "error": "REFUSED"}),
        ("%{a},%{b},%{c}", "1,,3", {"a": "1", "b": "", "c": "3"}),
        ("%{a},%{b},%{c},%{d}", "1,,,4", {"a": "1", "b": "", "c": "", "d": "4"}),
        ("%{a}, %{b}", "x, 付, y", {"a": "x", "b": "付, y"}),
        ("<%{a}>", "<5> rest", {"a": "5"}),
        ("%{o.a} %{o.b}", "1 2", {"o": {"a": "1", "b": "2"}}),
        ("%{a} %{b}", "alone", "Unable to find match for dissect pattern: %{a} %{b} against source: alone"),
        ("x%{a}", "y5", "Unable to find match for dissect pattern: x%{a} against source: y5"),
    ],
)  # fmt: skip
def test_dissect(pattern: str, text: str, wanted: Any) -> None:
    found = run({"m": text}, {"dissect": {"field": "m", "pattern": pattern, "append_separator": ","}})
    assert found == (wanted if isinstance(wanted, str) else {"m": text, **wanted})


@pytest.mark.parametrize("pattern", ["", "no key", "%{a}%{b}", "%{+}", "%{*a} %{b}", "%{&a} x", "%{a/x}", "%{a" * 300])
def test_patterns_that_are_refused(pattern: str) -> None:
    with pytest.raises(ElasticsearchError) as error:
        compile_pipeline("p", {"processors": [{"dissect": {"field": "m", "pattern": pattern}}]})
    assert error.value.extra["header"]["processor_type"] == "dissect"


@given(st.lists(st.text("ab付 ", min_size=1), min_size=1, max_size=5))
def test_what_was_joined_is_taken_apart(values: list[str]) -> None:
    pattern = "|".join(f"%{{k{place}}}" for place in range(len(values)))
    assert dissection(pattern).fields("|".join(values)) == {f"k{place}": value for place, value in enumerate(values)}


@pytest.mark.parametrize(
    ("options", "text", "wanted"),
    [
        ({}, 'a,"b, ""c""",d', {"x": "a", "y": 'b, "c"', "z": "d"}),
        ({}, "a,,d", {"x": "a", "z": "d"}),
        ({"empty_value": ""}, "a,,d", {"x": "a", "y": "", "z": "d"}),
        ({}, "a,b,c,d,e", {"x": "a", "y": "b", "z": "c"}),
        ({}, "a", {"x": "a"}),
        ({}, 'a,"",c', {"x": "a", "y": "", "z": "c"}),
        ({"separator": ";", "quote": "'"}, "a;'b;c';d", {"x": "a", "y": "b;c", "z": "d"}),
        ({"trim": True}, ' a , "b " , c', {"x": "a", "y": "b ", "z": "c"}),
        ({}, 'a,"two\nlines",c', {"x": "a", "y": "two\nlines", "z": "c"}),
        ({}, 'a,"b', "Unmatched quote"),
        ({}, 'a,b"c', "Illegal character inside unquoted field at 3"),
        ({}, 'a,"b"c', "Illegal character after quoted field at 5"),
    ],
)
def test_csv(options: dict[str, Any], text: str, wanted: Any) -> None:
    found = run({"m": text}, {"csv": {"field": "m", "target_fields": ["x", "y", "z"], **options}})
    assert found == (wanted if isinstance(wanted, str) else {"m": text, **wanted})


@given(st.lists(st.text('a,"\n付 '), min_size=1, max_size=5))
def test_what_was_quoted_is_read_again(values: list[str]) -> None:
    text = ",".join('"' + value.replace('"', '""') + '"' for value in values)
    assert [value for value, _ in values_of(text, ",", '"')] == values


def test_foreach() -> None:
    upper = {"uppercase": {"field": "_ingest._value"}}
    assert run({"v": ["a", "b"]}, {"foreach": {"field": "v", "processor": upper}}) == {"v": ["A", "B"]}
    inner = {"remove": {"field": "_ingest._value.id"}}
    found = run({"p": [{"id": 1, "n": "x"}, {"id": 2, "n": "y"}]}, {"foreach": {"field": "p", "processor": inner}})
    assert found == {"p": [{"n": "x"}, {"n": "y"}]}
    keyed = {"set": {"field": "_ingest._value", "value": "{{_ingest._key}}-{{_ingest._value}}"}}
    assert run({"o": {"a": 1, "b": 2}}, {"foreach": {"field": "o", "processor": keyed}}) == {
        "o": {"a": "a-1", "b": "b-2"}
    }
    nested = {"foreach": {"field": "_ingest._value.w", "processor": upper}}
    assert run({"v": [{"w": ["x"]}, {"w": ["y"]}]}, {"foreach": {"field": "v", "processor": nested}}) == {
        "v": [{"w": ["X"]}, {"w": ["Y"]}]
    }
    gathered = {"append": {"field": "all", "value": "{{_ingest._value}}"}}
    assert run({"v": ["a", "b"]}, {"foreach": {"field": "v", "processor": gathered}}) == {
        "v": ["a", "b"],
        "all": ["a", "b"],
    }
    assert run({}, {"foreach": {"field": "v", "ignore_missing": True, "processor": upper}}) == {}
    assert "not present" in run({}, {"foreach": {"field": "v", "processor": upper}})
    assert "cannot be cast to a list or map" in run({"v": 5}, {"foreach": {"field": "v", "processor": upper}})
    failed = run(
        {"v": ["a", 5]},
        {"foreach": {"field": "v", "processor": upper, "on_failure": [{"set": {"field": "bad", "value": 1}}]}},
    )
    assert failed == {"v": ["a", 5], "bad": 1}


def test_foreach_is_bounded_and_checked() -> None:
    upper = {"uppercase": {"field": "_ingest._value"}}
    assert "may go through" in run({"v": ["a"] * 3_000}, {"foreach": {"field": "v", "processor": upper}})
    for bad in ({}, {"uppercase": {"field": "x"}, "lowercase": {"field": "x"}}, {"script": {"source": "x"}}, [upper]):
        with pytest.raises(ElasticsearchError):
            compile_pipeline("p", {"processors": [{"foreach": {"field": "v", "processor": bad}}]})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            "http://myusername:mypassword@www.Example.com:80/foo.gif?key1=val1&key2=val2#fragment",
            {"path": "/foo.gif", "fragment": "fragment", "extension": "gif", "password": "mypassword", "port": 80,
             "domain": "www.Example.com", "scheme": "http", "query": "key1=val1&key2=val2",
             "user_info": "myusername:mypassword", "username": "myusername"},
        ),
        ("/a/b.c/d?x=1", {"path": "/a/b.c/d", "query": "x=1"}),
        ("https://[::1]:8080/", {"path": "/", "scheme": "https", "domain": "[::1]", "port": 8080}),
        ("foo://a b/", "unable to parse URI [foo://a b/]"),
        ("http://a:99999999/", "unable to parse URI [http://a:99999999/]"),
    ],
)  # fmt: skip
def test_uri_parts(text: str, wanted: Any) -> None:
    found = run({"u": text}, {"uri_parts": {"field": "u", "keep_original": False, "remove_if_successful": True}})
    assert found == (wanted if isinstance(wanted, str) else {"url": wanted})


@pytest.mark.parametrize(
    ("options", "document", "wanted"),
    [
        ({"urldecode": {"field": "a"}}, {"a": "x%20y+%E4%BB%98"}, {"a": "x y 付"}),
        ({"urldecode": {"field": "a"}}, {"a": "100%"}, "Could not URL-decode value [100%]"),
        ({"bytes": {"field": "a"}}, {"a": "1.5kb"}, {"a": 1536}),
        ({"bytes": {"field": "a"}}, {"a": "many"}, "failed to parse setting [Ingest Field] with value [many] as a size in bytes"),
        ({"sort": {"field": "a", "order": "desc"}}, {"a": [2, 10, 1]}, {"a": [10, 2, 1]}),
        ({"sort": {"field": "a"}}, {"a": [2, "x"]}, "the values of the list are of several types and have no order"),
        ({"dot_expander": {"field": "a.b"}}, {"a.b": 1}, {"a": {"b": 1}}),
        ({"dot_expander": {"field": "a.b"}}, {"a.b": 1, "a": {"b": 2}}, {"a": {"b": [2, 1]}}),
        ({"dot_expander": {"field": "a.b", "override": True}}, {"a.b": 1, "a": {"b": 2}}, {"a": {"b": 1}}),
        ({"dot_expander": {"field": "*"}}, {"a.b": 1, "c.d.e": 2, "f": 3}, {"a": {"b": 1}, "c": {"d": {"e": 2}}, "f": 3}),
        ({"dot_expander": {"field": "b.c", "path": "a"}}, {"a": {"b.c": 1}}, {"a": {"b": {"c": 1}}}),
        (
            {"date_index_name": {"field": "t", "index_name_prefix": "log-{{s}}-", "date_rounding": "M"}},
            {"t": "2026-04-25T12:02:01.789Z", "s": "x"},
            {"t": "2026-04-25T12:02:01.789Z", "s": "x", "_index": "log-x-2026-04-01"},
        ),
        (
            {"date_index_name": {"field": "t", "date_formats": ["UNIX_MS"], "index_name_format": "yyyy.MM.dd", "date_rounding": "d", "timezone": "Asia/Tokyo"}},
            {"t": 1795827600000},
            {"t": 1795827600000, "_index": "2026.11.28"},
        ),
    ],
)  # fmt: skip
def test_others(options: dict[str, Any], document: dict[str, Any], wanted: Any) -> None:
    assert run(document, options) == wanted


@pytest.mark.parametrize(
    "kind", ["script", "enrich", "community_id", "registered_domain", "fingerprint", "reroute", "html_strip"]
)
def test_those_that_are_refused_say_what_to_do(kind: str) -> None:
    with pytest.raises(ElasticsearchError) as error:
        compile_pipeline("p", {"processors": [{kind: {}}]})
    said = error.value.reason.partition(": ")
    assert said[0] == f"No processor type exists with name [{kind}]"
    assert len(said[2]) > 15
