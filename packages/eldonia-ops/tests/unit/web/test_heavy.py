"""Heavy work stays off the event loop, and few requests wait for it."""

import asyncio
import threading

import pytest
from fake_platform import FakePlatform
from web_client import Client

from eldonia_ops.model.access import Role
from eldonia_ops.web.heavy import BusyError, HeavyWork


async def test_the_loop_goes_on_and_those_beyond_are_turned_away() -> None:
    heavy, gate = HeavyWork(places=2, waiting=3), threading.Event()
    at_once, most = 0, 0

    async def request() -> str:
        nonlocal at_once, most
        async with heavy.place():
            at_once += 1
            most = max(most, at_once)
            await heavy.run(gate.wait)
            at_once -= 1
            return "done"

    tasks = [asyncio.create_task(request()) for _ in range(9)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    refused = [task for task in tasks if task.done()]
    assert len(refused) == 4
    gate.set()
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(one) for one in found].count(BusyError) == 4
    assert (found.count("done"), most) == (5, 2)
    async with heavy.place():
        pass


async def test_a_request_that_is_given_up_frees_its_place() -> None:
    heavy = HeavyWork(places=1, waiting=1)
    waiting = asyncio.Event()

    async def request() -> None:
        async with heavy.place():
            waiting.set()
            await asyncio.Event().wait()

    for _ in range(5):
        tasks = [asyncio.create_task(request()) for _ in range(2)]
        await waiting.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with heavy.place():
        pass


@pytest.mark.parametrize(
    "path", ["/api/v1/labels", "/api/v1/label/job/values", "/api/v1/series?match[]=up", "/api/ops/v1/markdown"]
)
async def test_those_beyond_are_told_when_to_come_back(
    platform: FakePlatform, client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(self: HeavyWork) -> None:
        raise BusyError

    monkeypatch.setattr(HeavyWork, "place", busy)
    async with client(Role.VIEWER) as http:
        response = await (http.post(path, content="# a") if path.endswith("markdown") else http.get(path))
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"
    assert "too many requests" in response.text
