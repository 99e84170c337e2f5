"""Recognises cross-site request forgery by what browsers say about where a request comes from.

A request that changes something, carries cookies and was made by another site's page is one. Browsers send
by ``Sec-Fetch-Site`` (https://www.w3.org/TR/fetch-metadata/), older ones and plain HTTP by ``Origin``.
Where a token is sent twice, in a cookie and in a header or form field, the two must belong together.
Requests without cookies use no session and pass.
"""

import string
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from eldonia_telemetry.security.detection import Detection

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "QUERY"})

# Cookie and header names of the frameworks that compare the two (Django, Litestar, starlette-csrf; Angular).
_PAIRS: Final = ((b"csrftoken", b"x-csrftoken"), (b"XSRF-TOKEN", b"x-xsrf-token"))
_FORM_FIELDS: Final = ("csrfmiddlewaretoken", "_csrf_token")
_ALPHABET: Final = string.ascii_letters + string.digits


class CrossSite:
    """Judges requests. ``trusted_origins`` may post from outside, such as ``https://pay.example``."""

    def __init__(self, trusted_origins: Iterable[str] = ()) -> None:
        self._trusted = frozenset(origin.rstrip("/").lower() for origin in trusted_origins)

    def judge(self, headers: Mapping[bytes, bytes], forwarded_host: bytes = b"") -> Detection | None:
        """Look at the headers (lower-case names) of a request whose method is not safe."""
        cookie = headers.get(b"cookie")
        if not cookie:
            return None
        origin = headers.get(b"origin", b"").decode("latin-1").rstrip("/").lower()
        site = headers.get(b"sec-fetch-site")
        if origin not in self._trusted:
            if site == b"cross-site":
                return _found("cross_site_request", "sec-fetch-site", origin or "cross-site")
            if site is None and origin and origin != "null" and not _same(origin, headers, forwarded_host):
                return _found("cross_site_request", "origin", origin)
        for cookie_name, header_name in _PAIRS:
            sent = headers.get(header_name)
            if sent is not None and cookie_name in cookie:
                kept = _cookie(cookie, cookie_name)
                if kept and not belong_together(kept, sent.decode("latin-1")):
                    return _found("csrf_token_mismatch", header_name.decode(), "")
        return None

    def judge_form(self, headers: Mapping[bytes, bytes], fields: Iterable[tuple[str, str]]) -> Detection | None:
        """Compare a form's token field with the cookie."""
        cookie = headers.get(b"cookie", b"")
        if b"csrftoken" in cookie:
            kept = _cookie(cookie, b"csrftoken")
            for name, value in fields:
                if kept and name in _FORM_FIELDS and not belong_together(kept, value):
                    return _found("csrf_token_mismatch", f"form field {name}", "")
        return None


def belong_together(one: str, other: str) -> bool:
    """Whether two spellings are of one token: equal, or equal beneath Django's masks.

    Django writes a secret of 32 characters behind a random mask of as many, another one each time
    (``django.middleware.csrf``). This is for observation; it is not an access check.
    """
    one, other = unquote(one).strip('"'), unquote(other).strip('"')
    return one == other or _unmasked(one) == _unmasked(other)


def _unmasked(token: str) -> str:
    if len(token) != 64 or not token.isascii() or not token.isalnum():
        return token
    mask, hidden = token[:32], token[32:]
    return "".join(
        _ALPHABET[(_ALPHABET.index(h) - _ALPHABET.index(m)) % len(_ALPHABET)] for m, h in zip(mask, hidden, strict=True)
    )


def _same(origin: str, headers: Mapping[bytes, bytes], forwarded_host: bytes) -> bool:
    """Whether the origin is this host, or a host that one of the two is a subdomain of."""
    there = _host(origin)
    for raw in (headers.get(b"host", b""), forwarded_host):
        here = _host("//" + raw.decode("latin-1").lower()) if raw else ""
        if here and there and (here == there or here.endswith("." + there) or there.endswith("." + here)):
            return True
    return False


def _host(url: str) -> str:
    """Without ``www.``; '' for what is no address: an attacker must not switch this off by sending one."""
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _cookie(header: bytes, name: bytes) -> str:
    for part in header.split(b";"):
        key, _, value = part.strip().partition(b"=")
        if key == name:
            return value.decode("latin-1")
    return ""


def _found(kind: str, where: str, matched: str) -> Detection:
    return Detection(kind, "csrf_attempt", "medium", where, matched[:200])
