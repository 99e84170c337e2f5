"""What is read of a remote write request, and what is refused of it."""

import struct
from typing import Any

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.intake import IntakeError, IntakeLimits, TooMuchError
from eldonia_ops.intake.prometheus_remote_write import decode_write
from eldonia_ops.intake.prometheus_remote_write.decode import MAX_PARTS, MAX_SAMPLES
from eldonia_ops.intake.prometheus_remote_write.messages import WriteRequest
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import ABSENT_NAN, STALE_NAN, STALE_NAN_BITS, MetricMetadata, MetricType

LIMITS = IntakeLimits()
Pairs = list[tuple[str, str]]


def bits(value: float) -> int:
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def request(*series: tuple[Pairs, list[tuple[int, float]]]) -> Any:
    message = WriteRequest()
    for pairs, samples in series:
        one = message.timeseries.add()
        for name, value in pairs:
            one.labels.add(name=name, value=value)
        for at, number in samples:
            one.samples.add(timestamp=at, value=number)
    return message


def packed(message: Any) -> bytes:
    return bytes(cramjam.snappy.compress_raw(message.SerializeToString()))


UP: Pairs = [("__name__", "up"), ("job", "node")]
LABEL_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.dictionaries(LABEL_TEXT, LABEL_TEXT, max_size=4),
            st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)), min_size=1, max_size=4),
        ),
        max_size=6,
    )
)
def test_samples_come_out_as_they_went_in(series: list[tuple[dict[str, str], list[tuple[int, float]]]]) -> None:
    given_ = [([("__name__", "m"), *labels.items()], samples) for labels, samples in series if "__name__" not in labels]
    found = decode_write(packed(request(*given_)), LIMITS)
    assert not found.refused
    assert [(one.labels, one.timestamp_ms, bits(one.value)) for one in found.samples] == [
        (Labels(pairs), at, bits(value)) for pairs, samples in given_ for at, value in samples
    ]


def test_the_stale_marker_is_kept_and_other_nans_are_only_nans() -> None:
    values = [STALE_NAN, float("nan"), ABSENT_NAN, -float("nan")]
    found = decode_write(packed(request((UP, list(enumerate(values))))), LIMITS)
    assert bits(found.samples[0].value) == STALE_NAN_BITS
    assert {bits(one.value) for one in found.samples[1:]} == {bits(float("nan"))}


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([], "no metric name"),
        ([("job", "x")], "no metric name"),
        ([("__name__", ""), ("job", "x")], "no metric name"),
        ([*UP, ("job", "other")], "label twice"),
        ([*UP, ("", "x")], "label without a name"),
        ([*UP, ("n" * 257, "x")], "name is longer than 256"),
        ([*UP, ("long", "v" * 2_049)], "value is longer than 2,048"),
        ([*UP, *((f"l{n}", "x") for n in range(63))], "more than 64 labels"),
    ],
)
def test_a_series_that_cannot_be_is_refused_and_its_neighbours_are_not(pairs: Pairs, reason: str) -> None:
    found = decode_write(packed(request((UP, [(1, 1.0)]), (pairs, [(1, 1.0), (2, 2.0)]), (UP, [(2, 2.0)]))), LIMITS)
    assert [one.timestamp_ms for one in found.samples] == [1, 2]
    assert list(found.refused.values()) == [2]
    assert reason in next(iter(found.refused))
    assert found.first.endswith(next(iter(found.refused)))
    assert len(found.first) < 700


def test_limits_come_from_the_settings() -> None:
    body = packed(request((UP, [(1, 1.0)])))
    assert len(decode_write(body, IntakeLimits(labels=2, label_value=4)).samples) == 1
    assert not decode_write(body, IntakeLimits(labels=1)).samples
    assert not decode_write(body, IntakeLimits(label_value=3)).samples


def test_labels_need_no_order_and_an_empty_value_is_no_label() -> None:
    found = decode_write(packed(request(([("z", "1"), ("a", ""), ("__name__", "up")], [(1, 1.0)]))), LIMITS)
    assert found.samples[0].labels == Labels({"__name__": "up", "z": "1"})


def test_control_characters_reach_neither_labels_nor_messages() -> None:
    found = decode_write(
        packed(request(([*UP, ("a\x00b", "c\x1bd")], [(1, 1.0)]), ([("\x1b", "x")], [(1, 1)]))), LIMITS
    )
    assert found.samples[0].labels["a\ufffdb"] == "c\ufffdd"
    assert "\x1b" not in found.first


def test_exemplars_are_counted_and_left_out() -> None:
    message = request((UP, [(1, 1.0)]))
    message.timeseries[0].exemplars.add(value=1.0, timestamp=1)
    found = decode_write(packed(message), LIMITS)
    assert (len(found.samples), found.exemplars, found.refused) == (1, 1, {})


def test_metadata_is_read_within_bounds() -> None:
    message = WriteRequest()
    for type_, name, help_ in [
        (1, "requests_total", "Requests.\x00"),
        (4, "sizes", "x" * 3_000),
        (99, "odd", ""),
        (-1, "odder", ""),
        (2, "", "of nothing"),
        (2, "n" * 513, "too long"),
        (2, "requests_total", "Again."),
    ]:
        message.metadata.add(type=type_, metric_family_name=name, help=help_, unit="s" * 100)
    found = {one.name: one for one in decode_write(packed(message), LIMITS).metadata}
    assert found["requests_total"] == MetricMetadata("requests_total", MetricType.GAUGE, "Again.", "s" * 64)
    assert (found["sizes"].type, len(found["sizes"].help)) == (MetricType.HISTOGRAM, 2_048)
    assert (found["odd"].type, found["odder"].type) == (MetricType.UNKNOWN, MetricType.UNKNOWN)
    assert len(found) == 4


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xff\xff\xff\xff\xff", b"plain", b"\x05\x10ab", b"\x04\x0c\xff\xff\xff\xff"]
)
def test_what_cannot_be_read_is_refused(body: bytes) -> None:
    with pytest.raises(IntakeError):
        decode_write(body, LIMITS)


def test_text_that_is_no_utf8_is_refused() -> None:
    body = request((UP, [(1, 1.0)])).SerializeToString().replace(b"node", b"no\xff\xfe")
    with pytest.raises(IntakeError, match=r"no valid prometheus\.WriteRequest"):
        decode_write(bytes(cramjam.snappy.compress_raw(body)), LIMITS)


def test_a_body_says_how_long_it_will_be_and_is_held_to_it() -> None:
    body = bytes(cramjam.snappy.compress_raw(bytes(10_000_000)))
    assert len(body) < 500_000
    with pytest.raises(TooMuchError, match="larger than 1,000,000 bytes"):
        decode_write(body, IntakeLimits(unpacked=1_000_000))
    claims = b"\xff\xff\xff\xff\x0f" + body[4:]
    with pytest.raises(TooMuchError):
        decode_write(claims, LIMITS)


def test_parts_are_counted_before_they_are_built() -> None:
    empty_series = b"\x0a\x00" * (MAX_PARTS + 1)
    with pytest.raises(TooMuchError, match="messages inside"):
        decode_write(bytes(cramjam.snappy.compress_raw(empty_series)), LIMITS)


def test_samples_of_one_request_are_bounded() -> None:
    body = packed(request((UP, [(at, 0.0) for at in range(MAX_SAMPLES + 1)])))
    with pytest.raises(TooMuchError, match="200,000 samples"):
        decode_write(body, LIMITS)
