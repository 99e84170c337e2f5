"""Explore, traces and services in Chromium, over a platform of its own to which an application sends only spans."""

import random
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from required_tools import requires_module
from serving import Serving, serving

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

# A chart of an hour has a point every 15 or 30 seconds: what was counted just now is drawn with the next one, which the
# page asks for within 15 more.
SOON = 50_000


pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser

SERVER, CLIENT = 2, 3
FAILS_EVERY = 10


def traces(count: int, rng: random.Random) -> dict[str, Any]:
    """OTLP of requests to ``gateway`` that call ``shop``; each tenth fails. They are spread over the last minute."""
    spans: dict[str, list[dict[str, Any]]] = {"gateway": [], "shop": []}
    for number in range(count):
        trace, start = f"{rng.getrandbits(128):032x}", time.time_ns() - rng.randrange(60 * 10**9)
        status = {"code": 2} if number % FAILS_EVERY == 0 else {}

        def add(service: str, name: str, kind: int, parent: str, ms: float, trace: str = trace, start: int = start,
                status: dict[str, int] = status) -> str:  # fmt: skip
            span = f"{rng.getrandbits(64):016x}"
            spans[service].append({
                "traceId": trace, "spanId": span, "parentSpanId": parent, "name": name, "kind": kind, "status": status,
                "startTimeUnixNano": str(start), "endTimeUnixNano": str(start + round(ms * 1e6)),
                "attributes": [{"key": "http.route", "value": {"stringValue": "/works"}}],
            })  # fmt: skip
            return span

        root = add("gateway", "GET /works", SERVER, "", 20 + number * 3)
        call = add("gateway", "shop", CLIENT, root, 15 + number * 3)
        add("shop", "list works", SERVER, call, 10 + number * 3)
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]},
                "scopeSpans": [{"spans": some}],
            }
            for service, some in spans.items()
        ]
    }


def values(client: httpx.Client, query: str) -> list[float]:
    found = client.get("/api/ops/v1/query", params={"query": query}).raise_for_status().json()
    return [one["points"][0][1] for one in found["series"]]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("explore"), {"span_metrics": {"interval": "1s"}}) as one:
        with one.client() as client:
            rng = random.Random(7)
            deadline = time.monotonic() + 60
            # A rate takes two stored counts; the first is zero, and comes with the first spans.
            while not any(value > 0 for value in values(client, "rate(traces_span_metrics_calls_total[1m])")):
                assert time.monotonic() < deadline
                client.post("/v1/traces", json=traces(20, rng)).raise_for_status()
                time.sleep(1)
        yield one


@pytest_asyncio.fixture(loop_scope="session")
async def page(running: Serving, browser: Any) -> AsyncIterator[Any]:
    """A page of somebody who is signed in; it must not complain, but about searches that the server refuses."""
    context = await browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", reduced_motion="reduce")
    await context.grant_permissions(["clipboard-read", "clipboard-write"], origin=running.url)
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


async def drag(page: Any, selector: str, start: float, end: float) -> None:
    box = await page.locator(selector).bounding_box()
    y = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * start, y)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * end, y, steps=4)
    await page.mouse.up()


async def test_a_query_is_completed_run_and_drawn_under_the_strict_policy(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore")
    editor = page.locator(".cm-content")
    await editor.click()
    await page.keyboard.type("sum by (service_name) (rate(traces_span_metrics_ca")
    await expect(page.locator(".cm-tooltip-autocomplete li").first).to_contain_text("traces_span_metrics_calls_total")
    await page.wait_for_timeout(150)  # a list that has just opened does not take Enter yet
    await page.keyboard.press("Enter")
    await page.keyboard.type("{")
    await expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("span_kind")
    await page.keyboard.press("Escape")
    await page.keyboard.press("End")
    await page.evaluate("document.querySelector('.promql-host').shadowRoot.querySelector('.cm-content').focus()")
    await page.keyboard.press("ControlOrMeta+a")
    await page.keyboard.insert_text("sum by (service_name) (rate(traces_span_metrics_calls_total[1m]))")
    await page.wait_for_timeout(500)  # until what there is to complete is known
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await expect(page.locator(".series-legend tbody tr")).to_have_count(2, timeout=SOON)
    await expect(page.locator(".graph-card canvas")).to_be_visible()
    assert "panes=" in page.url
    await page.locator(".series-name").first.click()
    await expect(page.locator(".series-name").first).to_have_attribute("aria-pressed", "false")
    await page.click("#share")
    shared = await page.evaluate("navigator.clipboard.readText()")
    assert "from=" in shared
    assert "to=" in shared
    await page.goto(shared)
    await expect(page.locator(".series-legend tbody tr")).to_have_count(2, timeout=SOON)
    await expect(page.locator("#ranges .fixed")).to_be_visible()


async def test_what_is_written_is_not_a_shortcut_and_help_is_shown_on_hovering(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore?query=rate(up%5B5m%5D)")
    editor = page.locator(".cm-content")
    await editor.click()
    await page.keyboard.type("gl?/")
    assert "/explore" in page.url
    await expect(page.locator("#help")).to_be_hidden()
    box = await page.locator(".cm-line span", has_text="rate").first.bounding_box()
    await page.mouse.move(box["x"] + 4, box["y"] + 6)
    await page.mouse.move(box["x"] + 8, box["y"] + 8)
    await expect(page.locator(".promql-help").first).to_contain_text("per second")


async def test_a_fault_is_under_its_query_with_its_place(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore?query=up&query=sum(rate(up))")
    await page.click(".pane-tools .primary")
    faults = page.locator(".query-row > .query-fault:visible")
    await expect(faults).to_have_count(1)
    await expect(faults.locator("mark")).to_have_text("up")
    await expect(page.locator(".cm-lintRange-error").first).to_have_text("up")


async def test_why_it_is_empty_and_the_advice_works(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore?query=traces_span_metrics_call_total")
    await page.click(".pane-tools .primary")
    await expect(page.locator(".reasons")).to_contain_text("There is no metric traces_span_metrics_call_total")
    await page.locator(".reason-acts button").click()
    await expect(page.locator(".series-legend tbody tr")).not_to_have_count(0)
    await page.go_back()
    await expect(page.locator(".series-legend")).to_have_count(0)


async def test_a_query_is_built_from_the_metrics_and_seen_as_a_table(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore")
    await page.locator(".query-acts button").first.click()
    await page.fill("#metrics-search", "span duration bucket")
    await page.locator(".metric-name").first.click()
    await expect(page.locator("#metrics-detail")).to_contain_text("How long requests took")
    await page.locator("#metrics-detail .facet-value", has_text="shop").first.click()
    await expect(page.locator(".built code")).to_contain_text("shop")
    await page.locator(".operations button", has_text="95th").click()
    await expect(page.locator(".series-legend tbody tr")).to_have_count(1)
    await page.locator(".segmented button", has_text="Table").click()
    await expect(page.locator(".result-table tbody tr")).to_have_count(1)
    async with page.expect_download() as started:
        await page.locator(".result-table button", has_text="CSV").click()
    assert (await started.value).suggested_filename == "result.csv"
    await page.locator(".pane-tools button", has_text="Queries").click()
    await expect(page.locator("#queries-list")).to_contain_text("histogram_quantile(0.95")


async def test_two_views_beside_each_other(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/explore?query=up")
    await page.locator(".pane-head button", has_text="Split").click()
    await expect(page.locator(".pane")).to_have_count(2)
    await page.locator(".pane").nth(1).locator(".pane-head button", has_text="Traces").click()
    await expect(page.locator(".trace-table tbody tr").first).to_contain_text("GET /works")
    await page.locator(".row-links button", has_text="Metrics of its service").first.click()
    await expect(page.locator(".pane").nth(0).locator(".query-row")).to_have_count(3)
    await expect(page.locator(".series-legend tbody tr")).to_have_count(3)
    await page.reload()
    await expect(page.locator(".pane")).to_have_count(2)


async def test_traces_are_sorted_and_narrowed_by_dragging(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/traces?sort=longest")
    await expect(page.locator("#rows tr").first).to_contain_text("ms")
    await expect(page.locator("#bars .bar-all").first).to_be_visible()
    before = await page.locator("#total").inner_text()
    await drag(page, "#bars", 0.7, 0.98)
    await expect(page.locator("input[name=min_duration]")).not_to_have_value("")
    assert "min_duration=" in page.url
    await expect(page.locator("#total")).not_to_have_text(before)
    await page.go_back()
    await expect(page.locator("input[name=min_duration]")).to_have_value("")
    await page.fill("input[name=where]", "http.ro")
    await page.locator(".completion li", has_text="http.route").first.click()
    await expect(page.locator("input[name=where]")).to_have_value("http.route=")
    await expect(page.locator("#fault")).to_contain_text("Conditions")
    await expect(page.locator("input[name=where]")).to_have_attribute("aria-invalid", "true")


async def test_an_application_that_only_sends_traces_fills_its_page(running: Serving, page: Any) -> None:
    await page.goto(f"{running.url}/services")
    await expect(page.locator("#rows tr")).to_have_count(2)
    await expect(page.locator("#rows tr", has_text="gateway").locator("td.num").first).to_contain_text("/s")
    await page.locator("#rows a", has_text="shop").click()
    await expect(page.locator("[data-panel] canvas")).to_have_count(3)
    await expect(page.locator("#operations tr")).to_have_count(1)
    await expect(page.locator("#operations tr").first).to_contain_text("list works")
    await expect(page.locator("#calls")).to_contain_text("gateway")
    await expect(page.locator("#traces tr")).to_have_count(10)
    await page.click("[data-which=failed]")
    await expect(page.locator("#traces tr.is-error").first).to_be_visible()
    await page.goto(running.url)
    await expect(page.locator(".panel canvas").first).to_be_visible(timeout=SOON)
    await expect(page.locator(".legend").first).to_contain_text("shop")


async def test_counts_of_logs_are_a_chart_and_a_table(running: Serving, page: Any) -> None:
    record = {"timeUnixNano": str(time.time_ns()), "severityText": "ERROR", "body": {"stringValue": "order 7 failed"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record] * 3}]}]}
    with running.client() as client:
        client.post("/v1/logs", json=logs).raise_for_status()
    await page.goto(f"{running.url}/explore?logs=order | timechart count() by level")
    await expect(page.locator(".pane .result-table th")).to_have_text(["time", "level", "count"])
    await expect(page.locator(".pane .uplot").first).to_be_visible()
    box = page.get_by_role("combobox")
    await box.fill('order | extract "order {number} " | stats count() by number')
    await box.press("Enter")
    await expect(page.locator(".pane .result-table td")).to_have_text(["7", "3"])
    await box.fill("order")
    await box.press("Enter")
    await expect(page.locator("tr.record")).to_have_count(3)
