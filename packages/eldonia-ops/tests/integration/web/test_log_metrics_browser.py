"""A search becomes a metric and an alert, and logs get a rule of retention, in Chromium over a platform of its own."""

import asyncio
import re
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

BASE = "/api/ops/v1"
DAY_NS = 86_400 * 10**9


def otlp(count: int, ago_ns: int, **more: str) -> dict[str, Any]:
    """OTLP of ``count`` records of ``checkout``, each with an operation and a number in milliseconds."""
    at = time.time_ns() - ago_ns

    def record(number: int) -> dict[str, Any]:
        texts = {"operation": ("pay", "refund")[number % 2], **more}
        numbers = {"key": "took", "value": {"doubleValue": 10.0 * 1.1**number}}
        return {
            "timeUnixNano": str(at + number),
            "severityText": "ERROR" if number % 4 == 0 else "INFO",
            "body": {"stringValue": f"order {number} was sent"},
            "attributes": [numbers, *({"key": key, "value": {"stringValue": text}} for key, text in texts.items())],
        }

    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "checkout"}}]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": list(map(record, range(count)))}]}]}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("metrics")) as one, one.client() as client:
        client.post("/v1/logs", json=otlp(40, 1_200 * 10**9)).raise_for_status()
        client.post("/v1/logs", json=otlp(8, 5 * DAY_NS)).raise_for_status()
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def page(running: Serving, browser: Any) -> AsyncIterator[Any]:
    context = await browser.new_context(locale="en-GB", reduced_motion="reduce")
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
    assert complaints == []


async def test_a_search_becomes_a_histogram_that_promql_sees(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/logs?query={'service:checkout | top 5 operation'}")
    await page.click("#make summary")
    await page.click("#make-metric")
    await expect(page.locator("#metric-search")).to_have_value("service:checkout")
    await expect(page.locator("#metric-name")).to_have_value("checkout_records_total")
    trial = page.locator(".trial")
    await expect(trial).to_contain_text("In the last hour: 40 records in 1 series.")
    await page.select_option("#metric-type", "histogram")
    await page.fill("#metric-value", "took")
    await page.select_option("#metric-unit", "ms")
    await expect(page.locator("#metric-name")).to_have_value("checkout_took_seconds")
    await page.click(".label-offers button:has-text('operation')")
    await expect(trial).to_contain_text("40 records in 2 series")
    await expect(page.locator(".label-counts")).to_contain_text("2 values")
    await page.click("button:has-text('Use buckets that fit')")
    await expect(page.locator(".buckets li")).not_to_have_count(12)
    await expect(page.locator("#metric-buckets")).to_have_value(re.compile(r"^0\.01, 0\.025, .*0\.5$"))
    await expect(page.locator(".promql-lines")).to_contain_text(
        "histogram_quantile(0.95, sum by (le, operation) (rate(checkout_took_seconds_bucket[5m])))"
    )
    await page.click("dialog[open] button[type=submit]")
    await expect(page.locator("dialog.entry-dialog")).to_have_count(0)
    await expect(page.locator("#toasts")).to_contain_text("checkout_took_seconds is saved and in force")

    await page.click("[data-view=metrics]")
    row = page.locator("#metrics tr")
    await expect(row).to_have_count(1)
    await expect(row).to_contain_text("checkout_took_seconds")
    with running.client() as client:
        client.post("/v1/logs", json=otlp(10, 0)).raise_for_status()
        query = {"query": "sum (checkout_took_seconds_count)"}

        async def counted() -> bool:
            return "10" in client.get(f"{BASE}/query", params=query).text.split("value")[-1]

        for _ in range(120):
            if await counted():
                break
            await asyncio.sleep(0.5)
        assert await counted()
    await expect(row.locator("td").nth(3)).to_have_text("10", timeout=20_000)


async def test_a_metric_is_changed_removed_and_brought_back(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/logs/metrics")
    await page.click("#metric-new")
    await page.fill("#metric-search", "level:(")
    await expect(page.locator(".trial.bad")).to_be_visible()
    await page.fill("#metric-search", "level:error")
    await page.fill("#metric-name", "1st")
    await page.click("dialog[open] button[type=submit]")
    await expect(page.locator(".fault[role=alert]:visible")).to_contain_text("no digit first")
    await page.fill("#metric-name", "errors_total")
    await page.click("dialog[open] button[type=submit]")
    row = page.locator("#metrics tr", has_text="errors_total")
    await expect(row).to_have_count(1)
    await row.locator("button:has-text('Edit')").click()
    await page.fill("#metric-labels", "service")
    await page.click("dialog[open] button[type=submit]")
    await expect(page.locator("#history")).to_contain_text("changed errors_total")
    await row.locator("button:has-text('Remove')").click()
    await expect(row).to_have_count(0)
    await page.locator("#toasts button:has-text('Undo')").last.click()
    await expect(row).to_have_count(1)
    assert "labels:\n      - service" in (running.data / "eldonia-ops.managed.yml").read_text()


async def test_a_search_becomes_an_alert(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/logs?query=level:error")
    await page.click("#make summary")
    await page.click("#make-alert")
    await expect(page.locator("#rule-expr")).to_have_value("level:error | stats count() as records | where records > 0")
    await expect(page.locator(".rule-preview")).to_contain_text("Would have fired")
    await page.fill("#rule-alert", "AnyError")
    await page.click("dialog[open] button[type=submit]")
    await expect(page.locator("#rules tr", has_text="AnyError")).to_have_count(1)


async def test_a_rule_of_retention_says_what_it_would_delete(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/platform")
    await page.click("#retention-new")
    await page.fill("[id='field-name']", "checkout")
    await page.fill("[id='field-search']", "service:checkout")
    await page.fill("[id='field-keep']", "2d")
    await page.locator("dialog[open] footer button").first.click()
    await expect(page.locator(".trial")).to_contain_text("Of them 8 would be deleted")
    await page.click("dialog[open] button[type=submit]")
    row = page.locator("#log-retention tr")
    await expect(row).to_contain_text("service:checkout")
    await row.locator("button:has-text('Remove')").click()
    await expect(row).to_have_count(0)
