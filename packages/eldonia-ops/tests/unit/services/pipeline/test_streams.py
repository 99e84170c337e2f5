"""A source of a pipeline that speaks Fluentd's forward protocol: what its connections may hold."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from eldonia_ops.intake import NO_CREDENTIALS
from eldonia_ops.intake.fluent_forward import large
from eldonia_ops.pipeline.event import Batch, Event
from eldonia_ops.pipeline_outputs.running import OutputError
from eldonia_ops.services.pipeline.streams import ForwardStream, insist


class Stuck:
    """A connection that sends the beginning of a large message, and then nothing."""

    credentials = NO_CREDENTIALS
    sender = "forward (192.0.2.7)"

    def __init__(self, held: list[int], largest: list[int]) -> None:
        self._parts = [b"\x92\xa1t\xc6\x00\x40\x00\x00" + b"\0" * 300_000, b"\0" * 300_000]
        self._held, self._largest = held, largest

    async def read(self, most: int) -> bytes:
        if len(self._parts) == 1:
            self._held[0] += 1
            self._largest[0] = max(self._held)
        if not self._parts:
            try:
                return await asyncio.sleep(60, b"")
            finally:
                self._held[0] -= 1
        return self._parts.pop(0)

    async def write(self, data: bytes) -> None:
        raise AssertionError(data)


async def test_few_large_messages_are_in_memory_and_those_that_stop_give_their_place_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(large, "PLACES", 2)
    monkeypatch.setattr(large, "_PAUSE_SECONDS", 0.01)
    nothing: Any = SimpleNamespace(tag="", add_tag_prefix="", label="")
    stream = ForwardStream(nothing, nothing, nothing, 8 << 20)
    held, largest = [0], [0]
    connections: list[Any] = [Stuck(held, largest) for _ in range(6)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(stream(None, one) for one in connections))
    assert largest == [2]
    assert held == [0]


class Away:
    """Outputs that are away for an hour, by a clock that goes on as somebody sleeps."""

    held = 0

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 0.0
        self.attempts = 0
        self.taken: list[Batch] = []
        monkeypatch.setattr(asyncio, "sleep", self._sleep)

    async def _sleep(self, seconds: float) -> None:
        self.seconds += seconds

    async def emit(self, batch: Batch, label: str = "") -> None:
        self.attempts += 1
        if self.seconds < 3_600:
            raise OutputError("away")
        self.taken.append(batch)

    async def refuse(self, batch: Batch, reason: str) -> None:
        raise AssertionError(reason)


async def test_the_store_is_away_for_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sends without receipts waits for as long as it takes: nothing more is read, so there is one batch of it."""
    away = Away(monkeypatch)
    batch = Batch("t", (Event(1, {"n": 1}),), "a sender")
    await insist(away, batch, "")
    assert away.taken == [batch]
    assert 3_600 <= away.seconds < 3_610
    assert away.attempts < 3_600 / 4, "it asks less and less often"


async def test_a_chunk_goes_back_to_its_sender_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Away(monkeypatch)
    with pytest.raises(ConnectionError, match="its sender keeps it"):
        await insist(away, Batch("t", (Event(1, {"n": 1}),), "a sender", "key"), "", seconds=30)
    assert 30 <= away.seconds < 40
    assert away.taken == []
