"""``python -m shop.receiver``: the receiving ends of notifications as a process.

``POST /services/T…/B…/…`` is Slack's, ``POST /v2/enqueue`` PagerDuty's, ``POST /hook/<name>`` takes any
JSON. ``GET /received?since=N`` tells what arrived, ``/`` shows it. ``POST /faults`` makes the next
requests fail as if the service were away.
"""

import argparse
import json
import sys
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from shop.receiver import page, pagerduty, slack
from shop.receiver.store import Store
from shop.serving import serve

MAX_BODY = 1024 * 1024


class Receiver:
    """The endpoints over one store. ``failing`` counts the requests still to be answered 503."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._failing = 0
        self._only = ""
        self._retry_after = 0

    def _away(self, kind: str, path: str, body: bytes) -> Response | None:
        if self._failing <= 0 or self._only not in {"", kind}:
            return None
        self._failing -= 1
        self._keep(kind, path, 503, _decoded(body), "service unavailable (fault switch)", accepted=False)
        headers = {"Retry-After": str(self._retry_after)} if self._retry_after else None
        return PlainTextResponse("service unavailable", 503, headers)

    def _keep(self, kind: str, path: str, status: int, body: Any, title: str, *, accepted: bool, to: str = "") -> None:
        self._store.add(kind=kind, path=path, status=status, accepted=accepted, to=to, title=title, body=body)

    async def slack(self, request: Request) -> Response:
        """Slack's incoming webhook: 200 ``ok`` or 400 with a word that says why."""
        body = await _body(request)
        if body is None:
            return PlainTextResponse("invalid_payload", 400)
        away = self._away("slack", request.url.path, body)
        if away is not None:
            return away
        status, answer, message = slack.judge(request.headers.get("content-type", ""), body)
        shown = slack.title(message) if message else answer
        to = str(message.get("channel") or "") if message else ""
        self._keep("slack", request.url.path, status, message or _decoded(body), shown, accepted=status == 200, to=to)
        return PlainTextResponse(answer, status)

    async def pagerduty(self, request: Request) -> Response:
        """PagerDuty's Events API v2: 202 with the dedup key, or 400 with the list of errors."""
        body = await _body(request)
        if body is None:
            return JSONResponse({"status": "invalid event", "message": "too large", "errors": ["too large"]}, 413)
        away = self._away("pagerduty", request.url.path, body)
        if away is not None:
            return away
        status, answer, event = pagerduty.judge(body)
        shown = pagerduty.title(event) if event else "; ".join(answer["errors"])
        to = str(event["routing_key"])[:4] + "…" if event else ""
        kept = {**event, "dedup_key": answer["dedup_key"]} if event else _decoded(body)
        self._keep("pagerduty", request.url.path, status, kept, shown, accepted=status == 202, to=to)
        return JSONResponse(answer, status)

    async def hook(self, request: Request) -> Response:
        """Any JSON object, as generic webhooks send it: 200, or 400 for what is none."""
        body = await _body(request)
        if body is None:
            return JSONResponse({"error": "too large"}, 413)
        away = self._away("webhook", request.url.path, body)
        if away is not None:
            return away
        document = _decoded(body)
        good = isinstance(document, dict)
        shown = str(document.get("title") or document.get("message") or "") if good else "not a JSON object"
        name = request.path_params["name"]
        status = 200 if good else 400
        self._keep("webhook", request.url.path, status, document, shown, accepted=good, to=name)
        return JSONResponse({"ok": good}, status)

    async def received(self, request: Request) -> Response:
        """``{"next": N, "received": […]}``: what came after number ``since``, oldest first."""
        try:
            since = int(request.query_params.get("since", "0"))
        except ValueError:
            return JSONResponse({"error": "since must be a number"}, 400)
        return JSONResponse({"next": self._store.last, "received": self._store.since(since)})

    async def faults(self, request: Request) -> Response:
        """``{"fault": "unavailable", "count": N, "only": "slack", "retry_after": S}`` or ``{"fault": "reset"}``."""
        if request.method == "POST":
            try:
                wanted = await request.json()
                fault = wanted["fault"]
                count = int(wanted.get("count", 3)) if fault == "unavailable" else 0
                only, retry_after = str(wanted.get("only", "")), int(wanted.get("retry_after", 0))
            except (ValueError, KeyError, TypeError, AttributeError):
                fault, count, only, retry_after = "", -1, "", 0
            if fault not in {"unavailable", "reset"} or count < 0 or only not in {"", "slack", "pagerduty", "webhook"}:
                return JSONResponse(
                    {"error": "fault must be unavailable (with count, only, retry_after) or reset"}, 400
                )
            self._failing, self._only, self._retry_after = count, only, retry_after
        return JSONResponse({"failing": self._failing, "only": self._only}, 202 if request.method == "POST" else 200)

    async def home(self, request: Request) -> Response:
        """The page."""
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(page.render(self._store.since(0)), headers={"Content-Security-Policy": policy})

    async def health(self, request: Request) -> Response:
        """Whether the process lives."""
        return JSONResponse({"status": "ok"})


async def _body(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return body[:2000].decode("utf-8", "replace")


def create_app(path: str = "") -> Starlette:
    """The receiver, keeping what arrives in the file ``path`` too."""
    receiver = Receiver(Store(path))
    return Starlette(
        routes=[
            Route("/services/{rest:path}", receiver.slack, methods=["POST"]),
            Route("/v2/enqueue", receiver.pagerduty, methods=["POST"]),
            Route("/hook/{name}", receiver.hook, methods=["POST"]),
            Route("/received", receiver.received),
            Route("/faults", receiver.faults, methods=["GET", "POST"]),
            Route("/health", receiver.health),
            Route("/", receiver.home),
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, serve."""
    parser = argparse.ArgumentParser(
        prog="python -m shop.receiver", description="Takes Slack's and PagerDuty's requests."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3003)
    parser.add_argument("--store", default="", help="also append what arrives to this file of JSON lines")
    options = parser.parse_args(arguments)
    return serve("receiver", create_app(options.store), options.host, options.port)


if __name__ == "__main__":
    sys.exit(main())
