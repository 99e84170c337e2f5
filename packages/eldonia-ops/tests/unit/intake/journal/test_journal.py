"""A body of entries is stored while it comes, and once."""

from collections.abc import AsyncIterator

import pytest
from intake_platform import ListPlatform, posted

from eldonia_ops.intake import Fault, IntakeAnswer, IntakeError, UnsupportedError
from eldonia_ops.intake.journal import INTAKE
from eldonia_ops.protocols.journal_export import encode_entry

MEDIA = "application/vnd.fdo.journal"


def stream(count: int, begin: int = 0) -> bytes:
    return b"".join(
        encode_entry({"__CURSOR": f"c{n}", "__REALTIME_TIMESTAMP": f"17959104001{n:05d}", "MESSAGE": f"{n}"})
        for n in range(begin, begin + count)
    )


async def upload(platform: ListPlatform, body: bytes, media: str = MEDIA, **headers: str) -> IntakeAnswer:
    async def chunks() -> AsyncIterator[bytes]:
        step = max(1_000, len(body) // 1_000)
        for at in range(0, len(body), step):
            yield body[at : at + step]

    accept = INTAKE.routes[0].accept_chunks
    assert accept is not None
    return await accept(platform, posted("/upload", b"", None, content_type=media, **headers), chunks())


async def test_entries_are_stored_and_answered_as_systemd_does() -> None:
    platform = ListPlatform()
    answer = await upload(platform, stream(1_234))
    assert (answer.status, answer.body) == (202, b"OK.\n")
    assert platform.messages == [str(n) for n in range(1_234)]
    assert platform.logs.records[0].source == "journal shop (192.0.2.7)"


async def test_what_broke_off_and_is_sent_again_is_stored_once() -> None:
    platform = ListPlatform()
    with pytest.raises(IntakeError):
        await upload(platform, stream(1_200) + b"x y\n")
    assert platform.messages == [str(n) for n in range(1_000)]
    await upload(platform, stream(1_300))
    assert platform.messages == [str(n) for n in range(1_300)]


async def test_other_formats_are_named() -> None:
    with pytest.raises(UnsupportedError, match=MEDIA):
        await upload(ListPlatform(), b"{}", "application/json")
    with pytest.raises(UnsupportedError, match="Content-Encoding"):
        await upload(ListPlatform(), b"", content_encoding="gzip")


def test_a_fault_is_a_line_of_text() -> None:
    assert INTAKE.fault({}, Fault(503, "later")).body == b"later\n"


async def test_large_entries_are_stored_before_many_of_them_are_in_memory() -> None:
    # One upload of entries that lie under every other bound took 2 GB.
    platform = ListPlatform()
    entry = {"__REALTIME_TIMESTAMP": "1795910400100000", **{f"F{n}": "x" * 60_000 for n in range(16)}}
    body = b"".join(encode_entry({"__CURSOR": f"c{n}", "MESSAGE": f"{n}", **entry}) for n in range(40))

    assert (await upload(platform, body)).status == 202
    assert platform.messages == [str(n) for n in range(40)]
    assert len(platform.logs.keys) == 8
