"""RFC 3164 and 5424, by the results of Fluentd's own parser."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipeline_sections import parser

from eldonia_ops.pipeline.parsers import ParseError

NS = 1_000_000_000
NOW_NS = 1_796_083_200 * NS  # 2026-12-01
FEB_28_NS = 1_772_280_000 * NS


def test_rfc3164() -> None:
    read = parser("syslog", utc="true")
    assert read.parse("Feb 28 12:00:00 192.168.0.1 fluentd[11111]: [error] Syslog test", NOW_NS) == [
        (FEB_28_NS, {"host": "192.168.0.1", "ident": "fluentd", "pid": "11111", "message": "[error] Syslog test"})
    ]
    assert read.parse("Feb  8 12:00:00 host kernel:   x", NOW_NS)[0][1] == {
        "host": "host",
        "ident": "kernel",
        "message": "x",
    }


def test_without_now_a_time_without_a_year_is_left_to_the_caller() -> None:
    assert parser("syslog", utc="true").parse("Feb 28 12:00:00 h a: x")[0][0] is None


def test_priority() -> None:
    read = parser("syslog", with_priority="true", utc="true", keep_time_key="true")
    assert read.parse("<6>Feb 28 12:00:00 h a: x", NOW_NS) == [
        (FEB_28_NS, {"pri": 6, "host": "h", "ident": "a", "message": "x", "time": "Feb 28 12:00:00"})
    ]
    with pytest.raises(ParseError, match="priority"):
        read.parse("Feb 28 12:00:00 h a: x")


def test_rfc5424_and_auto() -> None:
    line = '<16>1 2017-02-06T13:14:15.003Z 192.168.0.1 app 24224 ID [a@1 iut="3"][b y="\\]"] Hi\nthere'
    expected = {
        "pri": 16,
        "host": "192.168.0.1",
        "ident": "app",
        "pid": "24224",
        "msgid": "ID",
        "extradata": '[a@1 iut="3"][b y="\\]"]',
        "message": "Hi\nthere",
    }
    for form in ("rfc5424", "auto"):
        read = parser("syslog", message_format=form, with_priority="true", utc="true")
        assert read.parse(line) == [(1_486_386_855_003_000_000, expected)]
    assert read.parse("<6>Feb 28 12:00:00 h a: x", NOW_NS)[0][1]["pri"] == 6


@pytest.mark.parametrize(
    "line", ["", "x", "Feb", "Feb 28 12:00:00", "Feb 28 12:00:00 h", "Feb 30 12:00:00 h a: x", "Foo 1 2 3"]
)
def test_lines_that_are_no_syslog(line: str) -> None:
    with pytest.raises(ParseError):
        parser("syslog").parse(line, NOW_NS)


@given(st.text(max_size=60), st.sampled_from(["rfc3164", "rfc5424", "auto"]), st.sampled_from(["", "<6>", "<6>1 "]))
def test_any_text_is_read_or_refused(text: str, form: str, before: str) -> None:
    read = parser("syslog", message_format=form, with_priority="true" if before else "false")
    with contextlib.suppress(ParseError):
        read.parse(before + "Feb 28 12:00:00 " + text, NOW_NS)
