"""Asks the HTTP servers of this machine what they are: a page, metrics, nginx' stub_status."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import httpx

from eldonia_ops.discovery.facts import Listener, WebAnswer
from eldonia_ops.protocols.prometheus.text import ExpositionError, ScrapeParser

_PATHS: Final = ("/", "/health", "/healthz", "/-/healthy", "/api/health")
_STATUS_PATHS: Final = ("/nginx_status", "/stub_status", "/basic_status", "/status")
_STUB: Final = b"Active connections:"
_MOST_BYTES: Final = 4 << 20
_SECONDS: Final = 1.5
_AT_ONCE: Final = 16
_AS_IT_IS: Final = {"Accept-Encoding": "identity"}
_MOST_FILES: Final = 200
_LOCATION: Final = re.compile(r"location\s{1,9}(?:=\s{0,9})?(/[\w./-]{0,99})\s{0,9}\{[^{}]{0,500}\bstub_status\b")


async def ask(found: Iterable[Listener], status_paths: Iterable[str] = ()) -> list[WebAnswer]:
    """What each answers; those that speak no HTTP, or not within a second, are left out."""
    limit = asyncio.Semaphore(_AT_ONCE)
    paths = tuple(dict.fromkeys((*status_paths, *_STATUS_PATHS)))
    # Nothing is followed beyond this machine: a redirect is an answer.
    async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS, headers={"User-Agent": "eldonia-ops init"}) as http:

        async def one(listener: Listener) -> WebAnswer | None:
            async with limit:
                return await _look(http, listener, paths)

        answers = await asyncio.gather(*(one(listener) for listener in found))
    return [answer for answer in answers if answer is not None]


async def _look(http: httpx.AsyncClient, listener: Listener, status_paths: tuple[str, ...]) -> WebAnswer | None:
    base = f"http://{listener.address}"
    first = await _get(http, f"{base}/metrics")
    if first is None:
        return None
    status, body = first
    metrics = metric_names(body) if status == 200 else ()
    stub = ""
    if listener.program.name in ("nginx", "openresty", ""):
        for path in status_paths:
            answer = await _get(http, base + path)
            if answer is not None and answer[0] == 200 and answer[1].startswith(_STUB):
                stub = path
                break
    for path in _PATHS:
        answer = await _get(http, base + path)
        if answer is not None and answer[0] == 200:
            return WebAnswer(listener, path, metrics, status, stub)
    return WebAnswer(listener, "", metrics, status, stub)


async def _get(http: httpx.AsyncClient, url: str) -> tuple[int, bytes] | None:
    """Status and the first bytes of an answer, None without one in time."""
    try:
        async with (
            asyncio.timeout(_SECONDS),
            http.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer,
        ):
            body = bytearray()
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > _MOST_BYTES:
                    break
            return answer.status_code, bytes(body)
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return None


def metric_names(body: bytes) -> tuple[str, ...]:
    """The names of a body in Prometheus' text format, each once; none where a scrape would not take it."""
    parser = ScrapeParser()
    try:
        parser.parse(body)
    except ExpositionError:
        return ()
    return tuple(dict.fromkeys(labels.name for labels in parser.series))


def configured_status_paths(folder: Path = Path("/etc/nginx")) -> tuple[str, ...]:
    """Paths of stub_status in nginx' files, as far as they may be read."""
    found: list[str] = []
    try:
        files = sorted(path for path in folder.rglob("*") if path.is_file())[:_MOST_FILES]
    except OSError:
        return ()
    for file in files:
        try:
            text = file.read_text("utf-8", "replace")[:200_000]
        except OSError:
            continue
        found += _LOCATION.findall(text)
    return tuple(dict.fromkeys(found))[:20]
