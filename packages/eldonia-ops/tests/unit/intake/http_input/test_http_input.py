"""Bodies of all forms become events with the tag of their path."""

import gzip
import json
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_platform import NOW, ListPlatform, posted

from eldonia_ops.intake import Fault, IntakeAnswer, IntakeError, UnsupportedError
from eldonia_ops.intake.http_input import INTAKE
from eldonia_ops.intake.http_input.decode import decode_events

EVENT = {"message": "order placed", "level": "warn", "n": 1}
pack = msgspec.msgpack.encode
JSON = "application/json"


async def send(
    platform: ListPlatform, path: str, body: bytes, query: dict[str, str] | None = None, **headers: str
) -> IntakeAnswer:
    return await INTAKE.routes[0].accept(platform, posted(path, body, query, **headers))


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (json.dumps(EVENT).encode(), JSON),
        (json.dumps([EVENT]).encode(), "application/json; charset=utf-8"),
        (json.dumps(EVENT).encode(), "application/vnd.api+json"),
        (json.dumps(EVENT).encode(), ""),
        (json.dumps(EVENT).encode() + b"\n\n", "application/x-ndjson"),
        (pack(EVENT), "application/msgpack"),
        (pack([EVENT]), "application/x-msgpack"),
        (urlencode({"json": json.dumps(EVENT)}).encode(), "application/x-www-form-urlencoded"),
        (urlencode({"msgpack": pack(EVENT)}).encode(), "application/x-www-form-urlencoded"),
        (urlencode({"ndjson": json.dumps(EVENT)}).encode(), "application/x-www-form-urlencoded"),
    ],
)
async def test_a_body_of_any_form(body: bytes, media: str) -> None:
    platform = ListPlatform()
    answer = await send(platform, "/shop/orders", body, content_type=media)
    assert (answer.status, answer.body) == (200, b"")
    (found,) = platform.logs.records
    assert (found.tag, found.message, found.metadata, found.timestamp_ns) == (
        "shop.orders",
        "order placed",
        {"n": 1},
        NOW,
    )
    assert found.source == "http_input shop (192.0.2.7)"


async def test_many_events_and_a_packed_body() -> None:
    platform = ListPlatform()
    body = gzip.compress(json.dumps([{**EVENT, "message": str(n)} for n in range(20)]).encode())
    assert (await send(platform, "/t", body, content_type=JSON, content_encoding="gzip")).status == 200
    assert platform.messages == [str(n) for n in range(20)]


async def test_the_parameter_time_counts() -> None:
    platform = ListPlatform()
    await send(platform, "/t", json.dumps(EVENT).encode(), {"time": "1700000000.25"}, content_type=JSON)
    assert platform.logs.records[0].timestamp_ns == 1_700_000_000_250_000_000
    for wrong in ("x", "-1", "nan", "1e300", "9" * 99):
        with pytest.raises(IntakeError, match="time"):
            await send(platform, "/t", b"{}", {"time": wrong}, content_type=JSON)


@pytest.mark.parametrize(
    ("path", "tag"), [("/app.log", "app.log"), ("/a//b/", "a.b"), ("/%E6%B3%A8%E6%96%87", "注文"), ("/a%2Fb", "a.b")]
)
async def test_the_path_is_the_tag(path: str, tag: str) -> None:
    platform = ListPlatform()
    await send(platform, path, b"{}", content_type=JSON)
    assert platform.logs.records[0].tag == tag


async def test_without_a_tag_there_is_an_error_in_fluentds_form() -> None:
    with pytest.raises(IntakeError, match="/TAG"):
        await send(ListPlatform(), "/", b"{}", content_type=JSON)
    answer = INTAKE.fault({}, Fault(400, "the path is the tag"))
    assert (answer.status, answer.body) == (400, b"400 Bad Request\nthe path is the tag\n")
    assert answer.media_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"", JSON),
        (b"1", JSON),
        (b"[1]", JSON),
        (b"{", JSON),
        (b"[" * 200, JSON),
        (b"[" * 100_000, JSON),
        (b"{}\nx\n", "application/x-ndjson"),
        (b"\x92\x80", "application/msgpack"),
        (b"\x80\x80", "application/msgpack"),
        (b"\xdd\xff\xff\xff\xff", "application/msgpack"),
        (b"\x91" * 2_000 + b"\xc0", "application/msgpack"),
        (b"\x81\xa1a\xa1\xff", "application/msgpack"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=b" for _ in range(100)), "application/x-www-form-urlencoded"),
    ],
)
def test_what_is_not_what_it_says_is_refused(body: bytes, media: str) -> None:
    with pytest.raises(IntakeError):
        decode_events(media, body)


@pytest.mark.parametrize("media", ["text/plain", "multipart/mixed; boundary=x", ""])
def test_other_formats_are_named(media: str) -> None:
    with pytest.raises(UnsupportedError, match="send application/json"):
        decode_events(media, b"hello")


async def test_when_all_events_are_refused_the_sender_hears_it() -> None:
    platform = ListPlatform()
    answer = await send(platform, "/t", b'[{"message":"old"}]', content_type=JSON)
    assert (answer.status, answer.body) == (400, b"400 Bad Request\ntoo old\n")
    assert (await send(platform, "/t", b'[{"message":"old"},{"message":"m"}]', content_type=JSON)).status == 200
    assert platform.counted == {"too old": 2}


@given(
    st.binary(max_size=100),
    st.sampled_from([JSON, "application/x-ndjson", "application/msgpack", "application/x-www-form-urlencoded"]),
)
def test_any_bytes_are_events_or_are_refused(body: bytes, media: str) -> None:
    try:
        found: list[dict[str, Any]] = decode_events(media, body)
    except IntakeError:
        return
    assert all(isinstance(key, str) for one in found for key in one)


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"\x91\x81\xa1a\xdd" + (3_000_000).to_bytes(4, "big") + b"\x80" * 3_000_000, "application/msgpack"),
        (b'[{"a":[' + b"{}," * 1_100_000 + b"1]}]", JSON),
        ((b'{"a":[' + b"{}," * 300_000 + b"1]}\n") * 4, "application/x-ndjson"),
    ],
    ids=["msgpack", "json", "ndjson"],
)
def test_a_body_in_which_each_byte_is_a_value_is_refused_before_it_is_built(body: bytes, media: str) -> None:
    with pytest.raises(IntakeError, match="values"):
        decode_events(media, body)


async def test_a_request_with_a_key_is_known_again() -> None:
    platform = ListPlatform()
    for key in ("one", "one", "two", ""):
        await send(platform, "/t", json.dumps(EVENT).encode(), content_type=JSON, **{"idempotency_key": key})
    assert platform.logs.keys == ["http_input shop (192.0.2.7) one", "http_input shop (192.0.2.7) two", ""]
