"""A source of a pipeline that speaks Fluentd's forward protocol: what its connections may hold."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from eldonia_ops.intake import NO_CREDENTIALS
from eldonia_ops.intake.fluent_forward import large
from eldonia_ops.services.pipeline.streams import ForwardStream


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
