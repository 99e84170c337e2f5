"""Accessibility by axe-core (https://github.com/dequelabs/axe-core): no finding of WCAG 2.1 A or AA on any page.

What a person has to look at, such as the order in which things are read, axe leaves open; it finds contrast, names,
roles and structure.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from required_tools import missing, requires_module

from eldonia_ops.model.access import Role
from eldonia_ops.web.pages import PAGES

requires_module("playwright")
if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

ROOT = Path(__file__).parents[5]
AXE = ROOT / "tools" / "javascript" / "node_modules" / "axe-core" / "axe.min.js"
NAMES = {"{incident}": "INC-3", "{trace_id}": "0" * 32, "{uid}": "shop", "{service:path}": "shop"}
PATHS = [
    *(page.path for page in PAGES),
    "/logs?query=*|timechart 5m count() by level",
    "/logs?query=*|dedup service",
    "/logs?query=level:[",
    *(f"/alerts#{tab}" for tab in ("rules", "silences", "outbox", "ledger")),
    "/incidents#mine",
    "/dashboards/shop?edit=1",
    "/no-such-page",
]
LOOKS: list[tuple[int, Any, str]] = [
    (1440, "dark", "en"),
    (390, "light", "en"),
    (390, "dark", "ja"),
    (1440, "light", "ja"),
]
"""Width, theme and language; the page is loaded anew where the language changes."""

pytestmark = pytest.mark.asyncio(loop_scope="session")  # that of the browser


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def context(unchanged_site: Any, browser: Any) -> "AsyncIterator[BrowserContext]":
    """An administrator's, who looks and changes nothing."""
    if not AXE.is_file():
        missing("tools/javascript is not installed (make check installs it)")
    context = await browser.new_context(locale="en-GB", reduced_motion="reduce")
    answer = await context.request.post(
        f"{unchanged_site.url}/sign-in",
        form={"token": unchanged_site.platform.secrets[Role.ADMIN]},
        headers={"Origin": unchanged_site.url},
        max_redirects=0,
    )
    assert answer.status == 303
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: "BrowserContext") -> "AsyncIterator[Page]":
    page = await context.new_page()
    yield page
    await page.close()


async def findings(page: "Page") -> list[str]:
    """What axe finds, a line for each rule with the first elements."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(AXE.read_text("utf-8"))
    # Other types of results are not gathered: that takes as long as the search.
    found = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']})"
        ".then((one) => one.violations)"
    )
    return [
        f"{one['impact']} {one['id']}: {one['help']}: "
        + "; ".join(f"{node['target']} {node['failureSummary'][:160]}" for node in one["nodes"][:4])
        for one in found
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_no_page_has_a_finding(page: "Page", unchanged_site: Any, path: str) -> None:
    for name, value in NAMES.items():
        path = path.replace(name, value)
    language = ""
    for width, theme, wanted in LOOKS:
        await page.set_viewport_size({"width": width, "height": 900})
        await page.emulate_media(color_scheme=theme)
        if wanted != language:
            language = wanted
            address, _, tab = (unchanged_site.url + path).partition("#")
            # A page of the same address with another tab would not be loaded.
            await page.goto("about:blank")
            await page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}{'#' if tab else ''}{tab}")
            await page.wait_for_load_state("networkidle")
            assert await page.get_attribute("html", "lang") == language
        assert await findings(page) == [], (width, theme, language)


async def opened(page: "Page", unchanged_site: Any, path: str, button: str) -> None:
    await page.goto(unchanged_site.url + path)
    await page.wait_for_load_state("networkidle")
    await page.locator(button).first.click()
    await page.wait_for_selector("dialog[open]")


@pytest.mark.parametrize(
    ("path", "button"),
    [
        ("/rules?lang=ja", "#rules button"),
        ("/rules?lang=en", "#rule-new"),
        ("/alerts?lang=ja", "#silence-new"),
        ("/incidents?lang=ja", "#open-new"),
        ("/targets?lang=ja", "#add-kinds button"),
        ("/logs?lang=ja", "#saved-open"),
    ],
)
async def test_no_dialog_has_a_finding(page: "Page", unchanged_site: Any, path: str, button: str) -> None:
    await page.set_viewport_size({"width": 390, "height": 844})
    await opened(page, unchanged_site, path, button)
    for theme in ("dark", "light"):
        await page.emulate_media(color_scheme=theme)  # pyright: ignore[reportArgumentType]
        assert await findings(page) == [], theme


async def test_the_sign_in_page_has_none(unchanged_site: Any, browser: Any) -> None:
    context = await browser.new_context(locale="ja-JP", color_scheme="dark")
    page = await context.new_page()
    await page.goto(f"{unchanged_site.url}/sign-in")
    assert await findings(page) == []
    # And what is wrong would be found.
    await page.evaluate("document.querySelector('main, body').append(new Image())")
    assert ["image-alt" in one for one in await findings(page)] == [True]
    await context.close()
