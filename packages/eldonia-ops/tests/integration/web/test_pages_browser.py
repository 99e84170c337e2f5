"""The main paths through the pages, in Chromium: no console error, no breach of the content security policy."""

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from eldonia_ops.model.access import Role
from eldonia_ops.model.incidents import IncidentStatus

if TYPE_CHECKING:
    from playwright.async_api import Page

pytest.importorskip("playwright")
from playwright.async_api import async_playwright, expect

PATHS = ("/", "/incidents", "/incidents/INC-3", "/alerts", "/logs", "/traces", "/objectives", "/security", "/targets",
         "/settings")  # fmt: skip


class Tab:
    """A page, signed in, that remembers what it complained about."""

    def __init__(self, page: "Page", site: Any) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def sign_in(self, role: Role = Role.ADMIN) -> None:
        await self.page.goto(f"{self.site.url}/sign-in")
        await self.page.fill("input[name=token]", self.site.platform.secrets[role])
        await self.page.click("button[type=submit]")
        await self.page.wait_for_url(f"{self.site.url}/")

    async def go(self, path: str) -> None:
        await self.page.goto(self.site.url + path)
        await self.page.wait_for_load_state("networkidle")


@pytest.fixture
async def tab(site: Any, browser_options: dict[str, Any]) -> AsyncIterator[Tab]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(**browser_options)
        opened = Tab(await context.new_page(), site)
        yield opened
        await context.close()
    assert opened.complaints == []


@pytest.mark.parametrize(
    ("width", "height", "theme", "language"), [(1440, 900, "dark", "en"), (390, 844, "light", "ja")]
)
async def test_every_page_shows_without_complaint_and_without_sideways_scrolling(
    tab: Tab, width: int, height: int, theme: Any, language: str
) -> None:
    page = tab.page
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme=theme)
    await tab.sign_in()
    await tab.go(f"/?lang={language}")
    for path in PATHS:
        await tab.go(path)
        assert await page.get_attribute("html", "lang") == language
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.locator("#away").is_hidden()


async def test_overview_draws_four_layers_and_narrows_by_dragging(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await expect(page.locator(".layer")).to_have_count(4)
    await expect(page.locator(".panel canvas")).to_have_count(15)
    await expect(page.locator(".plot-note:not([hidden])")).to_contain_text("No data yet")
    await expect(page.locator('[data-stat="incidents"] strong')).to_have_text("2")
    await page.click("[data-range='1h']")
    assert "range=1h" in page.url
    box = await page.locator(".panel .u-over").first.bounding_box()
    assert box
    await page.mouse.move(box["x"] + 40, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 120, box["y"] + 40, steps=4)
    await page.mouse.up()
    await expect(page.locator("#ranges .fixed")).to_be_visible()
    await expect(page.locator("#live")).to_have_attribute("aria-pressed", "false")
    await page.reload()
    await expect(page.locator("#ranges .fixed")).to_be_visible()
    await page.click("#live")
    await expect(page.locator("#ranges .fixed")).to_have_count(0)


async def test_logs_are_searched_expanded_paged_and_followed(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    records = page.locator("tr.record")
    await expect(records).to_have_count(100)
    await page.click("#older")
    await expect(records).to_have_count(300)
    await page.keyboard.press("Escape")
    await page.locator("main").focus()
    await page.keyboard.press("/")
    await page.keyboard.type("payment failed")
    await expect(page.locator("tr.record.is-error mark").first).to_have_text("payment")
    assert "q=payment" in page.url
    await page.locator("tr.record.is-error .expander").first.click()
    await expect(page.locator("tr.detail .json")).to_contain_text('"ConnectionResetError"')
    await page.locator("tr.detail button", has_text="Same component").click()
    await expect(page.locator("#pinned")).to_contain_text("component = payments")
    await expect(page.locator("tr.detail")).to_have_count(0)
    before = await records.count()
    tab.site.platform.telemetry.add_log(tab.site.platform.now())
    stored = tab.site.platform.telemetry.logs
    stored[-1] = type(stored[-1])(
        timestamp_ns=tab.site.platform.now() * 10**6, id=10**6, message="payment failed again", component="payments"
    )
    stored.sort(key=lambda one: (one.timestamp_ns, one.id), reverse=True)
    await expect(records.first).to_contain_text("failed again")
    assert await records.count() == before + 1


async def test_a_trace_is_found_unfolded_and_leads_to_its_logs(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/traces")
    await page.check("input[name=errors]")
    await expect(page.locator("#rows tr:not(.is-error)")).to_have_count(0)
    await page.locator("#rows a").first.click()
    await expect(page.locator(".span-row")).to_have_count(6)
    await page.locator(".twist[aria-expanded]").first.click()
    await expect(page.locator(".span-row:visible")).to_have_count(1)
    await page.locator(".twist[aria-expanded]").first.click()
    await page.locator(".span-open", has_text="payments/charge").click()
    await expect(page.locator("#span")).to_contain_text("ConnectionResetError")
    await page.click("#trace-logs")
    await page.wait_for_url(re.compile(r"/logs\?trace_id=[0-9a-f]{32}"))
    await expect(page.locator("#pinned")).to_contain_text("trace_id")


async def test_an_alert_is_explained_and_silenced(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/alerts")
    first = page.locator("article", has_text="PaymentGatewayError")
    await first.get_by_role("button", name="told").click()
    await expect(page.locator("#ledger li").first).to_contain_text("PagerDuty accepted")
    await page.keyboard.press("Escape")
    await first.get_by_role("button", name="Silence").click()
    await expect(page.locator("#preview")).to_contain_text("match: 1")
    await page.locator(".matcher [data-part=value]").first.fill("Nothing")
    await expect(page.locator("#preview")).to_contain_text("match: 0")
    await page.locator(".matcher [data-part=value]").first.fill("PaymentGatewayError")
    await page.locator("#silence-form button[type=submit]").click()
    await expect(page.locator("#silence-fault")).to_be_visible()
    await page.fill("#silence-form [name=comment]", "gateway maintenance")
    await page.locator("#silence-form button[type=submit]").click()
    made = page.locator("#panel-silences article", has_text="gateway maintenance")
    await expect(made).to_contain_text("responder-person")
    await made.get_by_role("button", name="End now").click()
    await expect(made).to_contain_text("Ended")
    await page.click("#tab-outbox")
    await page.locator("article", has_text="security-team").get_by_role("button", name="Send again").click()
    await expect(page.locator("article", has_text="security-team")).to_contain_text("Waiting")


async def test_an_incident_is_worked_through(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    await expect(page.locator("#countdown")).to_contain_text("Respond within")
    await page.click("#acknowledge")
    await expect(page.locator("#timeline")).to_contain_text("responder-person acknowledged")
    step = page.locator(".step input").first
    await step.check()
    await expect(page.locator("#progress-text")).to_contain_text("1/")
    await expect(page.locator(".step").first).to_contain_text("responder-person")
    await step.uncheck()
    await expect(page.locator("#progress-text")).to_contain_text("0/")
    await page.fill("#note-form input", "certificate has <b>expired</b>")
    await page.keyboard.press("Enter")
    await expect(page.locator("#timeline")).to_contain_text("certificate has <b>expired</b>")
    await page.click("#assign")
    await page.click("#assign-me")
    await page.locator("#assign-form button[type=submit]").click()
    await expect(page.locator("#facts")).to_contain_text("responder-person")
    await page.click("#pm-edit")
    await page.fill("#pm-text", "# Ours\n\n<script>alert(1)</script>\n\n- a fact")
    await page.locator("#pm-form button[type=submit]").click()
    await expect(page.locator("#pm-view h1")).to_have_text("Ours")
    await expect(page.locator("#pm-view")).to_contain_text("<script>alert(1)</script>")
    await expect(page.locator("#pm-state")).to_have_text("Saved")
    async with page.expect_download() as download:
        await page.click("#pm-download")
    assert (await download.value).suggested_filename == "INC-3-postmortem.md"
    await page.select_option("#status", "resolved")
    await page.fill("#status-form textarea", "renewed")
    await page.locator("#status-form button[type=submit]").click()
    await expect(page.locator("#badges")).to_contain_text("Resolved")
    incident, _ = await tab.site.platform.incidents.get("INC-3")
    assert incident.status is IncidentStatus.RESOLVED


async def test_a_viewer_cannot_change_anything(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.VIEWER)
    await tab.go("/incidents/INC-3")
    await expect(page.locator(".step input").first).to_be_disabled()
    await expect(page.locator("#acknowledge")).to_have_count(0)
    await tab.go("/alerts")
    await expect(page.locator("article").first).to_be_visible()
    await expect(page.get_by_role("button", name="Silence", exact=True)).to_have_count(0)


async def test_a_finding_is_judged(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/security")
    card = page.locator("article", has_text="Brute force")
    await card.locator("summary").click()
    await expect(card.locator(".json")).to_contain_text("198.51.100.7")
    await card.get_by_role("button", name="Change status").click()
    await page.select_option("#finding-form select", "false_positive")
    await page.fill("#finding-form textarea", "load test")
    await page.locator("#finding-form button[type=submit]").click()
    await expect(card).to_have_count(0)
    await page.click("[data-show=all]")
    await expect(card).to_contain_text("admin-person: load test")


async def test_a_token_is_made_used_and_revoked(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/settings")
    await page.fill("#token-form [name=name]", "grafana")
    await page.select_option("#token-form [name=role]", "viewer")
    await page.locator("#token-form button[type=submit]").click()
    await expect(page.locator("#secret-text")).to_contain_text("eops_v_")
    row = page.locator("#tokens tr", has_text="grafana")
    await row.get_by_role("button", name="Revoke").click()
    await page.locator("#revoke-form button[type=submit]").click()
    await expect(row).to_contain_text("Revoked")


async def test_theme_language_keys_and_sign_out(tab: Tab) -> None:
    page = tab.page
    await page.emulate_media(color_scheme="dark")
    await tab.sign_in()
    await page.wait_for_load_state("networkidle")
    dark = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    await page.click("#theme")
    light = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == light
    await page.click("#language")
    await expect(page.locator("h1")).to_have_text("概要")
    await page.keyboard.press("g")
    await page.keyboard.press("l")
    await expect(page.locator("h1")).to_have_text("ログ")
    await page.wait_for_load_state("networkidle")
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.click(".side-foot button")
    await page.wait_for_url(f"{tab.site.url}/sign-in")
    await page.goto(f"{tab.site.url}/logs")
    await expect(page.locator("input[name=token]")).to_be_visible()
    tab.complaints.clear()  # Chromium reports the 401 of the page that was asked for


async def test_a_lost_server_is_announced_and_typed_text_survives_its_restart(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    await page.fill("#note-form input", "half a thought")
    tab.site.stop()
    await expect(page.locator("#away")).to_be_visible(timeout=15_000)
    tab.site.start()
    await page.click("#retry")
    await expect(page.locator("#away")).to_be_hidden()
    assert await page.input_value("#note-form input") == "half a thought"
    await page.keyboard.press("Tab")
    await page.locator("#note-form button").click()
    await expect(page.locator("#timeline")).to_contain_text("half a thought")
    tab.complaints.clear()  # requests that failed while the server was away


async def test_a_hidden_tab_asks_for_nothing(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await page.wait_for_load_state("networkidle")
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true}); window.away = true;"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.wait_for_timeout(7_000)
    assert asked == []
    await page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")
    await page.wait_for_timeout(1_000)
    assert any("/query_range" in url for url in asked)
