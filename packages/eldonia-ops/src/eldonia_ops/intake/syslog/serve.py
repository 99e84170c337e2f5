"""What is done with one connection and with datagrams, and the registration of the listener."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
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
from eldonia_ops.intake.syslog.frames import LONGEST, Frame, Frames
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.logs.lines import LineFormat, parse_line

log = logging.getLogger("eldonia_ops.intake")

_READ: Final = 64 * 1024
_LONGEST_PAUSE: Final = 5.0
_ENDS: Final = b"\r\n\0 "
_LOST: Final = "the listener closed before the store took it"


async def serve(platform: IntakePlatform, connection: StreamConnection) -> None:
    """Store what a connection sends, until its end."""
    frames = Frames()
    while data := await connection.read(_READ):
        await _store(platform, connection.sender, frames.feed(data))
    await _store(platform, connection.sender, frames.end())


async def serve_datagrams(platform: IntakePlatform, datagrams: Datagrams) -> None:
    """Store what comes over UDP, a message in each datagram (RFC 5426). What came together is stored together."""
    while found := await datagrams.receive():
        now = platform.now_ns()
        records = await platform.aside(
            lambda some=found, now=now: [
                _record(_framed(one.data), now, one.sender) for one in some if one.data.strip(_ENDS)
            ]
        )
        if records:
            await _store_records(platform, "syslog (datagrams)", records)


def _framed(data: bytes) -> Frame:
    return Frame(data[:LONGEST].rstrip(_ENDS), max(0, len(data) - LONGEST))


async def _store(platform: IntakePlatform, sender: str, frames: Sequence[Frame]) -> None:
    """Returns when the messages are stored."""
    if not frames:
        return
    now = platform.now_ns()
    records = await platform.aside(lambda: [_record(frame, now, sender) for frame in frames])
    await _store_records(platform, sender, records)


async def _store_records(platform: IntakePlatform, sender: str, records: Sequence[LogRecord]) -> None:
    """What cannot be stored now is offered again: the sender keeps no copy."""
    pause = 0.5
    try:
        while True:
            try:
                receipt = await platform.logs.logs(records)
                break
            except TelemetryError as error:
                log.error("%d messages of %s wait, for they cannot be stored: %s", len(records), sender, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
    except asyncio.CancelledError:
        platform.refused("logs", sender, {_LOST: len(records)})
        raise
    platform.refused("logs", sender, receipt.by_reason)


def _record(frame: Frame, now_ns: int, sender: str) -> LogRecord:
    return parse_line(frame.message, now_ns, format=LineFormat.AUTO, source=sender, dropped=frame.dropped)


def fault(_headers: Mapping[str, str], problem: Fault) -> IntakeAnswer:
    """Never asked for: there are no addresses over HTTP."""
    return IntakeAnswer(problem.status, problem.message.encode(), "text/plain")


INTAKE: Final = Intake(
    "syslog", (), fault, listeners=(StreamListener("syslog", 514, serve, datagrams=serve_datagrams),)
)
"""The intake."""
