"""Sources of a pipeline to which texts are sent: ``tcp``, ``udp`` and ``syslog``."""

import asyncio
import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from eldonia_ops.intake import Datagrams, StreamConnection
from eldonia_ops.intake.syslog.frames import Frames
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import StreamInput, SyslogInput
from eldonia_ops.pipeline.lines import read_text
from eldonia_ops.ports import Clock
from eldonia_ops.services.pipeline.entry import Pipeline
from eldonia_ops.services.pipeline.streams import insist, sender_fields

_READ: Final = 256 * 1024
_NS: Final = 1_000_000
_PRIORITY: Final = re.compile(rb"<([0-9]{1,3})>")
# https://www.rfc-editor.org/rfc/rfc5424#section-6.2.1, with Fluentd's names
FACILITIES: Final = (
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp",
    "audit", "alert", "at", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
)  # fmt: skip
SEVERITIES: Final = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")


class TextSource:
    """Serves connections and datagrams of one source. They are not acknowledged: a sender waits while the outputs take
    nothing, and datagrams that find no room are dropped."""

    def __init__(self, source: StreamInput | SyslogInput, runner: Pipeline, clock: Clock, longest: int) -> None:
        self._source = source
        self._runner = runner
        self._clock = clock
        self._longest = longest

    async def connection(self, _platform: Any, connection: StreamConnection) -> None:
        """Take what a connection sends, until its end."""
        if isinstance(self._source, SyslogInput):
            frames = Frames()
            while data := await connection.read(_READ):
                await self._take([frame.message for frame in frames.feed(data)], connection.sender)
            await self._take([frame.message for frame in frames.end()], connection.sender)
            return
        delimiter, rest = self._source.delimiter.encode() or b"\n", b""
        while data := await connection.read(_READ):
            *texts, rest = (rest + data).split(delimiter)
            while len(rest) > self._longest:
                texts.append(rest[: self._longest])
                rest = rest[self._longest :]
            await self._take(texts, connection.sender)
        await self._take([rest] if rest else [], connection.sender)

    async def datagrams(self, _platform: Any, datagrams: Datagrams) -> None:
        """Take what comes in datagrams, each of which is a text, until the listener closes."""
        while found := await datagrams.receive():
            for sender, some in groupby(found, key=lambda one: one.sender):
                await self._take([one.data.rstrip(b"\r\n") for one in some], sender)

    async def _take(self, texts: Sequence[bytes], sender: str) -> None:
        if not texts:
            return
        now_ns = self._clock.now() * _NS
        source, more = self._source, sender_fields(self._source, sender)

        def read() -> list[tuple[str, Event, str]]:
            found: list[tuple[str, Event, str]] = []
            for text in texts:
                tag, fields = self._priority(text)
                one = read_text(text.decode("utf-8", "replace").removesuffix("\r"), source.parser, now_ns)
                events = one.events if not one.reason else (Event(now_ns, {"message": one.text}),)
                found += [
                    (tag, Event(event.time_ns, {**event.record, **fields, **more}), one.reason) for event in events
                ]
            return found

        for (tag, reason), some in groupby(await asyncio.to_thread(read), key=lambda one: (one[0], one[2])):
            batch = Batch(tag, tuple(event for _, event, _ in some), sender)
            if reason:
                await self._runner.refuse(batch, reason)
            else:
                await insist(self._runner, batch, source.label)

    def _priority(self, text: bytes) -> tuple[str, dict[str, str]]:
        """The tag of a text, and the fields of its priority; of a syslog message ``tag.facility.severity``."""
        source = self._source
        if not isinstance(source, SyslogInput):
            return source.tag, {}
        match = _PRIORITY.match(text)
        number = min(int(match[1]), 191) if match is not None else 13
        facility, severity = FACILITIES[number // 8], SEVERITIES[number % 8]
        named = {source.facility_key: facility, source.severity_key: severity}
        return f"{source.tag}.{facility}.{severity}", {key: value for key, value in named.items() if key}
