"""Each form of line with what is found in it."""

import msgspec
import pytest
from pipeline_sections import parser, read_parser, section

from eldonia_ops.pipeline.parsers import ParseError

NS = 1_000_000_000
FEB_28_NS = 1_362_052_800 * NS


def one(type: str, line: str, now_ns: int = 0, **values: object) -> tuple[int | None, dict[str, object]]:
    (found,) = parser(type, **values).parse(line, now_ns)
    return found


def test_none() -> None:
    assert one("none", "any text") == (None, {"message": "any text"})


def test_json_array() -> None:
    assert parser("json").parse('[{"time":1,"a":1},{"a":2}]') == [(NS, {"a": 1}), (None, {"a": 2})]
    with pytest.raises(ParseError, match="neither an object"):
        parser("json").parse("[1]")


def test_json_that_is_nested_too_deep_is_refused() -> None:
    with pytest.raises(ParseError):
        parser("json").parse('{"a":' * 100_000)


def test_json_bytes_that_are_no_utf8() -> None:
    assert parser("json").parse_bytes(b'{"a":"\xff"}') == [(None, {"a": "\ufffd"})]


def test_regexp_with_rubys_names() -> None:
    expression = r"/^(?<host>[^ ]*) (?<user>[^ ]*) \[(?<time>[^\]]*)\] (?<flag>\h+)$/"
    line = "h u [28/Feb/2013:12:00:00 +0000] beef"
    at, record = one("regexp", line, expression=expression, time_format="%d/%b/%Y:%H:%M:%S %z")
    assert (at, record) == (FEB_28_NS, {"host": "h", "user": "u", "flag": "beef"})


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("/(?=a)(?<x>.)/", "looking ahead"),
        ("/(a)/", "no named group"),
        ("/(?<x>.)\\1/", "references back"),
        ("/(?<x>/", ""),
    ],
)
def test_expressions_that_cannot_be_used(expression: str, word: str) -> None:
    found, problems = read_parser("regexp", expression=expression)
    assert found is None
    assert word in str(problems[0])


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a,b", {"x": "a", "y": "b"}),
        ('"a,1","b ""q"""', {"x": "a,1", "y": 'b "q"'}),
        ('a,""', {"x": "a", "y": ""}),
        ("a,", {"x": "a", "y": None}),
        ("a", {"x": "a", "y": None}),
        ("a,b,c", {"x": "a", "y": "b"}),
    ],
)
def test_csv(line: str, expected: dict[str, object]) -> None:
    assert one("csv", line, keys="x,y") == (None, expected)


@pytest.mark.parametrize("line", ["", 'a,"b', 'a,"b"c', 'a"b,c'])
def test_csv_that_is_none(line: str) -> None:
    with pytest.raises(ParseError):
        parser("csv", keys="x,y").parse(line)


def test_tsv_and_ltsv() -> None:
    assert one("tsv", "1\t2\t3\t4", keys="a,b,c") == (None, {"a": "1", "b": "2", "c": "3\t4"})
    assert one("ltsv", "time:1970-01-01T00:00:01Z\ta:x:y\tnothing") == (NS, {"a": "x:y"})
    assert one("ltsv", "a=1, b=2", delimiter_pattern="/,\\s*/", label_delimiter="=") == (None, {"a": "1", "b": "2"})


def test_logfmt() -> None:
    line = 'time=1970-01-01T00:00:01Z level=info msg="a \\"b\\"" n=1 f=1.5 ok=true flag'
    assert one("logfmt", line) == (NS, {"level": "info", "msg": 'a "b"', "n": 1, "f": 1.5, "ok": True, "flag": True})
    assert one("logfmt", "n=1", infer_types="false") == (None, {"n": "1"})
    with pytest.raises(ParseError, match="character 5"):
        parser("logfmt").parse("a=1 ==")


def test_cri() -> None:
    assert one("cri", "1970-01-01T00:00:01.000000005+00:00 stdout P a part") == (
        NS + 5,
        {"stream": "stdout", "logtag": "P", "message": "a part"},
    )
    assert one("cri", "1970-01-01T00:00:01Z stdout F ")[1]["message"] == ""


def test_klog_takes_its_year_from_now() -> None:
    line = 'E1231 23:59:59.250000    7 controller.go:12] "Sync \\"it\\"" err="no route" pod="a/b"'
    at, record = one("klog", line, now_ns=1_798_761_600 * NS, utc="true")  # 2027-01-01
    assert at == 1_798_761_599 * NS + 250_000_000
    assert record == {
        "err": "no route",
        "pod": "a/b",
        "level": "error",
        "pid": 7,
        "file": "controller.go",
        "line": 12,
        "message": 'Sync "it"',
    }
    assert one("klog", line, utc="true")[0] is None


def test_postgresql_by_its_prefix() -> None:
    line = "2013-02-28 12:00:00.250 UTC [42] bob@shop LOG:  duration: 12.5 ms  statement: select 1\n\tfrom t"
    at, record = one("postgresql", line, log_line_prefix="%m [%p] %q%u@%d ")
    assert at == FEB_28_NS + 250_000_000
    assert record == {
        "pid": 42,
        "user": "bob",
        "database": "shop",
        "severity": "LOG",
        "message": "duration: 12.5 ms  statement: select 1\nfrom t",
        "duration_ms": 12.5,
        "statement": "select 1\nfrom t",
    }
    background = "2013-02-28 12:00:00.250 UTC [43] LOG:  checkpoint starting: time"
    assert one("postgresql", background, log_line_prefix="%m [%p] %q%u@%d ")[1]["pid"] == 43
    read = parser("postgresql")
    assert read.multi_line
    assert read.begins("2013-02-28 12:00:00.250 UTC [42] LOG:  x")
    assert not read.begins("\tfrom t")


def test_postgresql_csv() -> None:
    line = (
        '2013-02-28 12:00:00.250 UTC,"bob","shop",42,"[local]",512f.1,1,"SELECT",2013-02-28 11:59:00 UTC,3/4,0,'
        "ERROR,42P01,"
        '"relation ""x"" does not exist",,,,,,"select * from x",15,,"psql","client backend",,0'
    )
    at, record = one("postgresql", line, format="csv")
    assert at == FEB_28_NS + 250_000_000
    assert (record["pid"], record["sqlstate"], record["message"]) == (42, "42P01", 'relation "x" does not exist')
    assert record["statement"] == "select * from x"


def test_mysql_slow() -> None:
    text = (
        "# Time: 2013-02-28T12:00:00.123456Z\n"
        "# User@Host: shop[shop] @ db.local [10.0.0.5]  Id:    12\n"
        "# Query_time: 2.500000  Lock_time: 0.000100 Rows_sent: 1  Rows_examined: 1000\n"
        "use shop;\nSET timestamp=1362052800;\nSELECT *\nFROM orders;"
    )
    at, record = one("mysql_slow", text)
    assert at == FEB_28_NS
    assert record == {
        "user": "shop",
        "host": "db.local",
        "ip": "10.0.0.5",
        "id": "12",
        "query_time": 2.5,
        "lock_time": 0.0001,
        "rows_sent": 1,
        "rows_examined": 1000,
        "database": "shop",
        "query": "SELECT *\nFROM orders",
    }
    read = parser("mysql_slow")
    assert read.parse("# Time: 2013-02-28T12:00:00.123456Z\n") == []
    assert read.begins("# User@Host: shop[shop] @  [10.0.0.5]")
    assert not read.begins("# Query_time: 1")


def test_haproxy() -> None:
    line = (
        "Feb 28 12:00:00 lb haproxy[14389]: 10.0.1.2:33317 [28/Feb/2013:12:00:00.655] http-in static/srv1 "
        '10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /index.html HTTP/1.1"'
    )
    at, record = one("haproxy", line, utc="true")
    assert at == FEB_28_NS + 655_000_000
    assert record["client"] == "10.0.1.2"
    assert (record["status_code"], record["ta"], record["method"], record["path"]) == (200, 109, "GET", "/index.html")
    assert record["captured_request_headers"] == "1wt.eu"
    tcp = "10.0.1.2:33313 [28/Feb/2013:12:00:00.655] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0"
    assert one("haproxy", tcp, utc="true")[1]["tt"] == 5007


def test_envoy() -> None:
    line = (
        '[2013-02-28T12:00:00.250Z] "POST /api/v1/locations HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "nsq2http" '
        '"cc21d9b0-cf5c-432b-8c7e-98aeb7988cd2" "locations" "tcp://10.0.2.1:80"'
    )
    at, record = one("envoy", line)
    assert at == FEB_28_NS + 250_000_000
    assert (record["response_code"], record["duration"], record["authority"]) == (204, 226, "locations")
    assert "response_flags" not in record
    istio = (
        '[2013-02-28T12:00:00.250Z] "GET /status/418 HTTP/1.1" 418 - via_upstream - "-" 0 135 4 4 "-" "curl/7.68" '
        '"84961386" "httpbin:8000" "127.0.0.1:80" inbound|8000|| 127.0.0.6:49205 10.44.1.27:80 10.44.1.23:37652 '
        "outbound_.8000_._.httpbin.foo.svc.cluster.local default"
    )
    assert one("envoy", istio)[1]["route_name"] == "default"
    assert one("envoy", istio)[1]["response_code_details"] == "via_upstream"


def test_aws() -> None:
    alb = (
        "https 2013-02-28T12:00:00.250000Z app/my-lb/50dc6c495c0c9188 192.168.131.39:2817 10.0.0.1:80 0.086 0.048 "
        "0.037 "
        '200 200 0 57 "GET https://www.example.com:443/a?b=1 HTTP/1.1" "curl/7.46.0 \\"x\\"" ECDHE TLSv1.2 '
        'arn:aws:x "Root=1-58337281" "www.example.com" "-" 1 2013-02-28T11:59:59.000000Z "forward" "-" "-" '
        '"10.0.0.1:80" "200" "-" "-"'
    )
    at, record = one("alb", alb)
    assert at == FEB_28_NS + 250_000_000
    assert (record["client"], record["client_port"], record["target_port"]) == ("192.168.131.39", 2817, 80)
    assert (record["method"], record["url"], record["elb_status_code"]) == (
        "GET",
        "https://www.example.com:443/a?b=1",
        200,
    )
    assert record["user_agent"] == 'curl/7.46.0 "x"'
    cloudfront = "\t".join(
        ["2013-02-28", "12:00:00", "LAX1", "2390", "192.0.2.100", "GET", "d1.cloudfront.net", "/i.html", "200", "-",
         "Mozilla/5.0%20(X11)", "-", "-", "Hit"]
    )  # fmt: skip
    at, record = one("cloudfront", cloudfront)
    assert at == FEB_28_NS
    assert (record["sc_bytes"], record["cs_user_agent"], record["cs_host"]) == (
        2390,
        "Mozilla/5.0 (X11)",
        "d1.cloudfront.net",
    )
    assert parser("cloudfront").parse("#Version: 1.0") == []


def test_msgpack_maps_one_behind_another() -> None:
    data = msgspec.msgpack.encode({"a": b"x"}) + msgspec.msgpack.encode([{"b": 1}, {"c": [2]}])
    assert parser("msgpack").parse_bytes(data) == [(None, {"a": "x"}), (None, {"b": 1}), (None, {"c": [2]})]
    for broken in (data[:-1], b"\xc1", b"\x01", b"\xdd\xff\xff\xff\xff", b"\x91" * 10_000):
        with pytest.raises(ParseError):
            parser("msgpack").parse_bytes(broken)


def test_grok() -> None:
    line = '10.0.0.1 - bob [28/Feb/2013:12:00:00 +0000] "GET /a?x=1 HTTP/1.1" 200 17 "-" "curl"'
    _, record = one("grok", line, grok_pattern="%{COMBINEDAPACHELOG}")
    assert (record["clientip"], record["verb"], record["request"], record["response"]) == (
        "10.0.0.1",
        "GET",
        "/a?x=1",
        "200",
    )
    typed = one(
        "grok", "took 17 ms", grok_pattern="took %{NUMBER:took:integer} %{MINE:unit}", patterns='{"MINE":"m?s"}'
    )
    assert typed == (None, {"took": 17, "unit": "ms"})


def test_grok_tries_its_patterns_in_order() -> None:
    groks = (
        section("grok", {"name": "ip", "pattern": "^%{IP:ip}$"}),
        section("grok", {"name": "word", "pattern": "^%{WORD:word}$"}),
    )
    read = parser("grok", *groks, grok_name_key="by", grok_failure_key="failed")
    assert read.parse("10.0.0.1") == [(None, {"ip": "10.0.0.1", "by": "ip"})]
    assert read.parse("hello") == [(None, {"word": "hello", "by": "word"})]
    assert read.parse("?")[0][1]["message"] == "?"


@pytest.mark.parametrize(
    ("pattern", "word"), [("%{NUMBR:x}", "did you mean 'NUMBER'?"), ("%{LOOP:x}", "contains itself"), ("(", "")]
)
def test_grok_patterns_that_cannot_be_used(pattern: str, word: str) -> None:
    found, problems = read_parser("grok", grok_pattern=pattern, patterns='{"LOOP":"%{LOOP}"}')
    assert found is None
    assert word in str(problems[0])


def test_every_grok_pattern_is_one() -> None:
    from eldonia_ops.pipeline.parsers.grok import expand
    from eldonia_ops.pipeline.parsers.grok_patterns import PATTERNS
    from eldonia_ops.pipeline.ruby_regexp import RubyRegexp

    for name in PATTERNS:
        RubyRegexp(expand(f"%{{{name}:x}}", PATTERNS)[0])


def test_multiline() -> None:
    read = parser(
        "multiline",
        format_firstline=r"/^\d{4}-/",
        format1=r"/^(?<time>\d{4}-\d\d-\d\d) (?<level>\w+) /",
        format2="/(?<message>.*)/",
        time_format="%Y-%m-%d",
        utc="true",
    )
    assert read.multi_line
    assert read.begins("2013-02-28 ERROR x")
    assert not read.begins("\tat y")
    assert read.parse("2013-02-28 ERROR x\n\tat y") == [
        (FEB_28_NS - 12 * 3_600 * NS, {"level": "ERROR", "message": "x\n\tat y"})
    ]


def test_formats_of_multiline_have_no_gap() -> None:
    found, problems = read_parser("multiline", format1="/(?<a>.)/", format3="/x/")
    assert found is None
    assert "without a gap" in str(problems[0])
    found, problems = read_parser("multiline", format1="(?<a>.)")
    assert found is None
    assert "between slashes" in str(problems[0])


def test_the_first_of_several_formats_counts() -> None:
    json, plain = section("pattern", {"format": "json"}), section("pattern", {"@type": "none"})
    code = section("pattern", {"format": r"/^(?<code>\d+)$/"})
    several = parser("multi_format", json, code, plain)
    assert several.parse('{"a":1}') == [(None, {"a": 1})]
    assert several.parse("42") == [(None, {"code": "42"})]
    assert several.parse("a line") == [(None, {"message": "a line"})]
    with pytest.raises(ParseError, match="no format fits: json, regexp"):
        parser("multi_format", json, code).parse("a line")


def test_formats_that_cannot_be_one_of_several() -> None:
    _, problems = read_parser("multi_format")
    assert problems[0].message == "multi_format needs <pattern> sections"
    _, problems = read_parser("multi_format", section("pattern", {"format": "sjon"}))
    assert problems[0].message == "there is no parser of type 'sjon'"
    lines = {"@type": "multiline", "format_firstline": "/^a/", "format1": "/(?<a>.*)/"}
    _, problems = read_parser("multi_format", section("pattern", lines))
    assert problems[0].message == "multiline reads several lines at once: it cannot be one of several formats"
