"""The store of metric samples."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher
from eldonia_ops.model.samples import AnySample, MetricMetadata, SampleRow, SeriesBlock
from eldonia_ops.ports.signals import SignalStore


class MetricStore(SignalStore, Protocol):
    """Samples of series, and what is known about metric families."""

    async def insert_row(self, row: SampleRow) -> Mapping[str, int]:
        """Append one scrape's samples: visible to :meth:`select` at once, durable on return.

        Returns how many were refused, by reason; empty when all were taken."""
        ...

    async def insert_samples(self, samples: Sequence[AnySample]) -> Mapping[str, int]:
        """Append samples that do not share a timestamp (remote write, OTLP); returns what :meth:`insert_row` does."""
        ...

    async def insert_metadata(self, metadata: Sequence[MetricMetadata]) -> None:
        """Remember TYPE, HELP and unit of metric families; the latest wins."""
        ...

    async def select(
        self, matchers: Sequence[Matcher], start_ms: int, end_ms: int, *, most: int | None = None
    ) -> list[SeriesBlock]:
        """All samples of matching series with ``start_ms <= timestamp <= end_ms``.

        A series appears in at most one block. Blocks without a sample in the range are left out. ``most`` bounds how
        many samples are loaded; an absent one in a block counts too.

        Raises:
            TooManySamplesError: there are more. They are not loaded.
        """
        ...

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets of matching series with a sample in the range."""
        ...

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Sorted names of the labels on matching series."""
        ...

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        """Sorted values of one label on matching series."""
        ...

    async def metadata(self) -> list[MetricMetadata]:
        """What is known about metric families, sorted by name."""
        ...
