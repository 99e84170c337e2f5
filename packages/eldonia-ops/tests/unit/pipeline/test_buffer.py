"""The buffer as a state machine: nothing is lost, limits hold, chunks are due when they should be."""

from dataclasses import replace

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from eldonia_ops.pipeline.buffer import (
    NEVER_MS,
    Append,
    Begin,
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
from eldonia_ops.pipeline.buffer_settings import BufferSettings, RetrySettings
from eldonia_ops.pipeline.chunk_keys import ChunkKey

NONCE = "0123456789ab"
KEY = ChunkKey(tag="a")
RETRY = RetrySettings(randomize=False)
SETTINGS = BufferSettings(flush_interval_ms=10_000, chunk_limit_size=100, total_limit_size=1_000, retry=RETRY)


def state(**changes: object) -> BufferState:
    return BufferState(replace(SETTINGS, **changes), NONCE)


def offer(size: int, events: int = 1, key: ChunkKey = KEY) -> Offered:
    return Offered((Piece(key, size, events),))


def test_events_are_gathered_and_flushed_after_the_interval() -> None:
    one, effects = step(state(), offer(10), 1_000)
    chunk = Chunk("0000000003e8" + "00000001" + NONCE, KEY, 1_000)
    assert effects == [Begin(chunk), Append(chunk.id, 0)]
    one, effects = step(one, offer(20), 2_000)
    assert effects == [Append(chunk.id, 0)]
    assert next_deadline(one) == 11_000
    assert step(one, Ticked(), 10_999)[1] == []
    one, effects = step(one, Ticked(), 11_000)
    whole = replace(chunk, size=30, events=2)
    assert effects == [Flush(whole)]
    one, effects = step(one, Flushed(chunk.id), 11_100)
    assert effects == [Remove(whole)]
    assert (one.size, one.chunks, next_deadline(one)) == (0, (), NEVER_MS)


def test_a_full_chunk_is_flushed_at_once_and_the_next_begins() -> None:
    one, _ = step(state(), offer(60), 0)
    one, effects = step(one, offer(60), 0)
    assert [type(effect) for effect in effects] == [Begin, Append, Flush]
    assert [chunk.size for chunk in one.flushing] == [60]
    one, effects = step(one, offer(36), 0)  # 96 of 100 are more than 95 %
    assert [chunk.size for chunk in one.queue] == [96]  # one flush at a time
    assert not one.open


def test_records_are_a_limit_too() -> None:
    one, _ = step(state(chunk_limit_records=3), offer(1, 2), 0)
    one, _ = step(one, offer(1, 2), 0)
    assert [chunk.events for chunk in one.flushing] == [2]
    assert [chunk.events for chunk in one.open.values()] == [2]


def test_immediate_and_lazy() -> None:
    assert isinstance(step(state(flush_mode="immediate"), offer(1), 0)[1][-1], Flush)
    lazy, _ = step(state(flush_mode="lazy"), offer(1), 0)
    assert next_deadline(lazy) == NEVER_MS
    timed = state(flush_mode="lazy", timekey_ms=60_000, timekey_wait_ms=5_000)
    timed, _ = step(timed, offer(1, key=ChunkKey(timekey=120)), 100_000)
    assert next_deadline(timed) == 185_000


def test_a_full_buffer_refuses_all_of_an_offer_or_waits_or_drops() -> None:
    full, _ = step(state(total_limit_size=100), offer(90), 0)
    both = Offered((Piece(KEY, 5, 1), Piece(KEY, 6, 1)))
    after, effects = step(full, both, 1)
    assert effects[0] == Refuse(wait=False)
    assert after.size == 90
    full = replace(full, settings=replace(full.settings, overflow_action="block"))
    assert step(full, both, 1)[1][0] == Refuse(wait=True)
    assert step(full, offer(101), 1)[1][0] == Refuse(wait=False)  # it would wait for nothing
    full = replace(full, settings=replace(full.settings, overflow_action="drop_oldest_chunk"))
    after, effects = step(full, both, 1)
    assert isinstance(effects[0], Drop)
    assert after.size == 11


def test_failures_wait_longer_each_time_until_the_chunk_is_given_up() -> None:
    retry = replace(RETRY, timeout_ms=10_000)
    one, _ = step(state(flush_mode="immediate", retry=retry), offer(1), 0)
    one, _ = step(one, offer(1), 0)
    now, pauses = 0, []
    while True:
        chunk_id = one.flushing[0].id
        one, effects = step(one, FlushFailed(chunk_id), now)
        if any(isinstance(effect, GiveUp) for effect in effects):
            break
        assert effects == []
        pauses.append(next_deadline(one) - now)
        now = next_deadline(one)
        one, effects = step(one, Ticked(), now)
        assert [effect.chunk.id for effect in effects if isinstance(effect, Flush)] == [chunk_id]
    assert pauses == [1_000, 2_000, 4_000, 3_000]  # the last attempt is when the time is up
    # The chunk behind has its own attempts, at once.
    assert [type(effect) for effect in effects] == [GiveUp, Flush]
    assert one.retry is None


def test_what_can_never_be_written_is_given_up_alone() -> None:
    one, _ = step(state(flush_mode="immediate"), offer(1), 0)
    one, effects = step(one, FlushFailed(one.flushing[0].id, retry=False), 0)
    assert [type(effect) for effect in effects] == [GiveUp]
    assert one.chunks == ()


def test_the_secondary_has_its_turn_after_most_of_the_time() -> None:
    retry = replace(RETRY, timeout_ms=100_000, periodic=True, wait_ms=10_000)
    one = replace(state(flush_mode="immediate", retry=retry), has_secondary=True)
    one, effects = step(one, offer(1), 0)
    now, seconds = 0, []
    while not any(isinstance(effect, GiveUp) for effect in effects):
        one, effects = step(one, FlushFailed(one.flushing[0].id), now)
        if effects:
            break
        now = next_deadline(one)
        one, effects = step(one, Ticked(), now)
        seconds += [(now, effect.secondary) for effect in effects if isinstance(effect, Flush)]
    assert seconds[:9] == [(10_000 * (n + 1), 10_000 * (n + 1) > 80_000) for n in range(9)]


def test_closing_flushes_what_it_should() -> None:
    one, _ = step(state(), offer(1), 0)
    assert isinstance(step(one, Closing(), 1)[1][0], Flush)
    one, _ = step(state(flush_at_shutdown=False), offer(1), 0)
    assert step(one, Closing(), 1)[1] == []


def test_chunks_that_were_found_go_on() -> None:
    chunks = [
        Chunk("a" * 32, KEY, 1_000, 10, 1),
        Chunk("b" * 32, KEY, 2_000, 20, 2),
        Chunk("c" * 32, ChunkKey(tag="c"), 1_500, 99, 3),
    ]
    found = recovered(state(), chunks, 3_000)
    assert [chunk.id[0] for chunk in found.queue] == ["a", "c"]
    assert found.open[KEY].id == "b" * 32
    assert found.size == 129


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_attempts_are_spread(chance: float) -> None:
    one, _ = step(state(flush_mode="immediate", retry=replace(RETRY, randomize=True)), offer(1), 0)
    one, _ = step(one, FlushFailed(one.flushing[0].id, chance=chance), 0)
    assert next_deadline(one) == round(1_000 * (0.875 + 0.25 * chance))


class Buffers(RuleBasedStateMachine):
    """Whatever happens: sizes add up, an event that was taken is in exactly one place, and limits hold."""

    def __init__(self) -> None:
        super().__init__()
        settings = replace(SETTINGS, flush_threads=2, total_limit_size=500, overflow_action="drop_oldest_chunk")
        self.state = BufferState(settings, NONCE)
        self.now = 0
        self.taken = self.written = self.dropped = self.given_up = 0
        self.known: dict[str, int] = {}

    def apply(self, event: object, pieces: tuple[Piece, ...] = ()) -> None:
        self.state, effects = step(self.state, event, self.now)  # type: ignore[arg-type]
        for effect in effects:
            match effect:
                case Begin():
                    assert effect.chunk.id not in self.known
                    self.known[effect.chunk.id] = 0
                case Append():
                    self.known[effect.chunk_id] += pieces[effect.piece].events
                    self.taken += pieces[effect.piece].events
                case Remove():
                    self.written += self.known.pop(effect.chunk.id)
                case Drop():
                    self.dropped += self.known.pop(effect.chunk.id)
                case GiveUp():
                    self.given_up += self.known.pop(effect.chunk.id)
                case Flush():
                    assert effect.chunk.events == self.known[effect.chunk.id]

    @rule(
        pieces=st.lists(
            st.tuples(st.sampled_from("abc"), st.integers(1, 120), st.integers(1, 5)), min_size=1, max_size=4
        )
    )
    def offered(self, pieces: list[tuple[str, int, int]]) -> None:
        made = tuple(Piece(ChunkKey(tag=tag), size, events) for tag, size, events in pieces)
        self.apply(Offered(made), made)

    @rule(ms=st.integers(0, 20_000))
    def passes(self, ms: int) -> None:
        self.now += ms
        self.apply(Ticked())

    @precondition(lambda self: self.state.flushing)
    @rule(data=st.data(), ok=st.booleans(), retry=st.booleans())
    def flush_ends(self, data: st.DataObject, ok: bool, retry: bool) -> None:
        chunk = data.draw(st.sampled_from(self.state.flushing))
        self.apply(Flushed(chunk.id) if ok else FlushFailed(chunk.id, retry))

    @rule()
    def restarts(self) -> None:
        chunks = list(self.state.chunks)
        self.state = recovered(
            replace(self.state, open={}, queue=(), flushing=(), retry=None, size=0), chunks, self.now
        )

    @invariant()
    def adds_up(self) -> None:
        chunks = self.state.chunks
        assert {chunk.id: chunk.events for chunk in chunks} == self.known
        assert len(chunks) == len(self.known)
        assert sum(chunk.size for chunk in chunks) == self.state.size
        assert self.taken == self.written + self.dropped + self.given_up + sum(self.known.values())
        assert len(self.state.flushing) <= 2

    @invariant()
    def something_will_happen(self) -> None:
        if self.state.chunks and not self.state.flushing:
            assert next_deadline(self.state) < NEVER_MS


TestBuffers = Buffers.TestCase
TestBuffers.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)
