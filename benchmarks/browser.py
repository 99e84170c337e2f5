"""Chromium for benchmarks of pages: Debian's, or whatever is on PATH, driven by Playwright."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextlib.contextmanager
def browser(program: str, home: Path) -> Iterator[Any]:
    """A browser of Playwright's synchronous API; its files are below ``home``."""
    from playwright.sync_api import sync_playwright  # a tool of the tests

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=program, args=list(_ARGUMENTS), env={**os.environ, "HOME": str(home)}
        )
        try:
            yield opened
        finally:
            opened.close()


def sign_in(context: Any, url: str, token: str) -> None:
    """Give a context the cookie of a session."""
    answer = context.request.post(f"{url}/sign-in", form={"token": token}, headers={"Origin": url}, max_redirects=0)
    assert answer.status == 303
