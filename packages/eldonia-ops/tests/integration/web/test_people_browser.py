"""Sign-in, invitation, one's own account and people, in a real browser."""

import asyncio
import time
from typing import Any

import pytest
import pytest_asyncio
from fake_platform.platform import password_of

ON_THE_CLOCK = """async (ms) => {
  const shell = document.querySelector('script[type=module]').src;
  const { timeOfDay, zoneName } = await import(shell.replace(/(\\/static\\/[^/]+\\/).*/, "$1js/lib/format.js"));
  return zoneName + timeOfDay(ms);
}"""
pytestmark = [pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Any, site: Any) -> Any:
    """A page of a browser in London, where it is bright."""
    site.platform.with_people()
    context = await browser.new_context(locale="en-GB", timezone_id="Europe/London", color_scheme="light")
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    await context.close()
    assert faults == []


async def sign_in(page: Any, site: Any, name: str, password: str = "") -> None:
    await page.goto(f"{site.url}/sign-in?next=/account")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", password or password_of(name))
    await page.click("form:has(input[name=name]) button")
    await page.wait_for_url(f"{site.url}/account")


async def test_an_invited_person_sets_a_password_and_the_link_leaves_no_trace(page: Any, site: Any) -> None:
    _, link = await site.platform.accounts.new_link("tomo")
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    await page.goto(f"{site.url}/join#{link.secret}")
    await page.wait_for_selector("input[name=again]")
    assert "Welcome, Tomo" in await page.inner_text("h1")
    assert link.secret not in page.url
    assert not any(link.secret in url for url in seen), "the secret is in no address that a server sees"
    await page.fill("input[name=password]", "one good password")
    await page.fill("input[name=again]", "one good passwort")
    await page.click("button")
    await page.wait_for_selector("text=The two passwords are not the same.")
    await page.fill("input[name=password]", "one good password")
    await page.fill("input[name=again]", "one good password")
    await page.click("button")
    await page.wait_for_url(f"{site.url}/")
    await page.goto(f"{site.url}/join#{link.secret}")
    await page.wait_for_selector("text=This link is not valid any more")


async def test_preferences_change_the_times_and_the_language_of_pages(page: Any, site: Any) -> None:
    await sign_in(page, site, "mio")
    assert "Times are in Europe/London" in await page.inner_text("#zone")
    await page.fill("#preferences input[name=time_zone]", "Asia/Tokyo")
    await page.select_option("#preferences select[name=language]", "ja")
    await page.select_option("#preferences select[name=theme]", "dark")
    async with page.expect_navigation():
        await page.click("#preferences button")
    assert "時刻は Asia/Tokyo です" in await page.inner_text("#zone")
    assert await page.get_attribute("html", "data-theme") == "dark"
    # The switches in the head change the same preferences.
    async with page.expect_navigation():
        await page.click("#language")
    assert site.platform.state.stored_accounts["a2"].preferences.language == "en"
    await page.click("#theme")
    deadline = time.monotonic() + 10
    while site.platform.state.stored_accounts["a2"].preferences.theme != "light":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    instant = int(time.time() * 1000)
    shown = await page.evaluate(ON_THE_CLOCK, instant)
    hour = (instant // 3_600_000 + 9) % 24
    assert shown.startswith(f"Asia/Tokyo{hour:02d}:")


async def test_a_password_is_changed_and_other_browsers_are_signed_out(page: Any, browser: Any, site: Any) -> None:
    await sign_in(page, site, "ken")
    other = await (await browser.new_context()).new_page()
    await sign_in(other, site, "ken")
    await page.reload()
    await page.wait_for_selector("#sessions li >> nth=1")
    await page.fill("#password input[name=old]", password_of("ken"))
    await page.fill("#password input[name=new]", "one good password")
    await page.fill("#password input[name=again]", "one good password")
    await page.click("#password button")
    await page.wait_for_selector("text=Your password has been changed")
    await page.wait_for_function("document.querySelectorAll('#sessions li').length === 1")
    await other.goto(f"{site.url}/logs")
    assert "/sign-in" in other.url
    await other.context.close()


async def test_an_admin_invites_disables_and_undoes_it(page: Any, browser: Any, site: Any) -> None:
    person = await (await browser.new_context()).new_page()
    await sign_in(person, site, "mio")
    await sign_in(page, site, "hana")
    await page.goto(f"{site.url}/people")
    await page.fill("#invite input[name=name]", "yuki")
    await page.click("#invite button")
    await page.wait_for_selector("#link:not([hidden])")
    assert f"{site.url}/join#eopl_" in await page.inner_text("#link-text")
    row = page.locator("#people tr", has_text="mio@shop.example")
    await row.get_by_role("button", name="Disable").click()
    assert "signed out everywhere" in await page.inner_text("#confirm-text")
    await page.click("#confirm-yes")
    await row.get_by_text("Disabled").wait_for()
    await person.goto(f"{site.url}/logs")
    assert "/sign-in" in person.url
    await page.get_by_role("button", name="Undo").click()
    await row.get_by_text("Active").wait_for()
    own = page.locator("#people tr", has_text="hana@shop.example")
    assert await own.get_by_role("button", name="Disable").count() == 0, "not oneself"
    await row.get_by_role("button", name="Edit").click()
    await page.select_option("#edit-form select[name=role]", "responder")
    await page.click("#edit-form .primary")
    await row.get_by_text("Responder").wait_for()
    await person.context.close()


@pytest.mark.parametrize("width", [390, 1440])
async def test_nothing_is_wider_than_the_screen(page: Any, site: Any, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 800})
    await sign_in(page, site, "hana")
    for path in ("/account", "/people", "/account?lang=ja", "/people?lang=ja", "/settings"):
        await page.goto(site.url + path)
        await page.wait_for_timeout(500)
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
