"""A first day in the browser: an empty folder, the guide, a scrape, a log file and a receiver, each seen to arrive."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from http_receiver import HttpReceiver, http_receiver
from local_server import free_port, running_server
from required_tools import requires_module, tool
from serving import Serving, serving

if TYPE_CHECKING:
    from playwright.async_api import Page

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOG = '10.0.0.1 - - [30/Nov/2026:10:00:00 +0000] "GET /cart HTTP/1.1" 502 12 "-" "curl"\n'


@pytest.fixture
def exporter() -> Iterator[str]:
    """The address of a node exporter."""
    port = free_port()
    command = [tool("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{port}"]
    with running_server(command, port):
        yield f"127.0.0.1:{port}"


@pytest_asyncio.fixture(loop_scope="session")
async def hook() -> AsyncIterator[HttpReceiver]:
    async with http_receiver() as found:
        yield found


async def tried_and_saved(page: "Page", button: str, fields: dict[str, str], works: str) -> None:
    """Fill in a form, try it, see that it works, save it."""
    await page.click(button)
    for name, value in fields.items():
        await page.fill(f'.entry-dialog [name="{name}"]', value)
    await page.click(".entry-dialog footer button:first-child")
    await expect(page.locator(".entry-dialog .trial.ok")).to_contain_text(works)
    await page.click(".entry-dialog button[type=submit]")
    await expect(page.locator(".entry-dialog")).to_have_count(0)


async def test_from_an_empty_folder_to_what_arrives(
    browser: Any, tmp_path: Path, exporter: str, hook: HttpReceiver
) -> None:
    log = tmp_path / "logs" / "access.log"
    log.parent.mkdir()
    log.write_text(LOG)
    with serving(tmp_path / "ops") as platform:
        complaints: list[str] = []
        context = await browser.new_context()
        page = await context.new_page()
        page.on("console", lambda one: complaints.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        try:
            await the_guide(page, platform, log, exporter, hook)
        finally:
            await context.close()
        # The one error is the browser's own note of an entry that was refused on purpose.
        assert [one for one in complaints if "422" not in one] == []
    assert "s3cr3t" not in (tmp_path / "ops" / "serve.log").read_text()


async def the_guide(page: "Page", platform: Serving, log: Path, exporter: str, hook: HttpReceiver) -> None:
    await page.goto(f"{platform.url}/sign-in")
    await page.fill("[name=token]", platform.token)
    await page.click("button[type=submit]")
    await page.click("#welcome-hint a")
    await expect(page.locator("#found .found-row").first).to_be_visible()

    # What does not work is said before it is saved.
    await page.click("[data-kinds=metrics] button:first-child")
    await page.fill('[name="job"]', "exporter")
    await page.fill('[name="targets"]', "127.0.0.1:1")
    await page.click(".entry-dialog button[type=submit]")
    await expect(page.locator(".entry-dialog .trial.bad")).to_contain_text("nothing listens there")
    await page.keyboard.press("Escape")

    fields = {"job": "exporter", "targets": exporter, "interval": "1s"}
    await tried_and_saved(page, "[data-kinds=metrics] button:first-child", fields, "series in")
    fields = {"path": f"{log.parent}/*.log", "service": "nginx"}
    await tried_and_saved(page, "[data-kinds=logs] button:first-child", fields, "access log")
    fields = {"name": "hook", "webhook_configs.0.url": f"{hook.url}s3cr3t"}
    await tried_and_saved(page, '[data-kinds=receivers] button:has-text("Webhook")', fields, "has arrived")
    sent = next(one for one in hook.received if one.method == "POST")  # the guide looked at the port before
    assert "Test of receiver hook" in json.loads(sent.body)["alerts"][0]["annotations"]["summary"]

    # Each is seen to arrive, and the steps are done.
    rows = page.locator("#arrivals .arrival")
    await expect(rows.filter(has_text="exporter")).to_contain_text(re.compile(r"first after .* series"), timeout=20_000)
    await expect(rows.filter(has_text="access log")).to_contain_text("1 line", timeout=20_000)
    await expect(page.locator("#steps a.done")).to_have_count(4)
    client = platform.client()
    found = client.get("/api/ops/v1/query", params={"query": 'node_load1{job="exporter"}'}).json()
    assert found["series"][0]["points"][0][1] > 0

    # An alert goes to the receiver: the shipped routing has no other one that works.
    routes = client.post("/api/ops/v1/alerts/route", json={"labels": {"alertname": "X", "severity": "critical"}})
    assert [one["receiver"] for one in routes.json()] == ["hook"]

    # One click takes one of them back.
    await page.locator("#history li", has_text="exporter").locator("button").click()
    await expect(page.locator("#history li").first).to_contain_text("removed exporter")
    await expect(rows).to_have_count(2)
    await gone(client, "exporter")
    file = platform.data / "eldonia-ops.managed.yml"
    assert "exporter" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "s3cr3t" not in file.read_text() + (platform.data / "eldonia-ops.managed.history.json").read_text()
    client.close()

    # A threshold with a preview, and the way back.
    await page.goto(f"{platform.url}/rules")
    row = page.locator("#rules tr", has_text="HighCPUUsage")
    await row.locator("button").click()
    await page.fill('[name="threshold"]', "97")
    await page.keyboard.press("Tab")
    await expect(page.locator(".rule-preview")).to_contain_text("Would not have fired")
    await page.click(".entry-dialog button[type=submit]")
    await expect(row).to_contain_text("97")
    await expect(row).to_contain_text("shipped: 80")
    await page.locator(".toast button", has_text="Undo").click()
    await expect(row).not_to_contain_text("97")


async def gone(client: httpx.Client, job: str) -> None:
    for _ in range(50):
        targets = (await asyncio.to_thread(client.get, "/api/ops/v1/targets")).json()
        if not any(one["labels"].get("job") == job for one in targets):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{job} is still scraped")
