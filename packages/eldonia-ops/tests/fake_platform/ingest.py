"""What was sent in, kept for the test to look at."""

from collections.abc import Sequence

from eldonia_ops.model.logs import LogRecord
from eldonia_ops.model.samples import MetricMetadata, Sample
from eldonia_ops.model.spans import Span


class FakeIngest:
    def __init__(self) -> None:
        self.log_records: list[LogRecord] = []
        self.span_records: list[Span] = []
        self.sample_records: list[Sample] = []

    async def logs(self, records: Sequence[LogRecord]) -> int:
        self.log_records += records
        return 0

    async def spans(self, spans: Sequence[Span]) -> int:
        self.span_records += spans
        return 0

    async def samples(self, samples: Sequence[Sample], metadata: Sequence[MetricMetadata] = ()) -> int:
        self.sample_records += samples
        return 0
