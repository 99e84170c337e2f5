"""A syslog message whose text is a JSON object, as winston-syslog, rsyslog's templates and ``@cee:`` have it."""

from typing import Any

import pytest

from eldonia_ops.model.timestamps import parse_timestamp
from eldonia_ops.protocols.logs.lines import LineFormat, parse_line

NOW = 1_796_111_143_865_000_000
NEW = "<12>1 2026-12-01T07:46:00.103Z web-1 shop 16973 - - "
OLD = "<11>Dec  1 07:46:00 web-1 shop[12]: "


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param(
            NEW + '{"level":"warning","message":"付 1","n":1}',
            {"message": "付 1", "level": "warn", "service": "shop", "hostname": "web-1", "n": 1, "procId": "16973"},
            id="winston-syslog",
        ),
        pytest.param(
            OLD + '@cee: {"msg":"m","n":1}',
            {"message": "m", "level": "error", "service": "shop", "hostname": "web-1", "n": 1, "procId": "12"},
            id="a cookie, and the level of the priority",
        ),
        pytest.param(
            NEW + '{"msg":"m","level":50,"service":"inner","hostname":"pod-1"}',
            {"message": "m", "level": "error", "service": "inner", "hostname": "pod-1", "procId": "16973"},
            id="what the object says comes first",
        ),
        pytest.param(
            NEW + '{"a":1}',
            {"message": '{"a":1}', "level": "warn", "service": "shop", "a": 1},
            id="without a message",
        ),
        pytest.param(OLD + "{broken", {"message": "{broken", "level": "error"}, id="no JSON"),
        pytest.param(OLD + "{}", {"message": "{}", "level": "error"}, id="an empty object"),
        pytest.param(OLD + '[{"a":1}]', {"message": '[{"a":1}]', "level": "error"}, id="a list"),
        pytest.param(OLD + "@cee: text", {"message": "@cee: text", "level": "error"}, id="a cookie alone"),
    ],
)
def test_the_object_is_the_record(line: str, expected: dict[str, Any]) -> None:
    record = parse_line(line.encode(), NOW, format=LineFormat.AUTO)
    assert not record.parse_error
    fields = {"message", "level", "service", "hostname"}
    assert expected == {name: getattr(record, name) if name in fields else record.metadata[name] for name in expected}


def test_the_time_of_the_object_counts_before_that_of_syslog() -> None:
    own = parse_line((NEW + '{"msg":"m","time":"2026-11-30T00:00:00Z"}').encode(), NOW, format=LineFormat.AUTO)
    assert own.timestamp_ns == parse_timestamp("2026-11-30T00:00:00Z")
    other = parse_line((NEW + '{"msg":"m"}').encode(), NOW, format=LineFormat.AUTO)
    assert other.timestamp_ns == parse_timestamp("2026-12-01T07:46:00.103Z")
