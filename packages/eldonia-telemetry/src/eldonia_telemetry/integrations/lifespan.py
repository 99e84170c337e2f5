"""The lifespan of an ASGI application, to deliver at its end.

Protocol: https://asgi.readthedocs.io/en/latest/specs/lifespan.html.
Servers end by the signal that stopped them, and then nothing runs at exit: what is queued goes out
before they learn that the application has shut down. For an application that knows no lifespan (Django's)
the protocol is spoken here.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from eldonia_telemetry import runtime

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


async def live(app: Callable[..., Any], scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """Run the application's lifespan, and in its place one of our own when it refuses before it has begun.

    Raises:
        Exception: what the application raised after it had begun.
    """
    begun = False

    async def receiving() -> Message:
        nonlocal begun
        begun = True
        return await receive()

    async def sending(message: Message) -> None:
        nonlocal begun
        begun = True
        if message["type"] in {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            await asyncio.to_thread(runtime.current.flush)
        await send(message)

    try:
        await app(scope, receiving, sending)
    except Exception:
        if begun:
            raise
    if begun:
        return
    while True:
        kind = (await receive())["type"]
        if kind == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await sending({"type": "lifespan.shutdown.complete"})
            return
