"""The buffer of an output as a state machine: ``step(state, event, now) -> (state, effects)``.

Events are gathered in open chunks, one for each chunk key; a chunk that is full or due is queued, queued chunks are
flushed in their order, and what fails is tried again. The machine knows sizes and counts; who holds it keeps the bytes,
performs the effects in their order, and tells how they went. https://docs.fluentd.org/buffer
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import ChunkKey
from eldonia_ops.pipeline.retry import RetryState, failed

NEVER_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Chunk:
    """Events that are written together. ``id`` is 32 hexadecimal digits and stays, so that a receiver can see that a
    chunk came twice. Times are Unix ms, ``size`` is in bytes."""

    id: str
    key: ChunkKey
    created_ms: int
    size: int = 0
    events: int = 0


@dataclass(frozen=True, slots=True)
class BufferState:
    """``nonce`` (12 hexadecimal digits) makes ids of this process differ from all others."""

    settings: BufferSettings
    nonce: str
    has_secondary: bool = False
    open: Mapping[ChunkKey, Chunk] = field(default_factory=dict)
    queue: tuple[Chunk, ...] = ()
    flushing: tuple[Chunk, ...] = ()
    retry: RetryState | None = None
    serial: int = 0
    size: int = 0
    closing: bool = False

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """All chunks, those that were begun first in front of each kind."""
        return (*self.flushing, *self.queue, *self.open.values())


@dataclass(frozen=True, slots=True)
class Piece:
    """Encoded events of one chunk key that are offered: their bytes and how many they are."""

    key: ChunkKey
    size: int
    events: int


@dataclass(frozen=True, slots=True)
class Offered:
    """Events came. All pieces are taken, or none."""

    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Ticked:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """A chunk was written."""

    chunk_id: str


@dataclass(frozen=True, slots=True)
class FlushFailed:
    """A chunk was not written. ``retry`` False: it never will be. ``chance`` (0..1) is from outside."""

    chunk_id: str
    retry: bool = True
    chance: float = 0.5


@dataclass(frozen=True, slots=True)
class Closing:
    """The output is stopped: what ``flush_at_shutdown`` asks for is queued at once."""


BufferEvent: TypeAlias = Offered | Ticked | Flushed | FlushFailed | Closing


@dataclass(frozen=True, slots=True)
class Begin:
    """Make an empty chunk."""

    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Append:
    """Put the piece at this place of :class:`Offered` to the end of a chunk."""

    chunk_id: str
    piece: int


@dataclass(frozen=True, slots=True)
class Flush:
    """Write a chunk to the output, or to the secondary one."""

    chunk: Chunk
    secondary: bool = False


@dataclass(frozen=True, slots=True)
class Remove:
    """Forget a chunk that was written."""

    chunk: Chunk


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Set a chunk aside that will not be written any more."""

    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Drop:
    """Forget a chunk to make room (``drop_oldest_chunk``)."""

    chunk: Chunk


@dataclass(frozen=True, slots=True)
class Refuse:
    """There is no room: nothing of what was offered is taken. ``wait``: offer it again when there is."""

    wait: bool


BufferEffect: TypeAlias = Begin | Append | Flush | Remove | GiveUp | Drop | Refuse
_Effects: TypeAlias = list[BufferEffect]


def recovered(state: BufferState, chunks: Iterable[Chunk], now_ms: int) -> BufferState:
    """The state of a buffer whose chunks were found on disk. The last one of a key goes on unless it is full."""
    opened: dict[ChunkKey, Chunk] = {}
    queue: list[Chunk] = []
    for chunk in sorted(chunks, key=lambda one: (one.created_ms, one.id)):
        before = opened.get(chunk.key)
        if before is not None:
            queue.append(before)
        opened[chunk.key] = chunk
    immediate = state.settings.flush_mode == "immediate"
    full = [chunk for chunk in opened.values() if immediate or _is_full(chunk, state.settings)]
    queue += [opened.pop(chunk.key) for chunk in full]
    queue.sort(key=lambda one: (one.created_ms, one.id))
    size = sum(chunk.size for chunk in (*queue, *opened.values()))
    return _due(replace(state, open=opened, queue=tuple(queue), size=size), now_ms)


def step(state: BufferState, event: BufferEvent, now_ms: int) -> tuple[BufferState, list[BufferEffect]]:
    """What follows from an event at ``now_ms`` (Unix ms)."""
    effects: _Effects = []
    match event:
        case Offered():
            state = _offered(state, event.pieces, now_ms, effects)
        case Flushed():
            chunk = _flushing(state, event.chunk_id)
            if chunk is not None:
                state = replace(_gone(state, chunk), retry=None)
                effects.append(Remove(chunk))
        case FlushFailed():
            state = _failed(state, event, now_ms, effects)
        case Closing():
            queued = (*state.queue, *state.open.values()) if state.settings.flush_at_shutdown else state.queue
            opened = {} if state.settings.flush_at_shutdown else state.open
            retry = None if state.retry is None else replace(state.retry, next_ms=min(state.retry.next_ms, now_ms))
            state = replace(state, closing=True, queue=queued, open=opened, retry=retry)
        case Ticked():
            pass
    return _start_flushes(_due(state, now_ms), now_ms, effects), effects


def next_deadline(state: BufferState) -> int:
    """The Unix time (ms) at which something has to be done, :data:`NEVER_MS` for none."""
    waiting = [_due_at(chunk, state.settings) for chunk in state.open.values()]
    if state.queue and len(state.flushing) < _most_flushes(state):
        waiting.append(state.retry.next_ms if state.retry is not None else 0)
    return min(waiting, default=NEVER_MS)


def _offered(state: BufferState, pieces: Sequence[Piece], now_ms: int, effects: _Effects) -> BufferState:
    settings = state.settings
    before, wanted = state, sum(piece.size for piece in pieces)
    while state.size + wanted > settings.total_limit_size:
        victim = _oldest(state) if settings.overflow_action == "drop_oldest_chunk" else None
        if victim is None:
            # What could never have room is refused for good, or its sender would wait for nothing.
            wait = settings.overflow_action == "block" and wanted <= settings.total_limit_size
            effects[:] = [Refuse(wait)]
            return before
        state = _gone(state, victim)
        effects.append(Drop(victim))
    opened, queue, serial = dict(state.open), list(state.queue), state.serial
    for place, piece in enumerate(pieces):
        chunk = opened.get(piece.key)
        if chunk is not None and chunk.events and not _has_room(chunk, piece, settings):
            queue.append(opened.pop(piece.key))
            chunk = None
        if chunk is None:
            serial += 1
            chunk = Chunk(f"{now_ms & 0xFFFFFFFFFFFF:012x}{serial & 0xFFFFFFFF:08x}{state.nonce}", piece.key, now_ms)
            effects.append(Begin(chunk))
        effects.append(Append(chunk.id, place))
        chunk = replace(chunk, size=chunk.size + piece.size, events=chunk.events + piece.events)
        if _is_full(chunk, settings) or settings.flush_mode == "immediate":
            opened.pop(piece.key, None)
            queue.append(chunk)
        else:
            opened[piece.key] = chunk
    return replace(state, open=opened, queue=tuple(queue), serial=serial, size=state.size + wanted)


def _has_room(chunk: Chunk, piece: Piece, settings: BufferSettings) -> bool:
    if settings.chunk_limit_records and chunk.events + piece.events > settings.chunk_limit_records:
        return False
    return chunk.size + piece.size <= settings.chunk_limit_size


def _is_full(chunk: Chunk, settings: BufferSettings) -> bool:
    most = settings.chunk_full_threshold
    if settings.chunk_limit_records and chunk.events >= settings.chunk_limit_records * most:
        return True
    return chunk.size >= settings.chunk_limit_size * most


def _oldest(state: BufferState) -> Chunk | None:
    if state.queue:
        return state.queue[0]
    return min(state.open.values(), key=lambda one: (one.created_ms, one.id), default=None)


def _gone(state: BufferState, chunk: Chunk) -> BufferState:
    def others(chunks: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
        return tuple(one for one in chunks if one.id != chunk.id)

    opened = {key: one for key, one in state.open.items() if one.id != chunk.id}
    return replace(
        state, open=opened, queue=others(state.queue), flushing=others(state.flushing), size=state.size - chunk.size
    )


def _flushing(state: BufferState, chunk_id: str) -> Chunk | None:
    return next((chunk for chunk in state.flushing if chunk.id == chunk_id), None)


def _failed(state: BufferState, event: FlushFailed, now_ms: int, effects: _Effects) -> BufferState:
    chunk = _flushing(state, event.chunk_id)
    if chunk is None:
        return state
    retry = state.retry
    # One that was on its way when another failed is no attempt more.
    if event.retry and (retry is None or now_ms >= retry.next_ms):
        retry = failed(retry, state.settings.retry, now_ms, event.chance, has_secondary=state.has_secondary)
    if not event.retry or retry is None:
        effects.append(GiveUp(chunk))
        # The chunks behind it are not given up with it: the next one has all its attempts.
        return replace(_gone(state, chunk), retry=None if retry is None else state.retry)
    flushing = tuple(one for one in state.flushing if one.id != chunk.id)
    return replace(state, flushing=flushing, queue=(chunk, *state.queue), retry=retry)


def _due(state: BufferState, now_ms: int) -> BufferState:
    due = [chunk for chunk in state.open.values() if _due_at(chunk, state.settings) <= now_ms]
    if not due:
        return state
    gone = {chunk.key for chunk in due}
    opened = {key: chunk for key, chunk in state.open.items() if key not in gone}
    return replace(state, open=opened, queue=(*state.queue, *due))


def _due_at(chunk: Chunk, settings: BufferSettings) -> int:
    if settings.flush_mode == "immediate":
        return 0
    if settings.flush_mode == "interval":
        return chunk.created_ms + settings.flush_interval_ms
    if chunk.key.timekey >= 0:
        return chunk.key.timekey * 1_000 + settings.timekey_ms + settings.timekey_wait_ms
    return NEVER_MS


def _most_flushes(state: BufferState) -> int:
    return 1 if state.retry is not None else state.settings.flush_threads


def _start_flushes(state: BufferState, now_ms: int, effects: _Effects) -> BufferState:
    retry = state.retry
    if retry is not None and now_ms < retry.next_ms:
        return state
    secondary = retry is not None and retry.secondary
    while state.queue and len(state.flushing) < _most_flushes(state):
        chunk = state.queue[0]
        effects.append(Flush(chunk, secondary))
        state = replace(state, queue=state.queue[1:], flushing=(*state.flushing, chunk))
    return state
