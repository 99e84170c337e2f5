"""Where intakes and collectors put what they received: one sink for each signal.

A sink returns when what it took is stored and everything that follows from it is committed. The sender may then be
answered. If it raises, nothing may be acknowledged: the sender has to send it again.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import AnySample, MetricMetadata
from eldonia_ops.model.spans import Span


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One item that was not stored, and never will be: ``index`` is its 0-based place in what was handed over.

    ``reason`` is a sentence of ours without anything that the sender wrote, so that reasons can be counted.
    """

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of each of ``count`` items: those in ``refused`` (ascending) were refused, all others are stored."""

    count: int
    refused: tuple[RefusedItem, ...] = ()

    @property
    def stored(self) -> int:
        """How many items are stored."""
        return self.count - len(self.refused)

    @property
    def by_reason(self) -> Mapping[str, int]:
        """How many items were refused, by reason."""
        return Counter(item.reason for item in self.refused)


class LogSink(Protocol):
    """Takes log records of any protocol."""

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        """Store records. A batch whose ``batch_key`` was stored before is not stored again.

        Raises:
            eldonia_ops.ports.TelemetryError: they are not stored; they have to be offered again.
        """
        ...


class SpanSink(Protocol):
    """Takes spans."""

    async def spans(self, spans: Sequence[Span]) -> Receipt:
        """Store spans.

        Raises:
            eldonia_ops.ports.TelemetryError: they are not stored; they have to be offered again.
        """
        ...


class SampleSink(Protocol):
    """Takes samples that do not share a timestamp."""

    async def samples(self, samples: Sequence[AnySample], metadata: Sequence[MetricMetadata] = ()) -> Mapping[str, int]:
        """Store samples and what their sender says of their metrics; returns how many were refused, by reason.

        A sample that is stored already is not refused: a request may be sent again as a whole.

        Raises:
            eldonia_ops.ports.TelemetryError: they are not stored; they have to be offered again.
        """
        ...
