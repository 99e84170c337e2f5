"""Browsers in a few words, for lists of sessions."""

import re
from typing import Final

_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Vivaldi", "Vivaldi"),
    ("FxiOS", "Firefox"), ("Firefox", "Firefox"), ("CriOS", "Chrome"), ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Macintosh", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
_PRODUCT: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,30}", re.ASCII)


def shortened(header: str) -> str:
    """``Firefox · Windows`` for a ``User-Agent`` header; its first product for programs, '' for none.

    It says what a browser calls itself, so it helps to tell one's own devices apart, and proves nothing.
    """
    text = header[:500]
    browser = next((name for mark, name in _BROWSERS if f"{mark}/" in text), "")
    system = next((name for mark, name in _SYSTEMS if mark in text), "")
    if browser or system:
        return " · ".join(part for part in (browser, system) if part)
    product = _PRODUCT.match(text)
    return product[0].partition("/")[0].strip() if product else ""
