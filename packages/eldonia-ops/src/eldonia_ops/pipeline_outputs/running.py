"""What runs for one output of the pipeline, and what it needs from outside."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.sinks import LogSink


class OutputError(RuntimeError):
    """Events were not taken: nothing of the batch may be acknowledged. ``retry``: whether it is worth trying again."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__(message)
        self.retry = retry


class BufferOverflowError(OutputError):
    """The buffer is full, and its ``overflow_action`` is to say so."""


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """How an output is doing, for pages and metrics. Bytes and chunks are what waits in its buffer; ``oldest_ms`` is
    the Unix time (ms) at which the oldest waiting chunk was begun, 0 for none. ``servers`` are the addresses of those
    that send heartbeats, each with whether it is unavailable."""

    id: str
    type: str
    summary: str
    queued_bytes: int = 0
    queued_chunks: int = 0
    queued_events: int = 0
    oldest_ms: int = 0
    written_events: int = 0
    written_chunks: int = 0
    failed_writes: int = 0
    retries: int = 0
    given_up_events: int = 0
    dropped_events: int = 0
    next_retry_ms: int = 0
    last_error: str = ""
    broken_chunks: int = 0
    servers: tuple[tuple[str, bool], ...] = ()


class RunningOutput(Protocol):
    """One output. ``run`` is its loop, and ends when it is cancelled; ``write`` may be called by several at once."""

    async def write(self, batch: Batch) -> None:
        """Take events. Returns when they are safe: in the buffer (on disk for one of files), or delivered.

        Raises:
            OutputError: they were not taken; the sender has to offer them again.
        """
        ...

    async def run(self) -> None:
        """Flush what is due, until cancelled."""
        ...

    async def close(self) -> None:
        """Flush what ``flush_at_shutdown`` asks for, then let go of files and connections."""
        ...

    def statuses(self) -> list[OutputStatus]:
        """How it is doing; of a copy one for each store."""
        ...


async def _nowhere(batch: Batch, reason: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class OutputEdge:
    """What outputs need from outside.

    ``now_ms`` is the wall clock. ``store`` is our own log store, and ``own_addresses`` the ``host:port`` under which
    this platform answers as Elasticsearch. ``relabel`` hands a batch to a label; ``errors`` takes events that an output
    refused for good, with the reason, and sends them to ``@ERROR``. ``buffers`` is the folder of file buffers without a
    path of their own.
    """

    now_ms: Callable[[], int]
    buffers: Path
    store: LogSink | None = None
    own_addresses: frozenset[str] = frozenset()
    relabel: Callable[[str, Batch], Awaitable[None]] | None = None
    errors: Callable[[Batch, str], Awaitable[None]] = _nowhere
    hostname: str = ""
    random: Callable[[], float] = field(default=random.random)
