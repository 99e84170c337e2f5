"""The same operations on silences at a running Alertmanager and at our API: the same answers, the same silences."""

import asyncio
import contextlib
import random
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_platform import FakePlatform
from required_tools import find_tool, requires_tool
from service_world import World, open_world

from eldonia_ops.model.access import Role
from eldonia_ops.web.app import create_app

ALERTMANAGER = find_tool("prometheus-alertmanager", "alertmanager") or ""
pytestmark = requires_tool("prometheus-alertmanager", "alertmanager")

HOUR = 3_600_000
UNKNOWN = "00000000-0000-4000-8000-000000000000"
MATCHERS = (
    [{"name": "service", "value": "shop", "isRegex": False, "isEqual": True}],
    [{"name": "service", "value": "shop", "isRegex": False, "isEqual": False}],
    [{"name": "service", "value": "s.*", "isRegex": True, "isEqual": True},
     {"name": "team", "value": "", "isRegex": False, "isEqual": True}],
)  # fmt: skip
REFUSED = (
    [],
    [{"name": "service", "value": "", "isRegex": False, "isEqual": True}],
    [{"name": "service", "value": ".*", "isRegex": True, "isEqual": True}],
    [{"name": "service", "value": "(", "isRegex": True, "isEqual": True}],
)
FILTERS = (
    "service=shop",
    "service!=shop",
    'service=~"s.*"',
    'service=~"s.+"',
    'team=""',
    'team!=""',
    'other=""',
    "other=x",
)


class Side:
    """One implementation. ``base`` is its time at the start (Unix ms); ``ids`` are its silences, oldest first."""

    def __init__(self, http: httpx.AsyncClient, base: int) -> None:
        self.http, self.base, self.ids = http, base, list[str]()

    def time(self, offset: int) -> str:
        at = datetime.fromtimestamp((self.base + offset) / 1000, UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def offset(self, text: str) -> int:
        return round(datetime.fromisoformat(text).timestamp() * 1000) - self.base

    async def post(self, body: dict[str, Any]) -> tuple[int, int]:
        """The status, and the number of the silence that was made or changed."""
        times = {name: self.time(body[name]) for name in ("startsAt", "endsAt") if isinstance(body[name], int)}
        answer = await self.http.post("/api/v2/silences", json={**body, **times})
        if answer.status_code != 200:
            # What go-openapi refuses by the schema is 422 there.
            return 400 if answer.status_code == 422 else answer.status_code, -1
        id = answer.json()["silenceID"]
        if id not in self.ids:
            self.ids.append(id)
        return 200, self.ids.index(id)

    async def shown(self, number: int) -> dict[str, Any]:
        return (await self.http.get(f"/api/v2/silence/{self.ids[number]}")).json()

    async def all(self, filter: str = "") -> tuple[list[Any], list[dict[str, Any]]]:
        """The order in which they come, as far as it does not hang on the clock, and the silences by number."""
        parameters = {"filter": filter} if filter else {}
        found = (await self.http.get("/api/v2/silences", params=parameters)).json()
        for one in found:
            one["id"] = self.ids.index(one["id"])
            del one["updatedAt"]
            for name in ("startsAt", "endsAt"):
                # What happened now, on either clock, is less than ten minutes from the start of the test.
                offset = self.offset(one[name])
                one[name] = "now" if abs(offset) < 600_000 else offset
        ordered = {"active": "endsAt", "pending": "startsAt", "expired": "comment"}
        order = [(one["status"]["state"], one[ordered[one["status"]["state"]]]) for one in found]
        order = [one if one[0] != "expired" else "expired" for one in order]
        return order, sorted(found, key=lambda one: one["id"])


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[str]:
    (folder / "am.yml").write_text("route: {receiver: x}\nreceivers: [{name: x}]\n")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(ALERTMANAGER), f"--config.file={folder / 'am.yml'}", f"--storage.path={folder / 'data'}",
         "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{url}/-/ready").status_code == 200:
                    break
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


@contextlib.asynccontextmanager
async def ours() -> AsyncIterator[tuple[httpx.AsyncClient, World, FakePlatform]]:
    async with open_world() as world:
        platform = FakePlatform()
        platform.alerts = world.alerts  # type: ignore[assignment]
        platform.at = world.clock.now()
        headers = {"Authorization": f"Bearer {platform.secrets[Role.RESPONDER]}"}
        transport = httpx.ASGITransport(app=create_app(platform))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:9600", headers=headers) as http:
            yield http, world, platform


@pytest.mark.parametrize("seed", range(2))
async def test_random_operations_end_in_the_same_silences(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    with alertmanager(tmp_path) as url:
        async with httpx.AsyncClient(base_url=url, timeout=30) as their_http, ours() as (our_http, world, platform):
            # In whole seconds, and 2 s away: what has begun by itself then has the same start on both sides.
            begin = 2_000
            sides = (Side(their_http, int(time.time()) * 1000), Side(our_http, world.clock.now()))
            for number in range(8):
                body = {
                    "matchers": MATCHERS[number % 3],
                    "startsAt": begin if number % 2 else HOUR,
                    "endsAt": 2 * HOUR,
                    "createdBy": "hana",
                    "comment": f"silence {number}",
                }
                assert [await side.post(body) for side in sides] == [(200, number)] * 2
            begun = {number for number in range(8) if number % 2}  # those whose start both sides show alike
            await asyncio.sleep(max(0.0, sides[0].base / 1000 + begin / 1000 + 0.1 - time.time()))
            await world.pass_time(begin + 100)
            platform.at = world.clock.now()
            for _ in range(40):
                await one_operation(rng, sides, begun)
                assert await sides[1].all() == await sides[0].all()
            for text in FILTERS:
                assert await sides[1].all(text) == await sides[0].all(text), text


async def one_operation(rng: random.Random, sides: tuple[Side, Side], begun: set[int]) -> None:
    number = rng.randrange(len(sides[0].ids))
    match rng.choice(["new", "expire", "update", "update", "update", "unknown"]):
        case "new":
            body = {
                "matchers": rng.choice([*MATCHERS, *REFUSED]),
                "startsAt": rng.choice([-HOUR, HOUR, 3 * HOUR]),
                "endsAt": rng.choice([-HOUR // 2, 2 * HOUR, 4 * HOUR]),
                "createdBy": rng.choice(["hana", "jun (admin)"]),
                "comment": "new",
            }
            theirs, mine = [await side.post(body) for side in sides]
            assert mine == theirs, body
        case "expire":
            for side in sides:
                assert (await side.http.delete(f"/api/v2/silence/{side.ids[number]}")).status_code == 200
        case "unknown":
            body = {
                "id": UNKNOWN,
                "matchers": MATCHERS[0],
                "startsAt": 0,
                "endsAt": HOUR,
                "createdBy": "x",
                "comment": "y",
            }
            assert [await side.post(body) for side in sides] == [(404, -1)] * 2
        case _:
            changes: dict[str, Any] = {}
            if rng.random() < 0.6:
                changes["comment"] = f"changed {rng.randrange(1000)}"
            if rng.random() < 0.3:
                changes["createdBy"] = rng.choice(["hana", "jun"])
            if rng.random() < 0.4:
                changes["endsAt"] = rng.choice([-HOUR, 2 * HOUR, 5 * HOUR])
            if rng.random() < 0.3:
                changes["matchers"] = rng.choice(MATCHERS)
            if rng.random() < 0.3:
                changes["startsAt"] = rng.choice([-HOUR, HOUR, 3 * HOUR])
            shown = [await side.shown(number) for side in sides]
            if number not in begun and abs(sides[0].offset(shown[0]["startsAt"])) < 600_000:
                # This Alertmanager knows its start to the nanosecond and compares it so; later ones compare seconds.
                changes.setdefault("startsAt", -HOUR)
            theirs, mine = [await side.post({**was, **changes}) for side, was in zip(sides, shown, strict=True)]
            assert mine == theirs, (shown[0], changes)
