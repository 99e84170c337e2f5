"""Intakes behind the gate: one with a single route represents any plug-in."""

import asyncio
import gzip
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform

from eldonia_ops.intake import (
    Fault,
    Intake,
    IntakeAnswer,
    IntakePlatform,
    IntakeRequest,
    IntakeRoute,
    TooMuchError,
    UnsupportedError,
)
from eldonia_ops.model.access import Role
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.packed_body import unpack
from eldonia_ops.web.access import Permission
from eldonia_ops.web.app import create_app
from eldonia_ops.web.limits import BodyRoom, RequestLimits


async def accept(platform: IntakePlatform, request: IntakeRequest) -> IntakeAnswer:
    """One log record a line. A line of its own asks for each kind of failure."""

    def lines() -> list[str]:
        return unpack(request.body, request.encoding, platform.limits.unpacked).decode().splitlines()

    found = await platform.aside(lines)
    if "huge" in found:
        raise TooMuchError("too many lines")
    if "binary" in found:
        raise UnsupportedError("send text")
    if "disk" in found:
        raise TelemetryError("no space left on /secret")
    if "bug" in found:
        raise KeyError("sesame")
    records = [LogRecord(timestamp_ns=platform.now_ns(), message=line) for line in found]
    receipt = await platform.logs.logs(records)
    platform.refused("logs", request.sender, {"an empty line": found.count("")})
    return IntakeAnswer(202, str(receipt.stored).encode(), "text/plain", {"X-Stored": "yes"})


def fault(headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    return IntakeAnswer(problem.status, f"{headers.get('x-name', '')}!{problem.message}".encode(), "text/x-lines")


LINES = Intake("lines", (IntakeRoute("/lines", "logs", accept),), fault, prefix="/lines")


def sending(platform: FakePlatform, role: Role | None, **options: Any) -> httpx.AsyncClient:
    app = create_app(platform, intakes=[LINES], **options)
    headers = {"Authorization": f"Bearer {platform.secrets[role]}"} if role else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers)


@pytest.fixture
def platform() -> FakePlatform:
    return FakePlatform()


async def test_what_is_sent_reaches_the_sink_and_the_answer_the_sender(platform: FakePlatform) -> None:
    async with sending(platform, Role.INGEST) as http:
        answer = await http.post("/lines", content=b"one\n\ntwo")
    assert (answer.status_code, answer.text, answer.headers["x-stored"]) == (202, "3", "yes")
    assert [record.message for record in platform.ingest.log_records] == ["one", "", "two"]
    ((signal, sender, reasons),) = platform.ingest.refused_items
    assert (signal, reasons) == ("logs", {"an empty line": 1})
    assert sender == "ingest-person (127.0.0.1)"


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.VIEWER, 403), (Role.INGEST, 202)])
async def test_the_gate_covers_routes_that_it_has_never_heard_of(
    platform: FakePlatform, role: Role | None, status: int
) -> None:
    async with sending(platform, role) as http:
        answer = await http.post("/lines", content=b"one", headers={"X-Name": "mine"})
    assert answer.status_code == status
    assert bool(platform.ingest.log_records) == (status == 202)
    if status != 202:
        assert answer.text.startswith("mine!"), "the gate speaks the dialect of the intake"
        assert answer.headers["content-type"].startswith("text/x-lines")
        assert ("www-authenticate" in answer.headers) == (status == 401)


def test_every_route_of_an_intake_asks_for_ingest(platform: FakePlatform) -> None:
    app = create_app(platform, intakes=[LINES])
    (guard,) = [one for one in app.state.guards if one.path == "/lines"]
    assert guard.demand is Permission.INGEST


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"huge", 413, "a whole request that holds too much"),
        (b"binary", 415, "a whole request in a format that is not supported"),
        (b"\xff", 500, ""),
        (b"bug", 500, ""),
    ],
)
async def test_whole_requests_are_refused_and_counted(
    platform: FakePlatform, body: bytes, status: int, reason: str
) -> None:
    async with sending(platform, Role.INGEST) as http:
        answer = await http.post("/lines", content=body)
    assert answer.status_code == status
    assert answer.text.startswith("!")
    assert "sesame" not in answer.text
    assert [reasons for _, _, reasons in platform.ingest.refused_items] == ([{reason: 1}] if reason else [])


async def test_bodies_are_bounded_before_and_after_unpacking(platform: FakePlatform) -> None:
    async with sending(platform, Role.INGEST, limits=RequestLimits(ingest=10, ingest_decoded=5)) as http:
        large = await http.post("/lines", content=b"x" * 11)
        damaged = await http.post("/lines", content=b"xx", headers={"Content-Encoding": "gzip"})
        unknown = await http.post("/lines", content=b"xx", headers={"Content-Encoding": "br"})
    assert [large.status_code, damaged.status_code, unknown.status_code] == [413, 400, 400]
    assert "larger than 10 bytes" in large.text


async def test_what_the_store_cannot_take_now_is_to_be_sent_again(platform: FakePlatform) -> None:
    async with sending(platform, Role.INGEST) as http:
        answer = await http.post("/lines", content=b"disk")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "secret" not in answer.text


async def test_unknown_addresses_below_its_prefix_answer_in_its_words(platform: FakePlatform) -> None:
    async with sending(platform, Role.INGEST) as http:
        answer = await http.post("/lines/more")
    assert (answer.status_code, answer.text) == (404, "!Not Found")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        (LINES, "two intakes are called lines"),
        (replace(LINES, name="other"), "two routes answer to POST /lines"),
        (
            Intake("pages", (IntakeRoute("/api/v2/alerts", "logs", accept),), fault),
            "two routes answer to POST /api/v2/alerts",
        ),
        (Intake("native", (IntakeRoute("/free", "logs", accept),), fault), "an API of the platform is called native"),
    ],
)
async def test_an_intake_whose_name_or_address_is_in_use_is_left_out_and_stops_no_other(
    platform: FakePlatform, second: Intake, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    third = replace(LINES, name="third", routes=(IntakeRoute("/third", "logs", accept),), prefix="")
    app = create_app(platform, intakes=[LINES, second, third])
    assert reason in caplog.text
    ingesting = {guard.path for guard in app.state.guards if guard.demand is Permission.INGEST}
    assert {"/lines", "/third"} <= ingesting
    assert "/free" not in ingesting


async def test_the_example_of_the_document_works(platform: FakePlatform) -> None:
    document = Path(__file__).parents[5] / "docs" / "intake.md"
    (code,) = re.findall(r"^```python\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(code, str(document), "exec"), names)
    app = create_app(platform, intakes=[names["INTAKE"]])
    headers = {"Authorization": f"Bearer {platform.secrets[Role.INGEST]}", "Content-Encoding": "gzip"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers) as http:
        stored = await http.post("/lines", content=gzip.compress(b"one\ntwo"))
        refused = await http.post("/lines", content=b"not packed")
    assert (stored.status_code, refused.status_code) == (204, 400)
    assert [record.message for record in platform.ingest.log_records] == ["one", "two"]


async def test_bodies_of_all_requests_together_are_bounded(platform: FakePlatform) -> None:
    room = BodyRoom(1_000)
    arriving, going_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 900
        arriving.set()
        await going_on.wait()
        yield b"x"

    async with sending(platform, Role.INGEST, limits=RequestLimits(room=room)) as http:
        first = asyncio.create_task(http.post("/lines", content=slow()))
        await arriving.wait()
        assert room.used == 900
        refused = await http.post("/lines", content=b"x" * 200)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert (await http.post("/lines", content=b"x" * 50)).status_code == 202
        elastic = await http.post("/elasticsearch/_bulk", content=b"x" * 200)
        assert (elastic.status_code, elastic.headers["retry-after"]) == (429, "2")
        going_on.set()
        assert (await first).status_code == 202
        assert (await http.post("/lines", content=b"x" * 950)).status_code == 202
    assert not room.used
