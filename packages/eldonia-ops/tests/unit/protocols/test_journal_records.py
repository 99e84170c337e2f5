"""Entries of a journal are the records that journald's JSON gives."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.model.logs import LogLevel
from eldonia_ops.protocols.journal_records import journal_records
from eldonia_ops.protocols.logs.lines import parse_line

ENTRY: dict[str, Any] = {
    "__CURSOR": "s=1;i=2",
    "__REALTIME_TIMESTAMP": "1795910400123456",
    "__MONOTONIC_TIMESTAMP": "77",
    "PRIORITY": "3",
    "_HOSTNAME": "web1",
    "SYSLOG_IDENTIFIER": "myapp",
    "_PID": "99",
    "MESSAGE": "cannot open database",
}


def test_fields_of_an_entry() -> None:
    (found,) = journal_records([ENTRY], 5, "journal")
    assert (found.message, found.level, found.service, found.hostname) == (
        "cannot open database",
        LogLevel.ERROR,
        "myapp",
        "web1",
    )
    assert (found.timestamp_ns, found.source) == (1_795_910_400_123_456_000, "journal")
    assert found.metadata == {"_PID": "99"}


def test_the_same_entry_in_json_is_the_same_record() -> None:
    (found,) = journal_records([ENTRY], 5, "")
    other = parse_line(json.dumps(ENTRY).encode(), 5)
    assert (found.message, found.level, found.service, found.timestamp_ns) == (
        other.message,
        other.level,
        other.service,
        other.timestamp_ns,
    )


def test_a_unit_is_the_service_where_there_is_no_identifier_and_json_is_read() -> None:
    entry = {**ENTRY, "MESSAGE": '{"level":"warn","msg":"slow","n":1}', "_SYSTEMD_UNIT": "shop.service"}
    del entry["SYSLOG_IDENTIFIER"]
    (found,) = journal_records([entry], 5, "journal")
    assert (found.message, found.level, found.service, found.metadata["n"]) == ("slow", LogLevel.WARN, "shop", 1)


def test_a_message_that_came_twice() -> None:
    (found,) = journal_records([{**ENTRY, "MESSAGE": ["a", "b"]}], 5, "journal")
    assert found.message == "a\nb"


@given(
    st.dictionaries(
        st.sampled_from([*ENTRY, "OTHER"]), st.text(max_size=20) | st.lists(st.text(max_size=5), max_size=3)
    )
)
def test_any_entry_is_a_record(entry: dict[str, Any]) -> None:
    (found,) = journal_records([entry], 5, "journal")
    assert found.timestamp_ns >= 0
