"""An output with a buffer: takes events into chunks, flushes what is due, tries again what fails."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Final

from eldonia_ops.pipeline.buffer import (
    Append,
    Begin,
    BufferEffect,
    BufferState,
    Chunk,
    Closing,
    Drop,
    Flush,
    Flushed,
    FlushFailed,
    GiveUp,
    Offered,
    Piece,
    Refuse,
    Remove,
    Ticked,
    next_deadline,
    recovered,
    step,
)
from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import ChunkKeys, pieces_of
from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.outputs import Output
from eldonia_ops.pipeline_outputs.chunk_frames import ReadBatches, encode_events, payload_of
from eldonia_ops.pipeline_outputs.chunk_store import ChunkStore
from eldonia_ops.pipeline_outputs.delivery import Delivery, Watched
from eldonia_ops.pipeline_outputs.running import BufferOverflowError, OutputEdge, OutputError, OutputStatus
from eldonia_ops.pipeline_outputs.taken_keys import KEY_BYTES, digest_of

logger = logging.getLogger(__name__)

_FRAME: Final = 12  # bytes that a frame adds
_LONGEST_SLEEP_SECONDS: Final = 30.0
_CLOSING_SECONDS: Final = 15.0


class BufferedOutput:
    """One output with its buffer. ``nonce`` is 12 hexadecimal digits that no other process has."""

    def __init__(
        self,
        output: Output,
        settings: BufferSettings,
        edge: OutputEdge,
        store: ChunkStore,
        delivery: Delivery,
        *,
        secondary: Delivery | None = None,
        watched: Watched | None = None,
        nonce: str,
        executor: Executor | None = None,
    ) -> None:
        self.output = output
        self._edge = edge
        self._store = store
        self._delivery = delivery
        self._secondary = secondary
        self._watched = watched
        self._executor = executor
        self._keys = ChunkKeys(settings)
        self._settings = settings
        start = BufferState(settings, nonce, secondary is not None)
        self._state = recovered(start, store.recover(), edge.now_ms())
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._closed = False
        self._written_events = self._written_chunks = self._failed = self._retries = 0
        self._given_up = self._dropped = 0
        self._last_error = ""

    async def write(self, batch: Batch) -> None:
        """Take events; see :class:`~eldonia_ops.pipeline_outputs.running.RunningOutput`."""
        pieces, payloads, keys = self._pieces(batch)
        while pieces:
            if self._closed:
                raise OutputError(f"{self.output.id} is closed")
            refusal = self._take(pieces, payloads, keys)
            if refusal is None:
                break
            if not refusal.wait:
                raise BufferOverflowError(f"the buffer of {self.output.id} is full")
            self._room.clear()
            await self._room.wait()
        try:
            await self._store.sync()
        except OSError as error:
            self._last_error = _words(error)
            raise OutputError(f"the buffer of {self.output.id} is not on disk: {_words(error)}") from error

    async def run(self) -> None:
        """Flush what is due, until cancelled."""
        watching = None if self._watched is None else asyncio.ensure_future(self._watched.watch())
        try:
            await self._flush_due()
        finally:
            if watching is not None:
                watching.cancel()

    async def _flush_due(self) -> None:
        while not self._closed:
            self._step(Ticked())
            self._changed.clear()  # what comes from here on, wakes
            pause = (next_deadline(self._state) - self._edge.now_ms()) / 1_000
            try:
                async with asyncio.timeout(min(max(pause, 0.0), _LONGEST_SLEEP_SECONDS)):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def close(self) -> None:
        """Flush once what ``flush_at_shutdown`` asks for, and let go of everything."""
        if self._closed:
            return
        if self._settings.flush_at_shutdown:
            self._step(Closing())
            end = asyncio.get_running_loop().time() + _CLOSING_SECONDS
            while self._tasks and (left := end - asyncio.get_running_loop().time()) > 0:
                await asyncio.wait(self._tasks, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        self._closed = True
        self._room.set()
        self._changed.set()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=2)
        lost = sum(chunk.events for chunk in self._state.chunks)
        if lost and not self._settings.file:
            logger.warning("%s ends with %d events in its memory that were not written", self.output.id, lost)
        self._store.close()
        if self._executor is not None:
            self._executor.shutdown(wait=False)
        await self._delivery.close()
        if self._secondary is not None:
            await self._secondary.close()

    def statuses(self) -> list[OutputStatus]:
        """How it is doing."""
        state = self._state
        chunks = state.chunks
        servers = {} if self._watched is None else self._watched.unavailable()
        silent = [address for address, unavailable in servers.items() if unavailable]
        return [
            OutputStatus(
                id=self.output.id,
                type=self.output.type,
                summary=self.output.summary,
                queued_bytes=state.size,
                queued_chunks=len(chunks),
                queued_events=sum(chunk.events for chunk in chunks),
                oldest_ms=min((chunk.created_ms for chunk in chunks), default=0),
                written_events=self._written_events,
                written_chunks=self._written_chunks,
                failed_writes=self._failed,
                retries=self._retries,
                given_up_events=self._given_up,
                dropped_events=self._dropped,
                next_retry_ms=0 if state.retry is None else state.retry.next_ms,
                last_error=self._last_error or (f"no heartbeat from {', '.join(silent)}" if silent else ""),
                servers=tuple(servers.items()),
                broken_chunks=getattr(self._store, "broken", 0),
            )
        ]

    # --- taking

    def _pieces(self, batch: Batch) -> tuple[tuple[Piece, ...], list[bytes], list[bytes]]:
        """Pieces, their payloads and keys, without those that were taken before."""
        settings = self._settings
        most = max(1, settings.chunk_limit_size - _FRAME - 3 * len(batch.tag) - 16 - KEY_BYTES)
        records = settings.chunk_limit_records or len(batch.events) or 1
        pieces: list[Piece] = []
        payloads: list[bytes] = []
        keys: list[bytes] = []
        number = 0
        for key, events in self._keys.group(batch).items():
            encoded = encode_events(events)
            for first, end in pieces_of([len(one) for one in encoded], most):
                for start in range(first, end, records):
                    part = encoded[start : min(end, start + records)]
                    known_by = digest_of(f"{batch.key}#{number}") if batch.key else b""
                    number += 1
                    if known_by and self._store.knows(known_by):
                        continue
                    payload = payload_of(batch.tag, part, known_by)
                    payloads.append(payload)
                    keys.append(known_by)
                    pieces.append(Piece(key, len(payload) + _FRAME, len(part)))
        return tuple(pieces), payloads, keys

    def _take(self, pieces: tuple[Piece, ...], payloads: Sequence[bytes], keys: Sequence[bytes]) -> Refuse | None:
        state, effects = step(self._state, Offered(pieces), self._edge.now_ms())
        if effects and isinstance(effects[0], Refuse):
            return effects[0]
        begun: list[str] = []
        marks: dict[str, int] = {}
        try:
            for effect in effects:
                if isinstance(effect, Begin):
                    self._store.begin(effect.chunk)
                    begun.append(effect.chunk.id)
                elif isinstance(effect, Append):
                    if effect.chunk_id not in marks:
                        marks[effect.chunk_id] = self._store.mark(effect.chunk_id)
                    self._store.append(effect.chunk_id, payloads[effect.piece], pieces[effect.piece].events)
        except OSError as error:
            for chunk_id, mark in marks.items():
                self._store.cut(chunk_id, mark)
            for chunk_id in begun:
                self._store.remove(chunk_id)
            self._last_error = _words(error)
            raise OutputError(f"the buffer of {self.output.id} cannot be written: {_words(error)}") from error
        for effect in effects:
            if isinstance(effect, Append) and keys[effect.piece]:
                self._store.took(effect.chunk_id, [keys[effect.piece]])
        self._state = state
        self._perform([effect for effect in effects if not isinstance(effect, Begin | Append)])
        return None

    # --- flushing

    def _step(self, event: Ticked | Closing | Flushed | FlushFailed) -> None:
        self._state, effects = step(self._state, event, self._edge.now_ms())
        self._perform(effects)

    def _perform(self, effects: Sequence[BufferEffect]) -> None:
        for effect in effects:
            match effect:
                case Flush():
                    task = asyncio.ensure_future(self._flush(effect.chunk, secondary=effect.secondary))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                case Remove():
                    self._forget(effect.chunk)
                case Drop():
                    self._dropped += effect.chunk.events
                    logger.warning("%s drops %d events: its buffer is full", self.output.id, effect.chunk.events)
                    self._forget(effect.chunk)
                case GiveUp():
                    self._give_up(effect.chunk)
                case _:
                    pass
        self._changed.set()

    def _forget(self, chunk: Chunk) -> None:
        self._store.remove(chunk.id)
        self._room.set()

    def _give_up(self, chunk: Chunk) -> None:
        self._given_up += chunk.events
        place = self._store.set_aside(chunk.id, self._last_error)
        kept = f"it is kept in {place}" if place else "it is lost"
        logger.error("%s gives up %d events (%s): %s", self.output.id, chunk.events, kept, self._last_error)
        self._room.set()

    async def _flush(self, chunk: Chunk, *, secondary: bool) -> None:
        delivery = self._secondary if secondary and self._secondary is not None else self._delivery
        outcome: Flushed | FlushFailed
        try:
            await delivery.deliver(chunk, await self._read(chunk))
            self._written_events += chunk.events
            self._written_chunks += 1
            self._last_error = ""
            outcome = Flushed(chunk.id)
        except OutputError as error:
            outcome = self._failure(chunk, str(error), retry=error.retry)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("%s cannot write a chunk", self.output.id)
            outcome = self._failure(chunk, f"{type(error).__name__}: {error}", retry=True)
        if self._closed:
            return
        if isinstance(outcome, FlushFailed) and not outcome.retry and await self._rescued(chunk, secondary=secondary):
            outcome = Flushed(chunk.id)
        self._step(outcome)

    def _failure(self, chunk: Chunk, message: str, *, retry: bool) -> FlushFailed:
        self._failed += 1
        self._retries += retry
        if message != self._last_error:
            logger.warning("%s cannot write %d events: %s", self.output.id, chunk.events, message)
        self._last_error = message
        return FlushFailed(chunk.id, retry, self._edge.random())

    async def _rescued(self, chunk: Chunk, *, secondary: bool) -> bool:
        """Whether the secondary output took a chunk that the first one refused for good."""
        if self._secondary is None or secondary:
            return False
        try:
            await self._secondary.deliver(chunk, await self._read(chunk))
        except (OutputError, OSError) as error:
            logger.warning("the secondary of %s cannot write: %s", self.output.id, error)
            return False
        return True

    async def _read(self, chunk: Chunk) -> Sequence[Batch]:
        """The events of a chunk.

        Raises:
            OutputError: it cannot be read, and never will be.
        """
        try:
            if not self._settings.file:
                return ReadBatches(self._store.payloads(chunk.id))
            loop = asyncio.get_running_loop()
            return ReadBatches(await loop.run_in_executor(self._executor, self._store.payloads, chunk.id))
        except (OSError, ValueError) as error:
            raise OutputError(f"a chunk cannot be read: {_words(error)}", retry=False) from error


def _words(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
