"""The store is away for an hour, by a simulated clock: what was taken waits within its limit, and is written later."""

from dataclasses import dataclass, field

import pytest

from eldonia_ops.pipeline.buffer import (
    Append,
    Begin,
    BufferState,
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
    step,
)
from eldonia_ops.pipeline.buffer_settings import BufferSettings
from eldonia_ops.pipeline.chunk_keys import ChunkKey

SECOND, HOUR = 1_000, 3_600_000
BEGIN = 1_796_083_200_000
PIECE = 1_000


@dataclass
class Simulated:
    """A buffer and its store, moved on second by second. Numbers stand for events."""

    state: BufferState
    now: int = BEGIN
    away: bool = False
    chunks: dict[str, list[int]] = field(default_factory=dict)
    written: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    attempts: int = 0
    largest: int = 0

    def perform(self, effects: list, number: int = -1) -> bool:
        for effect in effects:
            match effect:
                case Refuse():
                    return False
                case Begin():
                    self.chunks[effect.chunk.id] = []
                case Append():
                    self.chunks[effect.chunk_id].append(number)
                case Flush():
                    self.attempts += 1
                    outcome = FlushFailed(effect.chunk.id, True, 0.5) if self.away else Flushed(effect.chunk.id)
                    if not self.away:
                        self.written += self.chunks[effect.chunk.id]
                    self.state, more = step(self.state, outcome, self.now)
                    self.perform(more)
                case Remove():
                    del self.chunks[effect.chunk.id]
                case Drop() | GiveUp():
                    self.dropped += self.chunks.pop(effect.chunk.id)
        self.largest = max(self.largest, self.state.size)
        return True

    def offer(self, number: int) -> bool:
        self.state, effects = step(self.state, Offered((Piece(ChunkKey(), PIECE, 1),)), self.now)
        return self.perform(effects, number)

    def tick(self) -> None:
        self.now += SECOND
        if next_deadline(self.state) <= self.now:
            self.state, effects = step(self.state, Ticked(), self.now)
            self.perform(effects)


@pytest.mark.parametrize("overflow", ["throw_exception", "block", "drop_oldest_chunk"])
def test_an_hour_without_the_store(overflow: str) -> None:
    settings = BufferSettings(
        file=True,
        flush_interval_ms=5_000,
        chunk_limit_size=20_000,
        total_limit_size=1_000_000,
        overflow_action=overflow,
    )
    world = Simulated(BufferState(settings, "0123456789ab"))
    taken: list[int] = []
    refused = 0
    for number in range(60):  # a minute in which all is well
        taken += [number] if world.offer(number) else []
        world.tick()
    world.away = True
    before = world.attempts
    for number in range(60, 60 + HOUR // SECOND):
        if world.offer(number):
            taken.append(number)
        else:
            refused += 1
        world.tick()
    assert world.attempts - before < 60, "it asks less and less often"
    world.away = False
    waited = 0
    while world.state.chunks and waited < 2 * HOUR // SECOND:
        world.tick()
        waited += 1
    assert world.largest <= settings.total_limit_size
    assert sorted(world.written + world.dropped) == taken, "each once"
    assert world.written == sorted(world.written), "in their order"
    if overflow == "drop_oldest_chunk":
        assert refused == 0
        assert len(world.dropped) > 2_000
        assert world.written[-1] == taken[-1]
    else:
        # Its senders keep what was refused, and send it again.
        assert refused > 2_000
        assert world.dropped == []
