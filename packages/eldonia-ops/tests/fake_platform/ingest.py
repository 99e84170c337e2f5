"""What was sent in, kept for the test to look at."""

from collections.abc import Mapping, Sequence

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import AnySample, MetricMetadata
from eldonia_ops.model.spans import Span
from eldonia_ops.services.api import RefusalView
from eldonia_ops.sinks import Receipt


class FakeIngest:
    def __init__(self) -> None:
        self.log_records: list[LogRecord] = []
        self.span_records: list[Span] = []
        self.sample_records: list[AnySample] = []
        self.refused_items: list[tuple[str, str, dict[str, int]]] = []

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        self.log_records += records
        return Receipt(len(records))

    async def spans(self, spans: Sequence[Span]) -> Receipt:
        self.span_records += spans
        return Receipt(len(spans))

    async def samples(self, samples: Sequence[AnySample], metadata: Sequence[MetricMetadata] = ()) -> Mapping[str, int]:
        self.sample_records += samples
        return {}

    def refused(self, signal: str, source: str, reasons: Mapping[str, int]) -> None:
        if reasons:
            self.refused_items.append((signal, source, dict(reasons)))

    def refusals(self) -> list[RefusalView]:
        return [
            RefusalView(signal, source, reason, count, 1_795_000_000_000)
            for signal, source, reasons in self.refused_items
            for reason, count in reasons.items()
        ]
