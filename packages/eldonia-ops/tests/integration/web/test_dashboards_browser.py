"""Dashboards as people make them, in Chromium over a platform that serves: made, arranged, saved, undone, imported."""

import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import pytest_asyncio
from required_tools import requires_module
from serving import Serving, serving

if TYPE_CHECKING:
    from playwright.async_api import Page

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser
API = "/api/ops/v1/dashboards"
REFUSED = ("412 (Precondition Failed)", "422 (Unprocessable")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """One that measures its own machine, so that there are metrics."""
    settings = {"host": {"enabled": True, "interval": "5s"}}
    with serving(tmp_path_factory.mktemp("platform"), settings) as running, running.client() as client:
        asked = {"queries": [{"ref": "A", "expr": "node_load1"}]}
        deadline = time.monotonic() + 90
        while not client.post(f"{API}/query", json=asked).json()["results"][0]["series"]:
            assert time.monotonic() < deadline
            time.sleep(0.5)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def api(platform: Serving) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {platform.token}"}
    async with httpx.AsyncClient(base_url=platform.url, headers=headers, trust_env=False, timeout=60) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def page(platform: Serving, browser: Any) -> AsyncIterator["Page"]:
    """A signed-in page that may not complain."""
    context = await browser.new_context(
        viewport={"width": 1400, "height": 1000}, timezone_id="Asia/Tokyo", locale="en-GB", reduced_motion="reduce"
    )
    opened = await context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: complaints.append(f"{error} {error.stack}"))
    answer = await context.request.post(
        f"{platform.url}/sign-in",
        form={"token": platform.token},
        headers={"Origin": platform.url},
        max_redirects=0,
    )
    assert answer.status == 303
    yield opened
    await context.close()
    assert [text for text in complaints if not any(one in text for one in REFUSED)] == []


def panel(id: int, x: int, y: int, *, expr: str = "node_load1", **more: Any) -> dict[str, Any]:
    queries = [{"ref": "A", "expr": expr}]
    return {"id": id, "title": f"P{id}", "grid": {"x": x, "y": y, "w": 12, "h": 6}, "queries": queries, **more}


async def made(api: httpx.AsyncClient, uid: str, panels: list[dict[str, Any]], **more: Any) -> None:
    body = {"dashboard": {"uid": uid, "title": uid, "panels": panels, **more}, "message": "first"}
    answer = await api.post(API, json=body)
    assert answer.status_code == 201, answer.text


async def places(api: httpx.AsyncClient, uid: str) -> dict[int, tuple[int, int, int, int]]:
    found = (await api.get(f"{API}/{uid}")).json()["dashboard"]
    return {one["id"]: tuple(one["grid"].get(key, 0) for key in "xywh") for one in found["panels"]}  # type: ignore[misc]


async def drag(page: "Page", selector: str, dx: float, dy: float) -> None:
    box = await page.locator(selector).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    for step in range(1, 9):
        await page.mouse.move(x + dx * step / 8, y + dy * step / 8)
    await page.mouse.up()


async def save(page: "Page", message: str) -> None:
    await page.click("#save")
    await page.fill("dialog[open] input[name=message]", message)
    await page.click("dialog[open] button[type=submit]")
    await expect(page.locator("#edit")).to_be_visible()


async def test_a_dashboard_is_made_from_nothing(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await page.goto(f"{platform.url}/dashboards/new")
    await page.click("#first-panel")
    await expect(page.locator(".editor")).to_be_visible()
    await page.locator(".query-editor .cm-content, .query-editor textarea").first.fill("node_load1")
    await page.keyboard.press("Enter")
    await page.fill("#panel-title", "Load of $host")
    await expect(page.locator(".editor .panel-card canvas")).to_have_count(1)
    await page.check(".type-choice input[value=stat]", force=True)
    await expect(page.locator(".editor .tile-value")).to_have_text(re.compile(r"^\d"))
    await page.click("#editor-done")
    await expect(page.locator(".panel-card h3")).to_have_text("Load of $host")
    await page.click("#add")
    await page.click(".menu-item:has-text('Row')")
    await expect(page.locator(".row-head")).to_have_count(1)
    await page.click("#save")
    await page.fill("dialog[open] input[name=title]", "Made by hand")
    await page.fill("dialog[open] input[name=message]", "begun")
    await page.click("dialog[open] button[type=submit]")
    await page.wait_for_url(re.compile(r"/dashboards/(?!new)"))
    await expect(page.locator("#title")).to_have_text("Made by hand")
    await expect(page.locator(".tile-value")).to_have_text(re.compile(r"^\d"))
    uid = page.url.rpartition("/")[2].partition("?")[0]
    stored = (await api.get(f"{API}/{uid}")).json()
    assert stored["message"] == "begun"
    assert [one["type"] for one in stored["dashboard"]["panels"]] == ["stat", "row"]
    await page.goto(f"{platform.url}/dashboards")
    await expect(page.locator(".dash-what a", has_text="Made by hand").first).to_be_visible()


async def test_panels_are_dragged_resized_undone_and_saved(
    page: "Page", platform: Serving, api: httpx.AsyncClient
) -> None:
    await made(api, "arranged", [panel(1, 0, 0), panel(2, 12, 0), panel(3, 0, 6)])
    await page.goto(f"{platform.url}/dashboards/arranged")
    await expect(page.locator(".panel-card canvas")).to_have_count(3)
    canvases = await page.query_selector_all(".panel-card canvas")
    await page.click("#edit")
    board = await page.locator(".grid").bounding_box()
    assert board is not None
    cell = (board["width"] + 8) / 24
    await drag(page, "[data-key='1'] .panel-grip", 12 * cell, 0)
    await expect(page.locator("#dirty")).to_be_visible()
    shown = "element => [...'xywh'].map((key) => Number(element.style.getPropertyValue('--' + key)))"
    assert await page.locator("[data-key='1']").evaluate(shown) == [12, 0, 12, 6]
    assert await page.locator("[data-key='2']").evaluate(shown) == [12, 6, 12, 6]
    # The same canvases: nothing was drawn anew because a panel was moved.
    for one in canvases:
        assert await one.evaluate("element => element.isConnected")
    await page.locator("[data-key='3'] .panel-card, [data-key='3']").first.scroll_into_view_if_needed()
    await drag(page, "[data-key='3'] .panel-corner", -4 * cell, 2 * 38)
    assert (await page.locator("[data-key='3']").evaluate(shown))[2:] == [8, 8]
    await page.keyboard.press("Control+z")
    assert (await page.locator("[data-key='3']").evaluate(shown))[2:] == [12, 6]
    await page.keyboard.press("Control+Shift+z")
    assert (await page.locator("[data-key='3']").evaluate(shown))[2:] == [8, 8]
    await page.locator("[data-key='1'] .panel-grip").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator("#said")).to_contain_text("Column 12")
    await page.keyboard.press("Shift+ArrowDown")
    assert await page.locator("[data-key='1']").evaluate(shown) == [11, 0, 12, 7]
    await page.keyboard.press("Control+z")
    await page.keyboard.press("Control+z")
    await save(page, "arranged")
    await page.reload()
    await expect(page.locator(".panel-card canvas")).to_have_count(3)
    assert (await places(api, "arranged"))[1] == (12, 0, 12, 6)
    assert await page.locator("[data-key='1']").evaluate(shown) == [12, 0, 12, 6]


async def test_versions_are_compared_and_restored(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "versions", [panel(1, 0, 0)])
    await page.goto(f"{platform.url}/dashboards/versions")
    await page.click("#edit")
    await page.click("[data-key='1'] .panel-more")
    await page.click(".menu-item:has-text('Duplicate')")
    await expect(page.locator(".panel-card")).to_have_count(2)
    await save(page, "one more")
    await page.click("#more")
    await page.click(".menu-item:has-text('Versions')")
    await expect(page.locator(".versions li")).to_have_count(2)
    await expect(page.locator(".diff .plus").first).to_be_visible()
    await page.click(".versions li:last-child button")
    await expect(page.locator(".panel-card")).to_have_count(1)
    assert len(await places(api, "versions")) == 1
    await page.click(".toast button")
    await expect(page.locator(".panel-card")).to_have_count(2)
    assert len((await api.get(f"{API}/versions/versions")).json()) == 4


async def test_two_who_save_at_once_see_each_other(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "contested", [panel(1, 0, 0)])
    await page.goto(f"{platform.url}/dashboards/contested")
    await page.click("#edit")
    await page.click("#settings")
    await page.fill("dialog[open] input[name=title]", "Mine")
    await page.click("dialog[open] button[type=submit]")
    view = (await api.get(f"{API}/contested")).json()
    theirs = view["dashboard"] | {"title": "Theirs"}
    headers = {"If-Match": view["etag"]}
    saved = await api.put(f"{API}/contested", json={"dashboard": theirs, "message": "quicker"}, headers=headers)
    assert saved.is_success
    await page.click("#save")
    await page.click("dialog[open] button[type=submit]")
    dialog = page.locator("dialog[open]")
    await expect(dialog).to_contain_text("quicker")
    await expect(dialog).to_contain_text("version 2")
    await dialog.get_by_role("button", name="Keep mine").click()
    await expect(page.locator("#edit")).to_be_visible()
    await expect(page.locator("#title")).to_have_text("Mine")
    assert (await api.get(f"{API}/contested")).json()["dashboard"]["title"] == "Mine"


async def test_leaving_with_changes_asks(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "left", [panel(1, 0, 0), panel(2, 12, 0)])
    await page.goto(f"{platform.url}/dashboards/left")
    await page.click("#edit")
    await page.click("[data-key='1'] .panel-more")
    await page.click(".menu-item.is-danger")
    await expect(page.locator(".panel-card")).to_have_count(1)
    await page.click("#discard")
    await expect(page.locator("dialog[open] .changes")).to_contain_text("Removed: P1")
    await page.get_by_role("button", name="Discard changes").click()
    await expect(page.locator(".panel-card")).to_have_count(2)
    await expect(page.locator("#edit")).to_be_visible()


async def test_a_dashboard_of_grafana_is_imported(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    target = {"refId": "A", "expr": "node_load1", "legendFormat": "{{instance}}"}
    source = {"type": "prometheus", "uid": "x"}
    given = {
        "title": "From elsewhere",
        "uid": "elsewhere",
        "schemaVersion": 39,
        "panels": [
            {"id": 1, "type": "timeseries", "title": "Load", "datasource": source, "targets": [target],
             "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "fieldConfig": {"defaults": {"unit": "short"}}},
            {"id": 2, "type": "geomap", "title": "Map", "datasource": source, "targets": [target],
             "gridPos": {"x": 12, "y": 0, "w": 12, "h": 8}},
        ],
    }  # fmt: skip
    await page.goto(f"{platform.url}/dashboards")
    await page.click("#import")
    await page.fill(".import-text", json.dumps(given))
    await expect(page.locator(".import-report")).to_contain_text("From elsewhere")
    await expect(page.locator(".import-report")).to_contain_text("Map")
    assert (await api.get(f"{API}/elsewhere")).status_code == 404  # a dry run
    await page.click("dialog[open] button[type=submit]")
    await page.wait_for_url(re.compile(r"/dashboards/elsewhere"))
    await expect(page.locator(".panel-card canvas").first).to_be_visible()
    await expect(page.locator("#title")).to_have_text("From elsewhere")


async def test_a_deleted_dashboard_comes_back(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "gone", [panel(1, 0, 0)])
    await page.goto(f"{platform.url}/dashboards/gone")
    await expect(page.locator(".panel-card")).to_have_count(1)  # the page's script runs: before, a click does nothing
    await page.click("#more")
    await page.click(".menu-item.is-danger")
    await page.wait_for_url(re.compile(r"/dashboards$"))
    assert (await api.get(f"{API}/gone")).status_code == 404
    await page.click(".toast button")
    await expect(page.locator(".dash-what a", has_text="gone").first).to_be_visible()
    assert (await api.get(f"{API}/gone")).is_success


async def test_twenty_panels_are_one_request(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    grids = [{"x": 6 * (at % 4), "y": 4 * (at // 4), "w": 6, "h": 4} for at in range(20)]
    small = [{**panel(at + 1, 0, 0), "grid": grid} for at, grid in enumerate(grids)]
    far = [panel(40 + at, 0, 20 + 6 * at) for at in range(20)]
    await made(api, "twenty", [*small, *far])
    asked: list[list[str]] = []

    def keep(request: Any) -> None:
        if request.url.endswith("/dashboards/query") or "/dashboards/query?" in request.url:
            asked.append([one["key"] for one in request.post_data_json["queries"]])

    page.on("request", keep)
    await page.goto(f"{platform.url}/dashboards/twenty")
    await expect(page.locator(".panel-card canvas").nth(19)).to_be_attached()
    assert len(asked) == 1, asked
    assert {str(at + 1) for at in range(20)} <= set(asked[0])
    assert "59" not in asked[0]  # far below the window
    await page.locator("[data-key='59']").scroll_into_view_if_needed()
    await expect(page.locator("[data-key='59'] canvas")).to_be_attached()
    assert any("59" in keys for keys in asked[1:])
    assert len({key for keys in asked for key in keys}) == sum(map(len, asked)), "no panel is asked for twice"


async def test_variables_zoom_table_and_full_screen(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(
        api,
        "chosen",
        [panel(1, 0, 0, expr='node_load1{instance="$instance"}', options={"legend": {"calcs": ["max"]}})],
        variables=[{"name": "instance", "type": "query", "query": "label_values(node_load1, instance)"}],
    )
    await page.goto(f"{platform.url}/dashboards/chosen")
    await expect(page.locator(".panel-card canvas")).to_be_visible()
    region = page.get_by_role("region", name="P1")
    await expect(region).to_be_visible()
    await page.click(".variable .choice")
    await page.keyboard.type("zzz")
    await expect(page.locator(".choice-list [role=option]")).to_have_count(0)
    await page.keyboard.press("Escape")
    box = await page.locator(".u-over").first.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 100, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + 300, box["y"] + 40, steps=4)
    await page.mouse.up()
    await page.wait_for_url(re.compile(r"from=\d+&to=\d+"))
    await page.go_back()
    await page.goto(f"{platform.url}/dashboards/chosen")
    await expect(page.locator(".panel-card canvas")).to_be_visible()
    await page.click(".panel-more")
    await page.click(".menu-item:has-text('Show as table')")
    await expect(region.locator("table tbody tr").first).to_be_visible()
    await page.hover("[data-key='1']")
    await page.keyboard.press("v")
    await page.wait_for_url(re.compile(r"view=1"))
    await expect(page.locator(".board.solo")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator(".board.solo")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_a_phone_shows_one_column_without_sideways_scrolling(
    page: "Page", platform: Serving, api: httpx.AsyncClient, language: str
) -> None:
    await made(api, f"phone-{language}", [panel(1, 0, 0), panel(2, 12, 0)])
    await page.set_viewport_size({"width": 390, "height": 844})
    for path in (f"/dashboards/phone-{language}?lang={language}", "/dashboards", "/dashboards/host", "/dashboards/new"):
        await page.goto(platform.url + path)
        await page.wait_for_load_state("networkidle")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    await page.goto(f"{platform.url}/dashboards/phone-{language}")
    await expect(page.locator(".panel-card")).to_have_count(2)
    first, second = [await one.bounding_box() for one in await page.locator(".panel-card").all()]
    assert first is not None
    assert second is not None
    assert first["x"] == second["x"]
    assert second["y"] > first["y"]


async def test_a_finger_drags_a_panel(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "touched", [panel(1, 0, 0), panel(2, 12, 0)])
    await page.set_viewport_size({"width": 1024, "height": 768})
    devtools = await page.context.new_cdp_session(page)
    await devtools.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    await page.goto(f"{platform.url}/dashboards/touched")
    await page.click("#edit")
    grip = await page.locator("[data-key='1'] .panel-grip").bounding_box()
    board = await page.locator(".grid").bounding_box()
    assert grip is not None
    assert board is not None
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    across = 12 * (board["width"] + 8) / 24

    async def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": left, "y": top} for left, top in points]
        await devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    await touch("touchStart", (x, y))
    for step in range(1, 9):
        await touch("touchMove", (x + across * step / 8, y))
    await touch("touchEnd")
    await expect(page.locator("#dirty")).to_be_visible()
    await save(page, "by finger")
    assert (await places(api, "touched"))[1] == (12, 0, 12, 6)


async def test_an_empty_panel_says_why(page: "Page", platform: Serving, api: httpx.AsyncClient) -> None:
    await made(api, "empty", [panel(1, 0, 0, expr='node_load1{instance="$wrong"}'), panel(2, 12, 0, expr="node_laod1")])
    await page.goto(f"{platform.url}/dashboards/empty")
    note = page.locator("[data-key='2'] .panel-note")
    await note.get_by_role("button", name="Why is this empty?").click()
    await note.get_by_role("button", name="node_load1").first.click()
    await page.wait_for_url(re.compile(r"/explore\?.*node_load1"))
