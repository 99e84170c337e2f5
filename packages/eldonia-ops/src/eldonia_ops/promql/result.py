"""What a query yields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from eldonia_ops.model.labels import EMPTY, Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.promql.annotations import Annotation
from eldonia_ops.promql.frame import Floats, Ints


def shown(text: str) -> str:
    """A string of a query as a result can hold it: bytes written as ``\\xff`` that are no UTF-8 become U+FFFD."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


class ResultType(StrEnum):
    """How the result is to be read; the words are those of Prometheus' HTTP API."""

    VECTOR = "vector"
    MATRIX = "matrix"
    SCALAR = "scalar"
    STRING = "string"


@dataclass(frozen=True, slots=True, eq=False)
class ResultSeries:
    """One series: ``timestamps`` (int64 Unix milliseconds, ascending) and ``values`` (float64), same length.

    ``histograms`` are the samples that are native histograms, by their place; their floats mean nothing.
    """

    labels: Labels
    timestamps: Ints
    values: Floats
    histograms: Mapping[int, NativeHistogram] = field(default_factory=dict)

    @property
    def points(self) -> list[tuple[int, float]]:
        """The samples that are floats as plain Python pairs."""
        found = list(zip(self.timestamps.tolist(), self.values.tolist(), strict=True))
        if not self.histograms:
            return found
        return [point for place, point in enumerate(found) if place not in self.histograms]

    @property
    def histogram_points(self) -> list[tuple[int, NativeHistogram]]:
        """The samples that are histograms."""
        return [(int(self.timestamps[place]), one) for place, one in sorted(self.histograms.items())]


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """The result of a query.

    A vector's series have one point each, in the order that sorting functions gave them; a matrix's
    series are ordered by labels; a scalar is one series without labels; ``text`` is the string.
    ``annotations`` are remarks on oddities met on the way. ``samples`` is how many samples selectors looked at, summed
    over the steps: Prometheus' ``totalQueryableSamples``.
    """

    type: ResultType
    series: tuple[ResultSeries, ...] = ()
    text: str = ""
    annotations: tuple[Annotation, ...] = ()
    samples: int = 0

    @property
    def warnings(self) -> tuple[str, ...]:
        """The graver remarks, in words."""
        return tuple(item.render() for item in self.annotations if item.warning)

    @property
    def infos(self) -> tuple[str, ...]:
        """The lesser remarks, in words."""
        return tuple(item.render() for item in self.annotations if not item.warning)

    @property
    def scalar(self) -> float:
        """The value of a scalar result.

        Raises:
            ValueError: the result is no scalar of one step.
        """
        if self.type is not ResultType.SCALAR or len(self.series) != 1:
            raise ValueError(f"not a scalar: {self.type}")
        return float(self.series[0].values[0])

    @property
    def values(self) -> list[tuple[Labels, float | NativeHistogram]]:
        """As :attr:`vector`, with the series whose values are histograms.

        Raises:
            ValueError: the result is a matrix or a string.
        """
        if self.type is not ResultType.VECTOR:
            return list(self.vector)
        return [(item.labels, item.histograms.get(0, float(item.values[0]))) for item in self.series]

    @property
    def vector(self) -> list[tuple[Labels, float]]:
        """The series of an instant query whose values are floats; a scalar counts as one series without labels.

        Raises:
            ValueError: the result is a matrix or a string.
        """
        if self.type is ResultType.SCALAR:
            return [(EMPTY, self.scalar)]
        if self.type is not ResultType.VECTOR:
            raise ValueError(f"not an instant vector: {self.type}")
        return [(item.labels, float(item.values[0])) for item in self.series if not item.histograms]
