"""Lines are joined from pieces; these must be the same, whichever way a value took."""

import datetime
import json
import math
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eldonia_telemetry import record_encoder, records, redact
from eldonia_telemetry.records import ErrorDetail, Performance

SECRETS = st.sampled_from(
    [
        "password=hunter2",
        "Authorization: Bearer abc123def456",
        "basic dXNlcjpwYXNz",
        "postgresql://shop:geheim@db/shop",
        "card 4111 1111 1111 1111 declined",
        "4111-1111-1111-1111",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "token=abc",
        "mail sato@example.com or call 03-1234-5678",
    ]
)
TEXTS = st.text() | SECRETS | st.builds("{} {}".format, st.text(), SECRETS) | st.text("0123456789 -", min_size=10)
NAMES = st.text(max_size=8) | st.sampled_from(["password", "api_key", "orderId", "token", "tokens_used", "\ud800"])
NUMBERS = st.integers() | st.floats() | st.sampled_from([4111111111111111, 10**12, 2**63, -(2**63) - 1, 2**64])
LEAVES = (
    st.none()
    | st.booleans()
    | NUMBERS
    | TEXTS
    | st.binary(max_size=20)
    | st.builds(uuid.uuid4)
    | st.datetimes(timezones=st.just(datetime.UTC))
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=5) | st.tuples(inner) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def read(content: bytes):
    return json.loads(b"{" + content[1:] + b"}")


@pytest.fixture(autouse=True)
def _defaults():
    yield
    redact.configure()


@pytest.mark.parametrize("more", [{}, {"emails": True}, {"phones": True}, {"fields": ["orderId"]}])
@pytest.mark.parametrize("hide", [True, False])
@given(message=TEXTS, metadata=st.none() | st.dictionaries(NAMES, VALUES, max_size=5))
@example(message="paid", metadata={"n": [1] * 150})
@example(message="paid", metadata={"n": list(range(1000))})
@example(message="x" * 20_000, metadata={"n": "y" * 20_000})
@example(message="paid", metadata={"items": [b"raw"]})
def test_the_quick_way_says_what_the_careful_way_says(more, hide, message, metadata):
    redact.configure(**more)
    assert read(record_encoder.content(message, metadata, hide)) == read(
        record_encoder._careful(message, metadata, hide)
    )


@given(text=TEXTS)
def test_what_may_not_hide_anything_is_left_alone_by_redaction(text):
    piece = b',"message":' + record_encoder.encode(text)
    if not redact.may_hide(piece, 1):
        assert redact.redact_text(text) == text


def test_pieces_make_a_record_in_the_order_of_the_seed():
    line = b"".join(
        [
            record_encoder.opening(1_700_000_000_042_999_999),
            record_encoder.Origins()(30, "shop", "orders", "POST /orders"),
            record_encoder.who("u1", None, "r1", "203.0.113.9", "curl/8", hide=True),
            record_encoder.content("paid", {"total": 3800}, True),
            record_encoder.error(ErrorDetail("E", "no\ud800")),
            record_encoder.performance(Performance(1.5)),
            record_encoder.trace("a" * 32, "b" * 16),
            record_encoder.closing("production"),
        ]
    )
    assert line.endswith(b"}\n")
    entry = records.decode(line)
    assert entry.timestamp == "2023-11-14T22:13:20.042Z"
    assert (entry.level, entry.service, entry.component, entry.operation) == ("warn", "shop", "orders", "POST /orders")
    assert (entry.user_id, entry.session_id, entry.request_id, entry.ip_address) == ("u1", None, "r1", "203.0.113.9")
    assert entry.error == ErrorDetail("E", "no?")
    assert entry.performance == Performance(1.5)
    assert (entry.metadata, entry.environment) == ({"total": 3800}, "production")
    names = list(json.loads(line))
    order = ["timestamp", "level", "service", "component", "operation", "userId", "requestId", "ipAddress"]
    assert names == [
        *order,
        "userAgent",
        "message",
        "metadata",
        "error",
        "performance",
        "traceId",
        "spanId",
        "environment",
    ]


@given(at=st.lists(st.integers(0, 4 * 10**18), min_size=1, max_size=20))
def test_instants_in_any_order(at):
    for at_ns in at:
        written = records.decode(
            record_encoder.opening(at_ns) + record_encoder.Origins()(20, "", "", "") + b',"message":""}'
        ).timestamp
        then = datetime.datetime.fromisoformat(written)
        assert math.floor(at_ns / 10**6) - 1 <= round(then.timestamp() * 1000) <= at_ns // 10**6


def test_origins_are_kept_in_bounds_and_take_any_operation():
    origins = record_encoder.Origins()
    for number in range(record_encoder.MAX_PIECES + 10):
        origins(20, "shop", "orders", f"op {number}")
    origins(20, "shop", "orders", "x" * 1000)
    assert len(origins._known) == record_encoder.MAX_PIECES
    assert b'"operation":"[1]"' in origins(20, "shop", "orders", [1])  # type: ignore[arg-type]
