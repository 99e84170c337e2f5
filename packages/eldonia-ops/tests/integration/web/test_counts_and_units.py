"""Numbers on pages: alerts counted alike, incidents that mention a person, thresholds with their units."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from required_tools import requires_module

from eldonia_ops.model.access import Role

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser


@pytest_asyncio.fixture(loop_scope="session", params=["en-GB", "ja-JP"])
async def page(request: Any, site: Any, browser: Any) -> AsyncIterator[Any]:
    context = await browser.new_context(locale=request.param, reduced_motion="reduce")
    answer = await context.request.post(
        f"{site.url}/sign-in",
        form={"token": site.platform.secrets[Role.ADMIN]},
        headers={"Origin": site.url},
        max_redirects=0,
    )
    assert answer.status == 303
    yield await context.new_page()
    await context.close()


async def test_the_menu_and_the_tab_count_the_same_alerts(page: Any, site: Any, monkeypatch: Any) -> None:
    first = (await site.platform.alerts.current())[0]
    states = ["firing", "firing", "firing", "pending", "pending", "suppressed"]
    views = [replace(first, state=state) for state in states]

    async def current() -> Any:
        return views

    monkeypatch.setattr(site.platform.alerts, "current", current)
    await page.goto(f"{site.url}/alerts")
    await expect(page.locator("article.alert-card:visible")).to_have_count(6)
    await expect(page.locator("#tab-current .count")).to_have_text("3")
    await expect(page.locator('[data-count="alerts"]')).to_have_text("3")


async def test_an_incident_that_mentions_me_is_mine(page: Any, site: Any) -> None:
    me = (await (await page.context.request.get(f"{site.url}/api/ops/v1/me")).json())["name"]
    platform = site.platform
    incidents = await platform.incidents.find()
    await platform.incidents.note("INC-2", "ken", f"@{me}, can you look?")
    await page.goto(f"{site.url}/incidents#mine")
    await expect(page.locator("#rows .ref")).to_have_text(
        sorted({one.reference for one in incidents if one.assigned_to == me} | {"INC-2"}, reverse=True)
    )


async def test_thresholds_have_their_units(page: Any, site: Any) -> None:
    await page.goto(f"{site.url}/rules")
    row = page.locator("#rules tr").filter(has_text="HighCPUUsage")
    await expect(row.locator("td.num").nth(0)).to_have_text("41.5 %")
    await expect(row.locator("td.num").nth(1)).to_contain_text("80 %")
    await row.locator("button").click()
    japanese = await page.get_attribute("html", "lang") == "ja"
    await expect(page.locator("label[for=rule-threshold] span")).to_have_text(
        "しきい値（%）" if japanese else "Threshold (%)"
    )
    await expect(page.locator("label[for=rule-threshold] small")).to_contain_text("80 %")
