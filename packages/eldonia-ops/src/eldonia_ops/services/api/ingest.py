"""Intake of telemetry that arrives over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.sinks import LogSink, SampleSink, SpanSink


@dataclass(frozen=True, slots=True)
class RefusalView:
    """Items of one signal (``logs``, ``traces``, ``metrics``) that were refused for one reason, since the start.

    ``source`` says who sent them: ``job/instance`` of a target, or the token and the address of a sender. ``last_at``
    is Unix ms.
    """

    signal: str
    source: str
    reason: str
    count: int
    last_at: int


class Ingest(LogSink, SpanSink, SampleSink, Protocol):
    """Intake of telemetry that arrives over HTTP."""

    def refused(self, signal: str, source: str, reasons: Mapping[str, int]) -> None:
        """Note what was refused of a source, items by reason, for :meth:`refusals`."""
        ...

    def refusals(self) -> list[RefusalView]:
        """What was refused since the start, the latest first."""
        ...
