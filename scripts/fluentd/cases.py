# ruff: noqa: E501
"""Texts that Fluentd's parsers and ours read in the comparison: ``(type, parameters, texts)``."""

from typing import Any

NGINX = [
    '127.0.0.1 192.168.0.1 - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 777 "-" "Opera/12.0"',
    '127.0.0.1 - alice [28/Feb/2013:12:00:00 -0330] "POST /a b/c?x=1 HTTP/2.0" 404 0 "http://x/" "UA with (parts)" "10.0.0.1, 10.0.0.2"',
    '127.0.0.1 - - [28/Feb/2013:12:00:00 +0000] "GET / HTTP/1.1" 200 777 "-" "Opera/12.0" -',
    '127.0.0.1 - - [28/Feb/2013:12:00:00 +0000] "GET" 400 0',
    '127.0.0.1 - - [28/Feb/2013:12:00:00 +0000] "\\x16\\x03\\x01" 400 166 "-" "-"',
    '127.0.0.1 - - [28/Foo/2013:12:00:00 +0000] "GET / HTTP/1.1" 200 7 "-" "-"',
    "nothing of the kind",
    "",
]
APACHE = [
    '192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET / HTTP/1.1" 200 777',
    '192.168.0.1 - bob [28/Feb/2013:12:00:00 +0900] "GET /index.html?a=b HTTP/1.1" 304 - "http://r/" "Mozilla/5.0 (X11)"',
    '192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET / \\"q\\" HTTP/1.1" 200 777 "-" "a \\"quoted\\" agent"',
    '- - - [28/Feb/2013:12:00:00 +0900] "-" 408 - "-" "-"',
    '192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] "GET /white space HTTP/1.1" 200 777',
    "garbage",
]
SYSLOG_3164 = [
    "Feb 28 12:00:00 192.168.0.1 fluentd[11111]: [error] Syslog test",
    "Feb  8 12:00:00 host app: text: with colons",
    "Feb 28 12:00:00 host app text without colon",
    "Feb 28 12:00:00 host app[1] text",
    "Feb 28 12:00:00 host kernel:    indented text",
    "Feb 28 12:00:00 host -: x",
    "Feb 28 12:00:00 host",
    "Feb 28",
    "Feb 30 12:00:00 host app: no such day",
    "no time at all in this line",
    "Feb 28 12:00:00 host app: trailing newline\n",
]
SYSLOG_5424 = [
    "2017-02-06T13:14:15.003Z 192.168.0.1 fluentd - - - Hi, from Fluentd!",
    '2017-02-06T13:14:15.003+09:00 host app 24224 ID24224 [exampleSDID@20224 iut="3" eventSource="A"] Hi!',
    '2017-02-06T13:14:15.003Z host app 1 m [a x="1"][b y="2"] two elements',
    "2017-02-06T13:14:15Z host app 1 m - whole second",
    "2017-02-06T13:14:15.123456Z host app 1 m - ",
    "2017-02-06T13:14:15.123456Z host app 1 m -",
    '2017-02-06T13:14:15.003Z host app 1 m [a x="\\]"] escaped bracket',
    "2017-02-06T13:14:15.003Z host app 1 - multi\nline",
    "2017-02-06T13:14:15.003Z host app 1 m - multi\nline",
    "not a message",
]
JSON = [
    '{"time":1362020400,"host":"192.168.0.1","size":777,"method":"PUT"}',
    '{"time":1362020400.25,"a":null,"b":[1,2],"c":{"d":true}}',
    '{"time":"1362020400.123456789","a":1}',
    '{"a":"\\u3042\\ud83d\\ude00"}',
    '[{"time":1,"a":1},{"a":2}]',
    "[]",
    "{}",
    '{"a":1} ',
    '{"a":1,"a":2}',
    '{"a":12345678901234567890123}',
    '{"a":1.5e300}',
    "3",
    '"text"',
    "{broken",
    "",
]
CASES: list[tuple[str, dict[str, str], list[str]]] = [
    ("nginx", {}, NGINX),
    ("nginx", {"keep_time_key": "true", "types": "code:integer,size:integer"}, NGINX),
    ("apache", {}, APACHE),
    ("apache2", {}, APACHE),
    ("apache2", {"keep_time_key": "true"}, APACHE),
    (
        "apache_error",
        {},
        [
            "[Wed Oct 11 14:32:52 2000] [error] [client 127.0.0.1] client denied by server configuration",
            "[Wed Oct 11 14:32:52 2000] [notice] httpd (no pid file) not running",
            "[Wed Oct 11 14:32:52 2000] [core:error] [pid 12:tid 34] [client 10.0.0.1:5] text [x]",
            "[x] [y]",
            "no",
        ],
    ),
    ("syslog", {"timezone": "+00:00"}, SYSLOG_3164),
    ("syslog", {"timezone": "+09:00", "keep_time_key": "true"}, SYSLOG_3164),
    ("syslog", {"with_priority": "true"}, ["<6>" + line for line in SYSLOG_3164] + ["<x>y", "no pri"]),
    ("syslog", {"message_format": "rfc5424"}, SYSLOG_5424),
    ("syslog", {"message_format": "rfc5424", "with_priority": "true"}, ["<16>1 " + line for line in SYSLOG_5424]),
    (
        "syslog",
        {"message_format": "auto", "with_priority": "true"},
        ["<16>1 " + line for line in SYSLOG_5424] + ["<6>" + line for line in SYSLOG_3164],
    ),
    ("json", {}, JSON),
    ("json", {"keep_time_key": "true"}, JSON),
    ("json", {"time_key": "ts", "time_format": "%Y-%m-%dT%H:%M:%S.%LZ", "timezone": "+00:00"}, [
        '{"ts":"2026-11-28T00:00:00.008Z","m":"x"}', '{"ts":"2026-11-28T00:00:00Z","m":"x"}', '{"ts":5}', '{"m":1}',
        '{"ts":"2026-11-28T00:00:00.123456789Z"}', '{"ts":"2026-02-30T00:00:00.1Z"}', '{"ts":"2026-11-28T25:00:00.1Z"}',
    ]),
    ("json", {"types": "a:integer,b:float,c:bool,d:array,e:string,f:time:%Y-%m-%d,g:array:|"}, [
        '{"a":"12abc","b":"1.5x","c":"Yes","d":"1,2,,","e":5,"g":"x|y"}', '{"a":"","b":"","c":"","d":"","e":""}',
        '{"a":null,"b":null,"c":null}', '{"a":1.9,"b":2,"c":true,"d":"x","e":true}', '{"a":"-7","b":"-1e3","c":"no"}',
        '{"a":" 12","b":" 1.5","c":"1"}', '{"c":false,"a":true}', '{"f":"nothing"}', '{"a":"1_000"}',
    ]),
    ("json", {"null_value_pattern": "/^(-|null)$/", "null_empty_string": "true"}, [
        '{"a":"-","b":"","c":"x-","d":"null","e":0,"f":"nullx"}',
    ]),
    ("json", {"time_type": "unixtime"}, ['{"time":1362020400.9}', '{"time":"1362020400"}', '{"time":"1362020400.9"}']),
    ("json", {"time_type": "mixed", "time_format": "%Y-%m-%d %H:%M:%S %z", "time_format_fallbacks": "unixtime,%iso8601"}, [
        '{"time":"2021-01-01 00:00:00 +0000"}', '{"time":"1609459200"}', '{"time":1609459200}',
        '{"time":"2021-01-01T00:00:00Z"}', '{"time":"2021-01-01T00:00:00.25+09:00"}', '{"time":"never"}',
    ]),
    ("regexp", {"expression": r"/^(?<host>[^ ]*) [^ ]* (?<user>[^ ]*) \[(?<time>[^\]]*)\] \[(?<date>[^\]]*)\] (?<flag>\S*)/",
                "time_format": "%d/%b/%Y:%H:%M:%S %z", "types": "flag:bool"}, [
        "192.168.0.1 - - [28/Feb/2013:12:00:00 +0900] [14/Feb/2013:12:00:00 +0900] true", "no",
    ]),
    ("regexp", {"expression": r"/(?<a>\d+)(?:-(?<b>\d+))?/"}, ["12-34", "12", "x12y", "none", "1\n2"]),
    ("regexp", {"expression": r"/^(?<m>.+)$/m"}, ["one\ntwo", ""]),
    ("regexp", {"expression": r"/^(?<m>.+)$/"}, ["one\ntwo", ""]),
    ("regexp", {"expression": r"/^(?<m>X.*)$/i"}, ["xyz", "one\nxtwo"]),
    ("csv", {"keys": "time,a,b,c", "time_format": "%Y-%m-%d"}, [
        "2013-02-28,x,y,z", '2013-02-28,"x,1","y ""q""",', "2013-02-28,x", '2013-02-28,"",,z', '2013-02-28,"open',
        '2013-02-28,a"b,c', "2013-02-28,a,b,c,d,e", "",
    ]),
    ("csv", {"keys": "a,b", "delimiter": ";"}, ["1;2", "1;", ";", "1"]),
    ("tsv", {"keys": "a,b,c"}, ["1\t2\t3", "1\t2", "1\t2\t3\t4", "", "1\t\t3", "\t\t"]),
    ("ltsv", {}, [
        "time:28/Feb/2013:12:00:00 +0900\thost:192.168.0.1\treq_id:111", "a:1\tb\tc:", "a:x:y", "", "\t\ta:1",
    ]),
    ("ltsv", {"delimiter": ",", "label_delimiter": "="}, ["a=1,b=2", "a=1,,b=2"]),
    ("none", {}, ["text", ""]),
    ("none", {"message_key": "log"}, ["text"]),
    ("multiline", {"format1": r"/^(?<time>\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}) \[(?<thread>.*)\] (?<level>[^\s]+)(?<message>.*)/"}, [
        "2013-3-03 14:27:33 [main] INFO  Main - Start", "2013-3-03 14:27:33 [main] ERROR Main - E\n\tat x\n\tat y", "no",
    ]),
    ("multiline", {"format1": "/^a=(?<a>\\d+)\\n/", "format2": "/^b=(?<b>\\d+)\\n?/"}, ["a=1\nb=2", "a=1\nb=2\na=3\nb=4", "a=1"]),
]  # fmt: skip

TIMES: list[tuple[str, list[str]]] = [
    ("%Y-%m-%dT%H:%M:%S.%N%z", ["2013-02-28T12:00:00.123456789+0900", "2013-02-28T12:00:00.5+09:00", "2013-02-28T12:00:00.5Z"]),
    ("%Y-%m-%d %H:%M:%S %z", ["2013-02-28 12:00:00 +0900", "2013-02-28 12:00:00 UTC", "2013-02-28 12:00:00 JST", "2013-2-8 1:2:3 +09"]),
    ("%d/%b/%Y:%H:%M:%S %z", ["28/Feb/2013:12:00:00 +0900", "28/February/2013:12:00:00 +0900", "28/feb/2013:12:00:00 -0330"]),
    ("%s", ["1362020400", "-1", "x"]),
    ("%s.%L", ["1362020400.5", "1362020400.123"]),
    ("%Y%m%d%H%M%S", ["20130228120000"]),
    ("%b %e %H:%M:%S %Y", ["Feb 28 12:00:00 2013", "Feb  8 12:00:00 2013", "Feb 8 12:00:00 2013"]),
    ("%a %b %d %H:%M:%S.%N %Y", ["Thu Feb 28 12:00:00.123456 2013"]),
    ("%A, %d %B %Y %I:%M:%S %p", ["Thursday, 28 February 2013 12:00:00 AM", "Thursday, 28 February 2013 01:05:06 PM"]),
    ("%Y-%j", ["2013-059"]),
    ("%F %T", ["2013-02-28 12:00:00"]),
    ("%Y-%m-%d %H:%M:%S,%L", ["2013-02-28 12:00:00,123", "2013-02-28 12:00:00.123"]),
    ("%Y-%m-%d %H:%M:%S", ["2013-02-28 12:00:00", "2013-02-28 12:00:00 trailing", "2013-02-28  12:00:00", "2013-02-28T12:00:00"]),
    ("%Y-%m-%d %H:%M:%S %Z", ["2013-02-28 12:00:00 EST", "2013-02-28 12:00:00 PDT"]),
    ("%D %R", ["02/28/13 12:00"]),
    ("%y%m%d %k:%M", ["130228  9:05", "680101 10:00", "690101 10:00"]),
    ("%iso8601", ["2013-02-28T12:00:00Z", "2013-02-28T12:00:00.25+09:00", "2013-02-28 12:00:00Z", "2013-02-28T12:00:00"]),
    ("%Y-%m-%dT%H:%M:%S.%3N", ["2013-02-28T12:00:00.123", "2013-02-28T12:00:00.123456"]),
    ("%Y-%m-%dT%H:%M:%S.%6N%:z", ["2013-02-28T12:00:00.123456+09:00"]),
]  # fmt: skip


def all_cases() -> list[dict[str, Any]]:
    """The cases as the script in Ruby reads them."""
    found = [{"type": kind, "config": config, "lines": lines} for kind, config, lines in CASES]
    for format, texts in TIMES:
        for zone in ({}, {"timezone": "+00:00"}, {"timezone": "-03:30"}, {"timezone": "Asia/Tokyo"}, {"utc": "true"}):
            config = {"keys": "time,x", "time_key": "time", "time_format": format, **zone}
            found.append({"type": "tsv", "config": config, "lines": texts})
    return found
