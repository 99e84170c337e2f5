"""A served application and a browser to look at it with."""

import asyncio
import contextlib
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
import uvicorn
from fake_platform import FakePlatform
from required_tools import requires_module, tool

from eldonia_ops.web.app import create_app

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """A served platform; ``stop`` and ``start`` take it away and bring it back at the same address."""

    url: str
    platform: FakePlatform
    servers: list[tuple[uvicorn.Server, threading.Thread]]
    port: int

    def start(self) -> None:
        config = uvicorn.Config(create_app(self.platform), host="127.0.0.1", port=self.port, log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.servers.append((server, thread))

    def stop(self) -> None:
        for server, thread in self.servers:
            server.should_exit = server.force_exit = True
            thread.join(10)
        self.servers.clear()


@pytest.fixture
def site() -> Iterator[Site]:
    with served() as site:
        yield site


@pytest.fixture(scope="module")
def unchanged_site() -> Iterator[Site]:
    """One for all tests of a module that only look."""
    with served() as site:
        yield site


@contextlib.contextmanager
def served() -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    platform = FakePlatform(now=lambda: time.time_ns() // 1_000_000)
    site = Site(f"http://127.0.0.1:{port}", platform, [], port)
    site.start()
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    requires_module("playwright")
    return tool("chromium", "chromium-browser", "google-chrome")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    """One Chromium for all tests, with nothing in the background: a start takes longer than most tests."""
    from playwright.async_api import async_playwright  # may be missing where the tests are skipped

    profile = tmp_path_factory.mktemp("chromium")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=chromium, args=list(ARGUMENTS), env={**os.environ, "HOME": str(profile)}
        )
        yield opened
        await opened.close()
