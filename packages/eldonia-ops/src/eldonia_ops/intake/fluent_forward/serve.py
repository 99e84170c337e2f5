"""What is done with one connection, and the registration of the listener."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from eldonia_ops.intake import (
    Datagrams,
    Fault,
    Intake,
    IntakeAnswer,
    IntakePlatform,
    StreamConnection,
    StreamListener,
)
from eldonia_ops.intake.fluent_forward.batches import EventBatch, batches, take_messages
from eldonia_ops.intake.fluent_forward.greeting import greet
from eldonia_ops.intake.fluent_forward.large import LargeMessages, read_some
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.fluent_forward import ForwardError, ForwardFrames, ForwardMessage, Frame, encode_ack

log = logging.getLogger("eldonia_ops.intake")

_SIDE_BY_SIDE: Final = 4
"""Batches of one connection that are stored at once, while the next one is read."""

_LONGEST_PAUSE: Final = 5.0
_CHUNK_SECONDS: Final = 30.0
"""How long a chunk is tried: its sender keeps it, and sends again what was not acknowledged."""

_LOST: Final = "the listener closed before the store took it"
_CLOSED: Final = "a connection that was closed, for what it sent cannot be read"


class ForwardServer:
    """Serves the connections of the listener, which share the places for large messages."""

    def __init__(self) -> None:
        self._large = LargeMessages()

    async def __call__(self, platform: IntakePlatform, connection: StreamConnection) -> None:
        """Store what a connection sends, until its end. What cannot be read ends it: where the next message would
        begin, it is not known then."""
        try:
            begun = await greet(connection) if connection.credentials.shared_key else b""
            await self._messages(platform, connection, begun)
        except ForwardError as error:
            log.warning("%s: the connection is closed: %s", connection.sender, error)
            platform.refused("logs", connection.sender, {_CLOSED: 1})

    async def _messages(self, platform: IntakePlatform, connection: StreamConnection, begun: bytes) -> None:
        longest = platform.limits.unpacked
        frames, waiting = ForwardFrames(longest), deque[Frame]()
        large = False
        try:
            data = begun or await read_some(connection, large)
            while data:
                fault = _feed(frames, data, waiting)
                while waiting:
                    messages = await platform.aside(lambda: take_messages(waiting, longest))
                    await _store(platform, connection, messages)
                if fault is not None:
                    raise fault
                large = await self._large.follow(frames.waiting, large)
                data = await read_some(connection, large)
        finally:
            if large:
                self._large.give_back()


def _feed(frames: ForwardFrames, data: bytes, waiting: deque[Frame]) -> ForwardError | None:
    """Queue the messages that are complete; what is behind them may be a fault, and they are stored all the same."""
    try:
        waiting.extend(frames.feed(data))
    except ForwardError as fault:
        return fault
    return None


async def _store(platform: IntakePlatform, connection: StreamConnection, messages: Sequence[ForwardMessage]) -> None:
    """Store the events of messages, then acknowledge their chunks."""
    found = batches(messages, platform.now_ns(), connection.sender)
    storing: set[asyncio.Task[None]] = set()
    try:
        while (batch := await platform.aside(lambda: _next(found))) is not None:
            if len(storing) == _SIDE_BY_SIDE:
                done, storing = await asyncio.wait(storing, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            storing.add(asyncio.create_task(_store_batch(platform, connection.sender, batch)))
        await asyncio.gather(*storing)
    except BaseException:
        for one in storing:
            one.cancel()
        await asyncio.gather(*storing, return_exceptions=True)
        raise
    receipts = b"".join([encode_ack(one.chunk, text=one.text) for one in messages if one.chunk])
    if receipts:
        await connection.write(receipts)


def _next(found: Iterator[EventBatch]) -> EventBatch | None:
    return next(found, None)


async def _store_batch(platform: IntakePlatform, sender: str, batch: EventBatch) -> None:
    """Returns when it is stored. What cannot be stored now is offered again, meanwhile the sender waits: for good where
    it keeps no copy."""
    platform.refused("logs", sender, batch.refused)
    if not len(batch.records):
        return
    pause, waited = 0.5, 0.0
    try:
        while True:
            try:
                receipt = await platform.logs.logs(batch.records, batch_key=batch.key)
                break
            except TelemetryError as error:
                log.error("%d events of %s wait, for they cannot be stored: %s", len(batch.records), sender, error)
                if batch.key and waited > _CHUNK_SECONDS:
                    raise ConnectionError("a chunk could not be stored; its sender keeps it") from None
                await asyncio.sleep(pause)
                waited += pause
                pause = min(2 * pause, _LONGEST_PAUSE)
    except asyncio.CancelledError:
        if not batch.key:
            platform.refused("logs", sender, {_LOST: len(batch.records)})
        raise
    platform.refused("logs", sender, receipt.by_reason)


async def heartbeats(_platform: IntakePlatform, datagrams: Datagrams) -> None:
    """Answer the heartbeats over UDP of older Fluentds: any datagram is one."""
    while found := await datagrams.receive():
        for one in found:
            datagrams.reply(one.address, b"\0")


def fault(_headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """Never asked for: there are no addresses over HTTP."""
    return IntakeAnswer(problem.status, problem.message.encode(), "text/plain")


INTAKE: Final = Intake(
    "fluent_forward",
    (),
    fault,
    listeners=(
        StreamListener("forward", 24224, ForwardServer(), shared_key=True, datagrams=heartbeats, most_connections=400),
    ),
)
"""The intake."""
