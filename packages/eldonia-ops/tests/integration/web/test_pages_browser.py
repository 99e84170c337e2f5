"""The main paths through the pages, in Chromium: no console error, no breach of the content security policy."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import msgspec
import pytest
import pytest_asyncio
from required_tools import requires_module

from eldonia_ops.model.access import Role
from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.model.incidents import IncidentStatus
from eldonia_ops.model.security import FindingStatus

if TYPE_CHECKING:
    from playwright.async_api import Page

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

PATHS = ("/", "/incidents", "/incidents/INC-3", "/alerts", "/explore", "/logs", "/traces", "/services",
         "/services/shop", "/objectives", "/security", "/targets", "/settings")  # fmt: skip


pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser


class Tab:
    """A page, signed in, that remembers what it complained about."""

    def __init__(self, page: "Page", site: Any) -> None:
        self.page = page
        self.site = site
        self.complaints: list[str] = []
        page.on("console", lambda one: self.complaints.append(one.text) if one.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    async def sign_in(self, role: Role = Role.ADMIN) -> None:
        """Exchange a token for a session of this browser context; no page is loaded for it."""
        answer = await self.page.context.request.post(
            f"{self.site.url}/sign-in",
            form={"token": self.site.platform.secrets[role]},
            headers={"Origin": self.site.url},
            max_redirects=0,
        )
        assert answer.status == 303

    async def sign_in_by_form(self, role: Role = Role.ADMIN) -> None:
        """As people do it; ends on the overview."""
        await self.page.goto(f"{self.site.url}/sign-in")
        await self.page.fill("input[name=token]", self.site.platform.secrets[role])
        await self.page.click("button[type=submit]")
        await self.page.wait_for_url(f"{self.site.url}/")

    async def go(self, path: str) -> None:
        await self.page.goto(self.site.url + path)
        await self.page.wait_for_load_state("networkidle")


def refused_searches(tab: Tab) -> None:
    """The browser itself complains about each answer with status 400: at least one was expected, and nothing else."""
    assert {text for text in tab.complaints if "400 (Bad Request)" not in text} == set()
    assert tab.complaints
    tab.complaints.clear()


async def pause(page: "Page") -> None:
    """Let no timer of the page run from here on: what still happens, happens by itself."""
    await page.clock.pause_at((await page.evaluate("Date.now()")) / 1000 + 1)


@pytest_asyncio.fixture(loop_scope="session")
async def tab(site: Any, browser: Any) -> AsyncIterator[Tab]:
    # A context has a profile of its own: nothing is left of the test before.
    context = await browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB", reduced_motion="reduce")
    opened = Tab(await context.new_page(), site)
    yield opened
    await context.close()
    # A search that is only half typed when it is asked is refused, and the browser notes that.
    assert [one for one in opened.complaints if "400 (Bad Request)" not in one] == []


@pytest.mark.parametrize(
    ("width", "height", "theme", "language"), [(1440, 900, "dark", "en"), (390, 844, "light", "ja")]
)
async def test_every_page_shows_without_complaint_and_without_sideways_scrolling(
    tab: Tab, width: int, height: int, theme: Any, language: str
) -> None:
    page = tab.page
    await page.set_viewport_size({"width": width, "height": height})
    await page.emulate_media(color_scheme=theme)
    await tab.sign_in_by_form()
    await tab.go(f"/?lang={language}")
    for path in PATHS:
        await tab.go(path)
        outline = [int(level) for level in await page.locator("h1:visible, h2:visible, h3:visible").evaluate_all(
            "all => all.map((one) => one.tagName[1])"
        )]  # fmt: skip
        assert all(below - above <= 1 for above, below in pairwise(outline)), (path, outline)
        assert await page.get_attribute("html", "lang") == language
        for fold in await page.locator("main details:visible > summary").all():
            await fold.click()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert await page.locator("#away").is_hidden()


async def test_overview_draws_what_there_is_and_narrows_by_dragging(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await page.goto(tab.site.url)
    await expect(page.locator(".layer")).to_have_count(5)
    await expect(page.locator(".panel:visible canvas")).to_have_count(16)
    await expect(page.locator(".panel:visible")).to_have_count(16)  # the others have no data, and take no room
    await expect(page.locator(".layer-empty:visible")).to_have_count(0)
    await expect(page.get_by_role("heading", name="orders")).to_be_visible()
    await expect(page.locator('[data-stat="incidents"] strong')).to_have_text("2")
    await expect(page.locator("#active-rows a")).to_have_count(2)
    await expect(page.locator("#active-rows a").first).to_contain_text("INC-3")
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


async def test_any_two_instants_can_be_looked_at(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    await page.click("#range-custom")
    await page.fill("#range-form [name=from]", "2026-11-20T03:00:00")
    await page.fill("#range-form [name=to]", "2026-11-20T02:00:00")
    await page.locator("#range-form button[type=submit]").click()
    await expect(page.locator("#range-form .fault")).to_be_visible()
    await page.fill("#range-form [name=to]", "2026-11-20T04:00:00")
    await page.locator("#range-form button[type=submit]").click()
    await expect(page.locator("#range-dialog")).to_be_hidden()
    await expect(page.locator("#ranges .fixed")).to_contain_text("20 Nov 03:00–04:00")
    await expect(page.locator("#empty")).to_be_visible()
    asked = parse_qs(urlsplit(page.url).query)
    begin = int(datetime(2026, 11, 20, 3, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp() * 1000)
    assert [int(asked[name][0]) - begin for name in ("from", "to")] == [0, 3_600_000]
    await page.click("#range-custom")
    await page.fill("#range-form [name=words]", "someday")
    await expect(page.locator("#range-form .fault")).to_contain_text("no time that is known")
    await page.fill("#range-form [name=words]", "2026-11-20 04:00")
    await expect(page.locator("#range-form [name=from]")).to_have_value(re.compile("^2026-11-20T04:00"))
    await page.fill("#range-form [name=words]", "2026-11-21")
    await page.press("#range-form [name=words]", "Enter")
    await expect(page.locator("#range-dialog")).to_be_hidden()
    await expect(page.locator("#ranges .fixed")).to_contain_text("21 Nov 00:00–22 Nov 00:00")
    assert any("400 (Bad Request)" in text for text in tab.complaints)
    tab.complaints.clear()


async def test_a_range_chosen_while_an_answer_is_awaited_is_the_one_that_is_drawn(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/settings")  # nothing that the overview has asked for by itself is held
    held: list[Any] = []
    asked, released = asyncio.Event(), asyncio.Event()

    async def hold(route: Any) -> None:
        held.append(route)
        asked.set()
        await released.wait()
        await route.continue_()

    await page.route("**/query_range?*", hold)
    now = tab.site.platform.now()
    await page.clock.install()
    await page.goto(f"{tab.site.url}/?from={now - 40 * 60_000}&to={now - 20 * 60_000}")
    await pause(page)
    await expect(page.locator(".panel").first).to_be_attached()
    await asyncio.wait_for(asked.wait(), 30)
    await page.click("[data-range='6h']")
    released.set()
    await expect(page.locator(".panel canvas")).to_have_count(16)
    steps = {parse_qs(urlsplit(route.request.url).query)["step"][0] for route in held}
    assert steps == {"7", "120"}


async def test_a_page_with_nothing_open_shows_what_went_on_lately_at_once(tab: Tab) -> None:
    page = tab.page
    security = tab.site.platform.security
    for finding in await security.find(statuses=(), limit=100):
        await security.change_status(finding.id, "sato", FindingStatus.RESOLVED, "")
    await page.clock.install()
    await tab.sign_in()
    await page.goto(f"{tab.site.url}/security")
    await pause(page)
    await expect(page.locator("#rows article").first).to_be_visible()
    await expect(page.locator("[data-show=all]")).to_have_attribute("aria-pressed", "true")


async def test_ticks_and_ranges_never_read_the_same(tab: Tab) -> None:
    await tab.sign_in()
    await tab.page.goto(f"{tab.site.url}/settings")
    read = await tab.page.evaluate(
        """async () => {
            const shell = document.querySelector('script[src$="shell.js"]').src;
            const format = shell.replace(/(\\/static\\/[^/]+\\/).*/, "$1js/lib/format.js");
            const { tickTime, rangeText, duration, countdown } = await import(format);
            const at = Date.UTC(2026, 10, 23, 14, 59, 30); // 23:59:30 in Tokyo
            return [
                [0, 15, 30].map((seconds) => tickTime(at + seconds * 1000, 15)),
                [0, 60].map((seconds) => tickTime(at + 30_000 + seconds * 1000, 60)),
                rangeText(at, at + 20_000),
                rangeText(at, at + 3_600_000),
                [duration(0), duration(59_990), countdown(883), countdown(61_900)],
            ];
        }"""
    )
    assert read == [
        ["23:59:30", "23:59:45", "00:00:00"],
        ["24 Nov", "00:01"],
        "23 Nov 23:59:30–23:59:50",
        "23 Nov 23:59–24 Nov 00:59",
        ["0 s", "1 min", "0 s", "1 min 1 s"],
    ]


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
    assert "query=payment" in page.url
    await page.locator("tr.record.is-error .expander").first.click()
    await expect(page.locator("tr.detail .json")).to_contain_text('"ConnectionResetError"')
    await page.locator("tr.detail button", has_text="Same component").click()
    await expect(page.locator("#search")).to_have_value("component:payments")
    await expect(page.locator("tr.detail")).to_have_count(0)
    await expect(page.locator("tr.record.is-warn").first).to_be_visible()
    before = await records.count()
    tab.site.platform.telemetry.add_log(tab.site.platform.now())
    stored = tab.site.platform.telemetry.logs.records
    stored[-1] = type(stored[-1])(
        timestamp_ns=tab.site.platform.now() * 10**6, id=10**6, message="payment failed again", component="payments"
    )
    await expect(records.first).to_contain_text("failed again")
    await expect(records).to_have_count(before + 1)


async def test_a_search_with_pipes_is_a_table_and_a_chart(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    await expect(page.locator("tr.record")).to_have_count(100)
    await page.click("#search")
    await page.keyboard.type("* | tim")
    await expect(page.locator("#completion li")).to_have_text(["timechart"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.type("10m count() by level")
    await page.keyboard.press("Enter")
    await expect(page.locator("#plain")).to_be_hidden()
    await expect(page.locator("#piped .uplot")).to_be_visible()
    await expect(page.locator("#piped .series-name")).to_have_count(4)
    await expect(page.locator("#piped .result-table th")).to_have_text(["time", "level", "count"])
    await expect(page.locator("#total")).to_contain_text("rows of")
    await page.fill("#search", "* | stats count() as n by service | where n>0 | sort n")
    await expect(page.locator("#piped .uplot")).to_be_hidden()
    numbers = [
        int(text.replace(",", "")) for text in await page.locator("#piped .result-table td.num").all_inner_texts()
    ]
    assert numbers == sorted(numbers)
    await page.locator("#piped .result-table thead button", has_text="n").click()
    await expect(page.locator("#piped .result-table td.num").first).to_have_text(f"{numbers[-1]:,}")
    async with page.expect_download() as download:
        await page.click("#download-csv")
    path = await (await download.value).path()
    saved = await asyncio.to_thread(Path(path).read_text)
    assert saved.splitlines()[0] == "service,n"
    await page.locator("#piped td button", has_text="gateway").click()
    await expect(page.locator("#search")).to_have_value("service:gateway")
    await expect(page.locator("tr.record").first).to_be_visible()
    await expect(page.locator("#piped")).to_be_hidden()
    await page.locator("tr.record .expander").first.click()
    await expect(page.locator("tr.detail a", has_text="Metrics of the service then")).to_have_attribute(
        "href", re.compile(r"^/services/gateway\?from=[0-9]+&to=[0-9]+$")
    )
    await page.fill("#search", "error | stats cnt() by service")
    await expect(page.locator("#fault")).to_contain_text("did you mean count?")
    await expect(page.locator("#fault mark")).to_have_text("c")
    refused_searches(tab)


async def test_a_tail_that_is_too_long_loses_its_old_end_and_can_fetch_it_again(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    records = page.locator("tr.record")
    for count in (300, 500, 700, 900, 1100):
        await page.click("#older")
        await expect(records).to_have_count(count)
    platform = tab.site.platform
    platform.telemetry.logs.records.append(
        msgspec.structs.replace(
            platform.telemetry.newest_first()[0], timestamp_ns=platform.now() * 10**6, id=10**6, message="the newest"
        ),
    )
    await expect(records.first).to_contain_text("the newest")
    await expect(records).to_have_count(1000)
    expected = [f"{one.timestamp_ns}-{one.id}" for one in platform.telemetry.newest_first()]
    await page.click("#older")
    await expect(records).to_have_count(1200)
    shown = await records.evaluate_all("rows => rows.map((row) => row.dataset.cursor)")
    assert shown == expected[:1200]


async def test_more_records_than_one_answer_holds_leave_no_gap(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    records = page.locator("tr.record")
    await expect(records).to_have_count(100)
    platform = tab.site.platform
    at, first = platform.now() * 10**6, platform.telemetry.newest_first()[0]
    platform.telemetry.logs.records += [
        msgspec.structs.replace(first, timestamp_ns=at - index, id=10**6 - index, message=f"burst {index}")
        for index in range(600)
    ]
    await expect(records.first).to_contain_text("burst 0")
    await expect(records).to_have_count(100)
    await expect(records.last).to_contain_text("burst 99")
    await page.click("#older")
    await expect(records).to_have_count(300)
    await expect(records.last).to_contain_text("burst 299")


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
    # By keyboard: on a busy machine the page may still move under a pointer.
    await page.locator("#trace-logs").press("Enter")
    await page.wait_for_url(re.compile(r"/logs\?"))
    await expect(page.locator("#search")).to_have_value(re.compile("^trace_id:[0-9a-f]{32}$"))


async def test_an_alert_is_explained_and_silenced(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/alerts")
    first = page.locator("article", has_text="PaymentGatewayError")
    await expect(first.locator(".expression")).to_have_text("rate(payment_errors_total[5m]) > 0.05")
    await first.get_by_role("button", name="notified").click()
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


async def test_a_receiver_that_nothing_reaches_is_marked(tab: Tab) -> None:
    reason = "opsgenie_configs of receiver 'slack-critical' is not supported yet"
    tab.site.platform.alerts.obstacles = {"slack-critical": reason}
    await tab.sign_in(Role.VIEWER)
    await tab.go("/alerts")
    critical = tab.page.locator("#panel-current article", has_text="PaymentGatewayError")
    await expect(critical.locator(".alert-foot .fault").first).to_have_text(f"nothing reaches slack-critical: {reason}")
    await expect(tab.page.locator("#panel-current article", has_text="HighDiskUsage").locator(".fault")).to_have_count(
        0
    )


async def test_alerts_are_searched_and_links_of_notifications_lead_to_their_receiver(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.VIEWER)
    await tab.go("/alerts?receiver=nobody")
    await expect(page.locator("#nothing")).to_be_visible()
    cards = page.locator("#panel-current article:visible")
    await page.fill("#search", "high disk")
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("HighDiskUsage")
    assert "q=high+disk" in page.url
    assert "receiver" not in page.url
    await page.fill("#search", "")
    await expect(cards).to_have_count(4)
    await page.click("#tab-outbox")
    sent = page.locator("article", has_text="pagerduty-critical")
    await sent.locator("summary").click()
    await expect(sent.locator(".json")).to_contain_text('"event_action": "trigger"')


async def test_an_incident_leads_to_its_logs_its_traces_and_the_reasons_of_its_pages(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.VIEWER)
    await tab.go("/incidents/INC-3")
    incident, _ = await tab.site.platform.incidents.get("INC-3")
    began = incident.started_at or incident.detected_at
    await page.click("#look-logs")
    await page.wait_for_url(re.compile(r"/logs\?"))
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["query"][0].endswith("level>=warn")
    assert int(asked["from"][0]) < began < int(asked["to"][0])
    await expect(page.locator("tr.record").first).to_be_visible()
    await expect(page.locator("tr.record.is-debug, tr.record.is-info")).to_have_count(0)
    await page.go_back()
    await page.click("#look-traces")
    await page.wait_for_url(re.compile(r"/traces\?.*\berrors=true"))
    await page.go_back()
    await page.locator("#alerts a").first.click()
    await expect(page.locator("#why")).to_be_visible()
    await expect(page.locator("#ledger li").first).to_contain_text("PagerDuty accepted")
    await page.keyboard.press("Escape")
    await expect(page.locator("#why")).to_be_hidden()
    await expect(page).not_to_have_url(re.compile("why="))


async def test_an_incident_that_is_not_there_says_so_once(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.VIEWER)
    await tab.go("/incidents/INC-999")
    await expect(page.locator("#unknown")).to_be_visible()
    await expect(page.locator("#incident")).to_be_hidden()
    await expect(page.locator(".toast")).to_have_count(0)
    tab.complaints.clear()  # Chromium reports the 404 of what was asked for


async def test_what_a_click_in_the_postmortem_throws_away_can_be_brought_back(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    text, undo = page.locator("#pm-text"), page.locator(".toast button")
    await page.click("#pm-edit")
    await page.click("#pm-cancel")
    await expect(text).to_be_hidden()
    await expect(undo).to_have_count(0)  # nothing was lost
    await page.click("#pm-edit")
    await text.fill("an hour of work")
    await page.click("#pm-cancel")
    await expect(text).to_be_hidden()
    await expect(page.locator("#pm-edit")).to_be_focused()
    await undo.click()
    await expect(text).to_have_value("an hour of work")
    await expect(undo).to_have_count(0)
    await page.click("#pm-draft")
    await expect(text).not_to_have_value("an hour of work")
    await undo.click()
    await expect(text).to_have_value("an hour of work")
    await page.click("#pm-save")
    await expect(page.locator("#pm-view")).to_have_text("an hour of work")


async def test_a_postmortem_that_somebody_else_saved_is_not_overwritten_unawares(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    await page.click("#pm-edit")
    await page.fill("#pm-text", "mine")
    incidents = tab.site.platform.incidents
    save = page.locator("#pm-save")
    for theirs in ("theirs <b>1</b>", "theirs 2"):
        await incidents.save_postmortem("INC-3", "okafor", theirs, lambda stored: True)
        await save.click()
        await expect(page.locator("#pm-conflict")).to_contain_text("Another person", ignore_case=True)
        await expect(page.locator("#pm-stored")).to_have_text(theirs)
        assert (await incidents.postmortem("INC-3", "en")).text == theirs
        assert await page.input_value("#pm-text") == "mine"
    await expect(save).to_have_text("Replace it with mine")
    await save.click()
    await expect(page.locator("#pm-view")).to_have_text("mine")
    await expect(page.locator("#pm-conflict")).to_be_hidden()
    assert (await incidents.postmortem("INC-3", "en")).text == "mine"
    await page.click("#pm-edit")
    await expect(save).to_have_text("Save")
    tab.complaints.clear()  # Chromium reports the 412


async def test_what_the_platform_refuses_does_not_stay_ticked(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    await page.route(
        "**/checklist*",
        lambda route: route.fulfill(status=409, json={"error": {"code": "conflict", "message": "not now", "hint": ""}}),
    )
    step = page.locator(".step input").first
    await step.click()
    await expect(page.locator(".toast.bad")).to_contain_text("not now")
    await expect(step).not_to_be_checked()
    tab.complaints.clear()  # Chromium reports the 409


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
    general = page.locator("#general-fold")
    await expect(general.locator(".step").first).to_be_hidden()
    await general.locator("summary").click()
    await expect(general.locator(".step").first).to_be_visible()
    await expect(general.locator("summary")).to_contain_text("of")
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
    await expect(page.locator("#pm-state")).to_have_text("Saved · its times are UTC")
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


async def test_a_receiver_is_tested_and_the_way_of_an_alert_is_shown(tab: Tab) -> None:
    page = tab.page
    tab.site.platform.alerts.obstacles["slack-critical"] = "SLACK_WEBHOOK_URL is not set"
    await tab.sign_in()
    await tab.go("/settings")
    row = page.locator("#receivers li", has_text="security-team")
    await row.get_by_role("button", name="Test").click()
    await expect(row).to_contain_text("Webhook: delivered")
    dead = page.locator("#receivers li", has_text="slack-critical")
    await expect(dead).to_contain_text("SLACK_WEBHOOK_URL is not set")
    await dead.get_by_role("button", name="Test").click()
    await expect(dead).to_contain_text("Slack: not delivered. SLACK_WEBHOOK_URL is not set")
    await page.fill("#route-form [name=labels]", "severity")
    await page.press("#route-form [name=labels]", "Enter")
    await expect(page.locator("#route-fault")).to_be_visible()
    await page.fill("#route-form [name=labels]", 'severity=critical service="shop"')
    await page.press("#route-form [name=labels]", "Enter")
    await expect(page.locator("#routes")).to_contain_text("pagerduty-critical")
    await expect(page.locator("#route-fault")).to_be_hidden()
    assert tab.complaints == []


async def test_the_configuration_is_read_again_and_what_is_wrong_with_it_is_shown(tab: Tab) -> None:
    page, reloads = tab.page, tab.site.platform.reloads
    await tab.sign_in()
    await tab.go("/settings")
    facts, faults = page.locator("#configuration"), page.locator("#diagnostics")
    await expect(facts).to_contain_text("Asked for by")
    await expect(facts).to_contain_text("start")
    await expect(facts).not_to_contain_text("object")
    reloads.faults = (Diagnostic("unknown key 'alrt'", "/etc/rules.yml", 3, 9, "did you mean 'alert'?"),)
    await page.click("#reload")
    await expect(faults).to_contain_text("/etc/rules.yml:3:9")
    await expect(faults).to_contain_text("did you mean 'alert'?")
    await expect(page.locator("#reload-refused")).to_be_visible()
    await expect(page.locator(".toast")).to_contain_text("Nothing has changed")
    reloads.faults, reloads.needs_restart = (), ("listen",)
    await page.click("#reload")
    await expect(page.locator("#reload-refused")).to_be_hidden()
    await expect(facts).to_contain_text("listen")
    await expect(facts).to_contain_text("admin-person")
    await expect(faults).to_be_empty()
    assert tab.complaints == []


async def test_theme_language_keys_and_sign_out(tab: Tab) -> None:
    page = tab.page
    await page.emulate_media(color_scheme="dark")
    await tab.sign_in_by_form()
    await page.wait_for_load_state("networkidle")
    dark = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    await page.click("#theme")
    light = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == light
    await page.click("#language")
    await expect(page.locator("h1")).to_have_text("概要")
    await page.wait_for_load_state("networkidle")  # the text is there before the keys are listened to
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
    await expect(page.locator("#note-form input")).to_have_value("")
    assert await page.locator("#note-form input:user-invalid").count() == 0, "nothing is missing"
    tab.complaints.clear()  # requests that failed while the server was away


async def test_a_hidden_tab_asks_for_nothing(tab: Tab) -> None:
    page = tab.page
    await page.clock.install()
    await tab.sign_in()
    await page.goto(tab.site.url)
    await expect(page.locator(".panel canvas")).to_have_count(16)
    await page.evaluate(
        "Object.defineProperty(document, 'hidden', {get: () => window.away, configurable: true}); window.away = true;"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    await page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.clock.run_for(60_000)
    assert asked == []
    async with page.expect_request("**/query_range?*"):
        await page.evaluate("window.away = false; document.dispatchEvent(new Event('visibilitychange'))")


async def test_numbers_notes_and_zones_say_what_is_so(tab: Tab) -> None:
    page = tab.page
    platform = tab.site.platform
    platform.alerts.views = [
        view
        for view in platform.alerts.views
        if view.alert.labels.get("severity") != "critical" and not view.silenced_by
    ]
    targets = platform.status.targets()
    platform.status.targets = lambda: [one for one in targets if one.health != "down"]
    await tab.sign_in()
    await page.goto(tab.site.url)
    await expect(page.locator('[data-stat="alerts"] strong')).to_have_text("1")
    await expect(page.locator('[data-stat="alerts"] .stat-note')).to_have_text("none critical")
    await expect(page.locator('[data-stat="targets"] .stat-note')).to_have_text("payment gateway: nothing seen yet")
    await expect(page.locator("#zone")).to_have_text("Times are in Asia/Tokyo")
    numbers = await page.evaluate(
        "import(document.querySelector('script[src$=\"shell.js\"]').src"
        ".replace(/(\\/static\\/[^/]+\\/).*/, '$1js/lib/format.js'))"
        ".then(({ digits }) => [1.1e-13, -1e-12, 0.25, 0.001].map(digits))"
    )
    assert numbers == ["0", "0", "0.25", "0.0010"]


async def test_a_search_that_cannot_be_understood_leaves_no_list_of_another(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/traces")
    await expect(page.locator("#rows tr").first).to_be_visible()
    await page.fill("[name=min_duration]", "soon")
    await expect(page.locator("#fault")).to_contain_text("200ms")
    await expect(page.locator("#rows tr")).to_have_count(0)
    await page.fill("[name=min_duration]", "1ms")
    await expect(page.locator("#rows tr").first).to_be_visible()
    await page.fill("[name=where]", "db.system")
    await expect(page.locator("#fault")).to_contain_text("an operator is missing")
    await expect(page.locator("#rows tr")).to_have_count(0)
    await page.fill("[name=where]", "db.system=~^postgres")
    await expect(page.locator("#rows tr").first).to_be_visible()
    refused_searches(tab)


async def test_logs_are_narrowed_by_fields(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs?level=error&where=component%3Dpayments")
    records = page.locator("tr.record")
    await expect(page.locator("#search")).to_have_value("level:error component=payments")
    await expect(page.locator("tr.record:not(.is-error)")).to_have_count(0)
    await page.fill("#search", "level:eror2 x")
    await expect(page.locator("#fault")).to_contain_text("did you mean level:error?")
    await expect(page.locator("#fault mark")).to_have_text("e")
    await expect(records).to_have_count(0)
    refused_searches(tab)
    await page.fill("#search", "")
    await page.locator(".facet", has_text="service").get_by_role("button", name="Leave out gateway").click()
    await expect(page.locator("#search")).to_have_value("-service:gateway")
    await expect(page.locator(".facet-value", has_text="− gateway")).to_have_attribute("aria-pressed", "true")
    facet = page.locator(".facet-value", has_text="warn")
    await facet.click()
    await expect(page.locator("#search")).to_have_value("-service:gateway level:warn")
    await expect(page.locator("tr.record:not(.is-warn)")).to_have_count(0)
    await expect(facet).to_have_attribute("aria-pressed", "true")
    await facet.click()
    await expect(page.locator("#search")).to_have_value("-service:gateway")
    await page.reload()
    await expect(page.locator("#search")).to_have_value("-service:gateway")
    await page.fill("#facet-field", "operation")
    await page.press("#facet-field", "Enter")
    await expect(page.locator(".facet", has_text="operation")).to_be_visible()


async def test_fields_and_values_are_completed_by_keyboard(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs")
    await page.locator("#search").focus()
    await page.keyboard.type("-serv")
    options = page.locator("#completion [role=option]")
    await expect(options.first).to_contain_text("service:")
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("#search")).to_have_attribute("aria-activedescendant", "completion-0")
    await page.keyboard.press("Enter")
    await expect(options).to_have_count(3)
    await page.keyboard.type("sh")
    await expect(options).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Tab")
    await expect(page.locator("#search")).to_have_value("-service:shop ")
    await expect(page.locator("#completion")).to_be_hidden()
    await expect(page.locator("tr.record").first).to_be_visible()
    await expect(page.locator("tr.record td:nth-child(3)", has_text="shop")).to_have_count(0)


async def test_an_open_record_holds_the_list_and_offers_what_it_has(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs?query=level:error+component:payments")
    records = page.locator("tr.record")
    await expect(records.first).to_be_visible()
    before = await records.count()
    first = await records.first.get_attribute("data-cursor")
    await records.first.locator(".expander").click()
    await expect(page.locator("#waiting")).to_contain_text("Paused")
    platform = tab.site.platform
    newest = next(one for one in platform.telemetry.newest_first() if f"{one.timestamp_ns}-{one.id}" == first)
    for number in range(2):
        platform.telemetry.logs.records.append(
            msgspec.structs.replace(newest, timestamp_ns=platform.now() * 10**6 + number, id=10**6 + number)
        )
    await expect(page.locator("#waiting")).to_have_text("Paused · 2 new")
    assert await records.first.get_attribute("data-cursor") == first
    await page.click("#waiting")
    await expect(page.locator("tr.detail")).to_have_count(0)
    await expect(records).to_have_count(before + 2)
    await records.nth(2).locator(".expander").click()
    value = page.locator("tr.detail .json-value", has_text="payments")
    await value.click()
    await page.get_by_role("button", name="As a column").click()
    await expect(page.locator("#head")).to_contain_text("component")
    assert "columns=component" in page.url
    await expect(records.first.locator("td.own")).to_have_text("payments")
    await records.first.locator(".expander").click()
    await page.locator("tr.detail .json-value", has_text="web-").click()
    await page.get_by_role("button", name="Leave out").last.click()
    await expect(page.locator("#search")).to_have_value(
        re.compile(r"^level:error component:payments -hostname:web-\d$")
    )


async def test_lines_around_a_record_are_shown(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    await tab.go("/logs?query=level:error")
    await page.locator("tr.record .expander").nth(30).click()
    await page.get_by_role("button", name="Surrounding lines").click()
    lines = page.locator("#around-list li")
    await expect(lines).to_have_count(41)
    await expect(page.locator("#around-list .chosen")).to_have_count(1)
    await page.click("#around-more")
    await expect(lines).to_have_count(201)
    await page.click("#around-search")
    await expect(page.locator("#around")).to_be_hidden()
    await expect(page.locator("#search")).to_have_value(re.compile("^source="))


async def test_plain_words_that_find_nothing_are_understood(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in()
    user = next(one.user_id for one in tab.site.platform.telemetry.newest_first() if one.user_id)
    await tab.go(f"/logs?query=logs+of+{user}")
    await page.locator("#suggestion button").click()
    await expect(page.locator("#search")).to_have_value(f"user_id:{user}")
    await expect(page.locator("tr.record").first).to_be_visible()


async def test_a_search_is_saved_used_deleted_and_brought_back(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/logs?query=level:error&columns=component")
    await page.click("#saved-open")
    await page.fill("#saved-form input", "Errors")
    await page.press("#saved-form input", "Enter")
    saved = page.locator("#saved-list li")
    await expect(saved).to_have_count(2)
    await expect(saved.first).to_contain_text("saved by responder-person")
    await saved.last.get_by_role("button", name="Failed payments", exact=True).click()
    await expect(page.locator("#search")).to_have_value("level:error payment")
    await expect(page.locator("#head")).to_contain_text("user_id")
    await page.click("#saved-open")
    await page.get_by_role("button", name="Delete Errors").click()
    await expect(saved).to_have_count(1)
    await page.evaluate("document.querySelector('#toasts .toast:last-child button').click()")
    await expect(saved).to_have_count(2)
    assert tab.site.platform.state.stored_searches["s1"].name == "Failed payments"


async def test_found_records_are_downloaded(tab: Tab) -> None:
    page = tab.page
    await tab.sign_in(Role.VIEWER)
    await tab.go("/logs?query=level:error&columns=component")
    await expect(page.locator("tr.record").first).to_be_visible()
    async with page.expect_download() as started:
        await page.click("#download-csv")
    download = await started.value
    assert download.suggested_filename == "logs.csv"
    lines = (await download.path()).read_text("utf-8").splitlines()
    assert lines[0] == "timestamp,level,service,component,message"
    assert {line.split(",")[1] for line in lines[1:]} == {"error"}


async def test_the_first_screen_of_an_incident_says_what_to_do_next(tab: Tab) -> None:
    page = tab.page
    platform = tab.site.platform
    change = Change("d", platform.now(), ChangeKind.DEPLOY, "payment", "payment 7 <b>", "7", "https://ci.test/7", "ci")
    incident, _ = await platform.incidents.get("INC-3")
    platform.state.stored_changes["d"] = replace(change, at=incident.started_at - 60_000)
    await tab.sign_in(Role.RESPONDER)
    await tab.go("/incidents/INC-3")
    await expect(page.locator("#brief-facts")).to_contain_text("payment 7 <b>")
    await expect(page.locator("#brief-facts")).to_contain_text("checkout")
    await expect(page.locator("#brief-facts")).to_contain_text("pagerduty-critical")
    await expect(page.locator("#since")).to_contain_text("For ")
    await expect(page.locator("#next")).to_contain_text("Acknowledge")
    await page.click("#acknowledge")
    await expect(page.locator("#brief-facts")).to_contain_text("responder-person")
    step = page.locator(".next-text")
    first = await step.text_content()
    await page.click("#next-act")
    await expect(step).not_to_have_text(first or "")
    await expect(page.locator("#timeline")).to_contain_text(f'marked the step "{(first or "").rstrip(".")}" as done')
    await expect(page.locator(".signal .expression").first).to_be_hidden()
    await page.locator(".signal summary").first.click()
    await expect(page.locator(".signal .expression").first).to_have_text("payment_errors > 0.05")


async def test_the_history_of_an_objective_is_one_line_without_a_name(tab: Tab) -> None:
    await tab.sign_in()
    await tab.go("/objectives")
    await expect(tab.page.locator(".history canvas")).to_have_count(2)
    await expect(tab.page.locator(".history .legend li")).to_have_count(2)


async def test_the_side_bar_looks_the_same_beside_a_dashboard(tab: Tab) -> None:
    await tab.sign_in()
    sizes = []
    for path in ("/", "/dashboards/shop"):
        await tab.go(path)
        box = await tab.page.locator(".nav .icon").first.bounding_box()
        assert box
        sizes.append((box["width"], box["height"]))
    assert sizes[0] == sizes[1]
