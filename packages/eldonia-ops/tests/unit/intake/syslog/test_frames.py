"""Framing of syslog over TCP (RFC 6587)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.intake.syslog.frames import Frame, Frames

MESSAGES = st.lists(
    st.tuples(st.binary(min_size=1, max_size=40), st.booleans()).map(
        lambda one: (b"<13>" + one[0].replace(b"\n", b" ").replace(b"\0", b" ").replace(b"\r", b" ") + b".", one[1])
    ),
    max_size=12,
)


def framed(message: bytes, counted: bool) -> bytes:
    return b"%d %s" % (len(message), message) if counted else message + b"\n"


def fed(parts: list[bytes], longest: int = 100) -> list[Frame]:
    frames = Frames(longest)
    return [*(one for part in parts for one in frames.feed(part)), *frames.end()]


@given(MESSAGES, st.lists(st.integers(1, 30), min_size=1, max_size=200))
def test_both_kinds_of_frames_come_out_however_the_stream_is_cut(
    messages: list[tuple[bytes, bool]], sizes: list[int]
) -> None:
    stream = b"".join(framed(*one) for one in messages)
    parts: list[bytes] = []
    at = turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        parts.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert fed(parts) == [Frame(message) for message, _ in messages]


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_bytes_give_messages_within_the_bound_and_nothing_is_made_up(parts: list[bytes]) -> None:
    found = fed(parts, longest=16)
    assert all(0 < len(one.message) <= 60 for one in found)
    assert sum(len(one.message) + one.dropped for one in found) <= sum(map(len, parts))
    # However it is cut.
    assert fed([bytes([byte]) for part in parts for byte in part], longest=16) == found


@pytest.mark.parametrize(
    ("stream", "messages"),
    [
        (b"<1>a\n<2>b\r\n<3>c", [b"<1>a", b"<2>b", b"<3>c"]),
        # Python's SysLogHandler.
        (b"<1>a\0<2>b\0", [b"<1>a", b"<2>b"]),
        # Some senders count and end the line as well; line ends within a counted message stay.
        (b"6 <1>a\nb\n5 <2>cd\n", [b"<1>a\nb", b"<2>cd"]),
        (b"\n\n\0<1>a\n\n", [b"<1>a"]),
        # A line that begins with a number is no counted message.
        (b"404 not found\n2026-01-01 up\n7\n<1>a\n", [b"404 not found", b"2026-01-01 up", b"7", b"<1>a"]),
        (b"99999999999 <1>a\n", [b"99999999999 <1>a"]),
        # The stream ends within a counted message.
        (b"50 <1>cut off", [b"<1>cut off"]),
        (b"12", [b"12"]),
        (b"", []),
    ],
)
def test_frames(stream: bytes, messages: list[bytes]) -> None:
    assert [one.message for one in fed([stream])] == messages


@pytest.mark.parametrize("stream", [b"%d <1>%s<2>b\n", b"<1>%s\n<2>b\n"])
def test_of_a_long_message_the_beginning_is_kept_and_the_next_is_whole(stream: bytes) -> None:
    rest = b"x" * 5_000
    text = stream % ((len(rest) + 3, rest) if stream.startswith(b"%d") else rest)
    for parts in ([text], [text[at : at + 7] for at in range(0, len(text), 7)]):
        assert fed(parts) == [Frame(b"<1>" + b"x" * 97, 4_903), Frame(b"<2>b")]
    assert fed([b"<1>" + rest]) == [Frame(b"<1>" + b"x" * 97, 4_903)]
    assert fed([b"9999999999 <1>" + rest]) == [Frame(b"<1>" + b"x" * 97, 4_903)]


def test_memory_is_bounded_by_the_longest_message() -> None:
    frames = Frames(100)
    for _ in range(1_000):
        assert frames.feed(b"x" * 1_000) == []
    assert len(frames._rest) <= 1_100
