"""Patterns of logs and what is new in them, in Chromium, over a platform of its own."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from required_tools import requires_module
from serving import Serving, serving

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser

INFO, ERROR = 9, 17
MINUTE = 60 * 10**9


def otlp(records: list[tuple[int, int, str]]) -> dict[str, Any]:
    """OTLP of records of ``payments``: minutes ago, severity, message."""
    now = time.time_ns()
    return {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "payments"}}]},
                "scopeLogs": [
                    {
                        "logRecords": [
                            {
                                "timeUnixNano": str(now - ago * MINUTE),
                                "severityNumber": level,
                                "body": {"stringValue": text},
                            }
                            for ago, level, text in records
                        ]
                    }
                ],
            }
        ]
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("patterns")) as one, one.client() as client:
        accepted = [(ago, INFO, f"payment {ago * 7} accepted in {ago}ms") for ago in range(20, 55) for _ in range(3)]
        declined = [(ago, ERROR, f"payment {ago * 9} was declined") for ago in range(1, 9)]
        client.post("/v1/logs", json=otlp(accepted + declined)).raise_for_status()
        deploy = {"title": "another provider", "service": "payments", "version": "2.4.0", "at": "-10m"}
        client.post("/api/ops/v1/changes", json=deploy).raise_for_status()
        incident = {"title": "Payments fail", "severity": "high", "service": "payments"}
        client.post("/api/ops/v1/incidents", json=incident).raise_for_status()
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def page(running: Serving, browser: Any) -> AsyncIterator[Any]:
    context = await browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", reduced_motion="reduce")
    opened = await context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    answer = await context.request.post(
        f"{running.url}/sign-in", form={"token": running.token}, headers={"Origin": running.url}, max_redirects=0
    )
    assert answer.status == 303
    yield opened
    await context.close()
    assert [text for text in complaints if "400 (Bad Request)" not in text] == []


async def test_patterns_are_listed_narrowed_left_out_and_lead_to_their_records(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/logs?query=service:payments")
    await page.click("[data-view=patterns]")
    rows = page.locator("#rows tr")
    await expect(rows).to_have_count(2)
    assert "query=service%3Apayments" in page.url
    await expect(rows.first.locator(".template a")).to_have_text("payment # accepted in #ms")
    await expect(rows.first.locator(".wildcard")).to_have_count(2)
    await expect(rows.first).to_contain_text("105")
    await expect(rows.nth(1)).to_contain_text("error")
    await rows.first.locator("button").click()
    await expect(rows).to_have_count(1)
    assert "-pattern:" in await page.input_value("#search")
    await page.locator(".template a").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".record")).to_have_count(8)
    await expect(page.locator("#records")).not_to_contain_text("accepted")
    await page.locator(".record .expander").first.click()
    await expect(page.locator("#records")).to_contain_text("pattern")
    await page.click("[data-view=patterns]")
    await page.fill("#search", "level>")
    await expect(page.locator("#fault")).to_be_visible()


async def test_what_is_new_since_a_deploy_against_another_time_and_in_an_incident(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/logs/patterns")
    await page.select_option("#compare", "deploy:latest")
    rows = page.locator("#rows tr")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("new")
    await expect(rows.first.locator(".template a")).to_have_text("payment # was declined")
    await expect(rows.nth(1)).to_contain_text("gone")
    await expect(page.locator("#compared")).to_contain_text("payments 2.4.0 another provider")
    assert "deploy=latest" in page.url
    await page.reload()
    await expect(rows).to_have_count(2)
    await expect(page.locator("#compare")).to_have_value("deploy:latest")
    await page.select_option("#compare", "chosen")
    await expect(page.locator("#against")).to_be_visible()
    await expect(rows).to_have_count(2)  # against the hour before, in which there is nothing
    assert "against_from=" in page.url
    await page.select_option("#compare", "")
    await expect(page.locator("#compared")).to_be_empty()
    await page.goto(f"{running.url}/incidents/INC-1")
    await page.click("#look-new")
    await expect(page.locator("#compare")).to_have_value("incident:INC-1")
    await expect(page.locator("#compared")).to_contain_text("INC-1")


async def test_it_fits_on_a_phone_in_both_languages(running: Serving, page: Any) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    for language in ("en", "ja"):
        await page.context.add_cookies([{"name": "eldonia_ops_language", "value": language, "url": running.url}])
        for address in ("/logs/patterns", "/logs/patterns?deploy=latest", "/logs"):
            await page.goto(f"{running.url}{address}")
            await expect(page.locator("main .empty:visible, #rows tr:visible, .record:visible").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
