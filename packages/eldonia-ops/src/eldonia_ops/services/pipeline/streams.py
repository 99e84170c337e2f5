"""Connections of a pipeline's sources that speak Fluentd's forward protocol."""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from typing import Any, Final

from eldonia_ops.intake import StreamConnection
from eldonia_ops.intake.fluent_forward.greeting import greet
from eldonia_ops.intake.fluent_forward.large import LargeMessages, read_some
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline.inputs import ForwardInput, StreamInput, SyslogInput
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.fluent_forward import (
    ForwardError,
    ForwardFrames,
    ForwardMessage,
    Frame,
    Piece,
    decode_events,
    decode_message,
    encode_ack,
    pieces,
)
from eldonia_ops.services.pipeline.entry import Pipeline

log = logging.getLogger("eldonia_ops.pipeline")

MOST_EVENTS: Final = 5_000
_KNOWN_CHUNKS: Final = 10_000
_CHUNK_SECONDS: Final = 30.0
_LONGEST_PAUSE: Final = 5.0
_LARGE_SECONDS: Final = 30.0
"""How long a large message, which holds a place that others wait for, may make a pause."""

_NS: Final = 1_000_000


async def insist(runner: Pipeline, batch: Batch, label: str, *, seconds: float = 0.0) -> None:
    """Send a batch through the pipeline until its outputs take it; meanwhile its sender waits.

    Raises:
        ConnectionError: they have not after ``seconds`` (0: there is no end); who sent it has a copy.
    """
    pause, waited = 0.5, 0.0
    while True:
        try:
            await runner.emit(batch, label)
            return
        except OutputError as error:
            log.warning("%d events of %s wait: %s", len(batch.events), batch.source, error)
            if seconds and waited >= seconds:
                raise ConnectionError("a chunk was not taken; its sender keeps it") from None
            await asyncio.sleep(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE)


class ForwardStream:
    """Serves the connections of one ``<source>`` of type forward. A chunk is acknowledged when every output has taken
    its part; one that comes again with the same events is acknowledged at once."""

    def __init__(self, source: ForwardInput, runner: Pipeline, clock: Clock, longest: int) -> None:
        self._source = source
        self._runner = runner
        self._clock = clock
        self._longest = longest
        self._done: OrderedDict[str, None] = OrderedDict()
        self._large = LargeMessages()

    async def __call__(self, _platform: Any, connection: StreamConnection) -> None:
        """Take what a connection sends, until its end."""
        frames, large = ForwardFrames(self._longest), False
        try:
            data = await greet(connection) if connection.credentials.shared_key else b""
            data = data or await read_some(connection, large)
            while data:
                complete: list[Frame] = []
                fault: ForwardError | None = None
                try:
                    complete.extend(frames.feed(data))
                except ForwardError as error:
                    fault = error
                for frame in complete:
                    await self._message(await asyncio.to_thread(decode_message, frame, self._longest), connection)
                if fault is not None:
                    raise fault
                large = await self._large.follow(frames.waiting, large)
                data = await read_some(connection, large)
        except ForwardError as error:
            log.warning("%s: the connection is closed: %s", connection.sender, error)
        finally:
            if large:
                self._large.give_back()

    async def _message(self, message: ForwardMessage, connection: StreamConnection) -> None:
        tag = self._source.tag or message.tag
        if self._source.add_tag_prefix:
            tag = f"{self._source.add_tag_prefix}.{tag}"
        for number, piece in enumerate(pieces(message.events, MOST_EVENTS)):
            key = ""
            if message.chunk:
                digest = hashlib.blake2b(piece.events, digest_size=16).hexdigest()
                key = f"{message.chunk} {number} {digest}"
            if key and key in self._done:
                continue
            batch = await asyncio.to_thread(self._batch, tag, piece, connection.sender, key)
            await insist(self._runner, batch, self._source.label, seconds=_CHUNK_SECONDS if key else 0.0)
            if key:
                self._done[key] = None
                if len(self._done) > _KNOWN_CHUNKS:
                    self._done.popitem(last=False)
        if message.chunk:
            await connection.write(encode_ack(message.chunk, text=message.text))

    def _batch(self, tag: str, piece: Piece, sender: str, key: str) -> Batch:
        found = decode_events(piece)
        if found.refused or piece.broken:
            log.warning("%s: %d events of a chunk cannot be read", sender, found.refused + piece.broken)
        now_ns = self._clock.now() * _NS
        more = sender_fields(self._source, sender)
        return Batch(
            tag,
            tuple(
                Event(time_ns or now_ns, {**record, **more} if more else record)
                for time_ns, record in zip(found.times_ns, found.records, strict=True)
            ),
            sender,
            f"{self._source.id} {key}" if key else "",
        )


def sender_fields(source: ForwardInput | StreamInput | SyslogInput, sender: str) -> dict[str, str]:
    """The fields that say who sent an event, where the source asks for them. Names are not looked up."""
    address = sender.rpartition("(")[2].removesuffix(")")
    return {key: address for key in (source.source_address_key, source.source_hostname_key) if key}
