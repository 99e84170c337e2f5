"""``python -m shop.gateway``: a payment gateway as an outside company would run it.

``POST /charge`` (with ``Idempotency-Key``), ``GET /status``; ``POST /faults`` switches how it fails:
``error`` answers 500, ``hang`` does not answer, ``down`` closes every connection, ``reset`` heals.
"""

import argparse
import asyncio
import secrets
import sys
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from shop.serving import serve

FAULTS = ("error", "hang", "down", "reset")
HANG_SECONDS = 60
DECLINED_CARD = "4000000000000002"
_MAX_REMEMBERED = 100_000


class _State:
    fault = ""
    charges: dict[str, dict[str, Any]]


class _Protocol(H11Protocol):
    """While down, drops every connection at its first byte, except those that switch faults."""

    _switches = False

    def data_received(self, data: bytes) -> None:
        # Only a request's beginning tells what it is for; its body may come by itself.
        self._switches = self._switches or data.startswith((b"POST /faults", b"GET /faults"))
        if _State.fault == "down" and not self._switches:
            self.transport.abort()
            return
        super().data_received(data)


async def _misbehave() -> Response | None:
    if _State.fault == "hang":
        for _ in range(HANG_SECONDS * 10):
            await asyncio.sleep(0.1)
            if _State.fault != "hang":
                break
    if _State.fault in {"error", "hang"}:
        return JSONResponse({"error": {"code": "processor_unavailable", "message": "Try again later."}}, 500)
    return None


async def charge(request: Request) -> Response:
    """Charge a card once per idempotency key: 201, or 402 declined, 400 for what is no charge."""
    failure = await _misbehave()
    if failure is not None:
        return failure
    key = request.headers.get("idempotency-key", "")
    if not key:
        return _invalid("Idempotency-Key is missing")
    try:
        body = await request.json()
        amount, currency, number = body["amount"], body["currency"], body["card"]["number"]
    except (ValueError, KeyError, TypeError):
        return _invalid("amount, currency and card.number are needed")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0 or not isinstance(number, str):
        return _invalid("amount must be a positive integer, card.number a text of digits")
    if number == DECLINED_CARD:
        return JSONResponse({"error": {"code": "card_declined", "message": "The card was declined."}}, 402)
    known = _State.charges.get(key)
    if known is None:
        known = {
            "id": f"ch_{secrets.token_hex(10)}",
            "amount": amount,
            "currency": currency,
            "last4": number[-4:],
            "status": "succeeded",
        }
        if len(_State.charges) >= _MAX_REMEMBERED:
            _State.charges.pop(next(iter(_State.charges)))
        _State.charges[key] = known
    elif known["amount"] != amount:
        return _invalid("this Idempotency-Key was used for another amount")
    return JSONResponse(known, 201)


async def status(request: Request) -> Response:
    """What the company says about itself; it fails as its charges do."""
    failure = await _misbehave()
    if failure is not None:
        return JSONResponse({"status": "major_outage"}, 503)
    return JSONResponse({"status": "operational", "charges": len(_State.charges)})


async def faults(request: Request) -> Response:
    """Show or switch the fault: ``{"fault": "error" | "hang" | "down" | "reset"}``."""
    if request.method == "POST":
        try:
            wanted = (await request.json())["fault"]
        except (ValueError, KeyError, TypeError):
            wanted = None
        if wanted not in FAULTS:
            return _invalid(f"fault must be one of {', '.join(FAULTS)}")
        _State.fault = "" if wanted == "reset" else wanted
    return JSONResponse({"fault": _State.fault or None}, 202 if request.method == "POST" else 200)


def _invalid(message: str) -> Response:
    return JSONResponse({"error": {"code": "invalid_request", "message": message}}, 400)


def create_app() -> Starlette:
    """The gateway, healthy and without charges."""
    _State.fault, _State.charges = "", {}
    return Starlette(
        routes=[
            Route("/charge", charge, methods=["POST"]),
            Route("/status", status),
            Route("/faults", faults, methods=["GET", "POST"]),
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line, serve."""
    parser = argparse.ArgumentParser(prog="python -m shop.gateway", description="A payment gateway that can fail.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3002)
    options = parser.parse_args(arguments)
    return serve("gateway", create_app(), options.host, options.port, http=_Protocol)


if __name__ == "__main__":
    sys.exit(main())
