"""What the platform said in English is read in Japanese, and what was said in Japanese in English."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio
from required_tools import requires_module

from eldonia_ops.model.access import Role
from eldonia_ops.model.alerts import LedgerEntry
from eldonia_ops.model.labels import Labels

requires_module("playwright")
from playwright.async_api import expect  # noqa: E402

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser

SUMMARY = {"en": "front does not answer as it should", "ja": "front が正しく応答しません"}
ERROR = {
    "en": "connection refused: nothing listens there",
    "ja": "接続が拒否されました（待ち受けているプログラムがありません）",
}
REASON = {
    "en": "of the outage that ProbeFailed is sent for: both are about shop",
    "ja": "ProbeFailed で通知済みの障害に含まれます：どちらも shop に関するものです",
}


@pytest_asyncio.fixture(loop_scope="session", params=["en", "ja"])
async def pages(request: Any, site: Any, browser: Any, monkeypatch: Any) -> "AsyncIterator[tuple[Any, str, str]]":
    """A page whose reader has another language than what the platform kept: the page, kept language, read language."""
    kept = request.param
    platform = site.platform
    targets = [replace(one, error=ERROR[kept] if one.error else "") for one in platform.status.targets()]
    monkeypatch.setattr(platform.status, "targets", lambda: targets)
    views = await platform.alerts.current()
    texts = Labels({"summary": SUMMARY[kept], "description": ERROR[kept]})
    views = [replace(one, alert=replace(one.alert, annotations=texts)) for one in views]

    async def current() -> Any:
        return views

    async def explain(**_: Any) -> list[LedgerEntry]:
        return [LedgerEntry(1, platform.now(), "f", "ProbeFailed", "team", "inhibited", REASON[kept])]

    monkeypatch.setattr(platform.alerts, "current", current)
    monkeypatch.setattr(platform.alerts, "explain", explain)
    read = "ja" if kept == "en" else "en"
    context = await browser.new_context(locale="ja-JP" if read == "ja" else "en-GB", reduced_motion="reduce")
    answer = await context.request.post(
        f"{site.url}/sign-in",
        form={"token": platform.secrets[Role.ADMIN]},
        headers={"Origin": site.url},
        max_redirects=0,
    )
    assert answer.status == 303
    yield await context.new_page(), kept, read
    await context.close()


async def test_targets_alerts_and_the_ledger_are_said_in_the_language_of_their_reader(
    site: Any, pages: tuple[Any, str, str]
) -> None:
    page, kept, read = pages
    await page.goto(f"{site.url}/targets")
    await expect(page.locator("#targets .bad").filter(has_text=ERROR[read])).to_have_count(1)
    await page.goto(f"{site.url}/alerts")
    await expect(page.locator("article p").filter(has_text=SUMMARY[read]).first).to_be_visible()
    await expect(page.locator("article p").filter(has_text=ERROR[read]).first).to_be_visible()
    await page.goto(f"{site.url}/alerts#ledger")
    await expect(page.locator(".ledger").filter(has_text=REASON[read])).to_be_visible()
    for text in (SUMMARY, ERROR, REASON):
        await expect(page.get_by_text(text[kept])).to_have_count(0)


async def test_a_refusal_is_said_in_the_language_of_its_reader(site: Any, pages: tuple[Any, str, str]) -> None:
    page, _, read = pages
    await page.goto(f"{site.url}/alerts")
    message = await page.evaluate(
        "async () => (await (await fetch(`/api/ops/v1/silences/x?lang=${document.documentElement.lang}`,"
        " {method: 'DELETE', headers: {'X-CSRF-Token': document.querySelector('meta[name=csrf-token]').content}}))"
        ".json()).error.message"
    )
    assert message == ("サイレンス x はありません" if read == "ja" else "silence x not found")
