"""What every filter of the pipeline is."""

from dataclasses import dataclass
from typing import Any, ClassVar

from eldonia_ops.pipeline.event import Batch, Event


@dataclass(frozen=True, slots=True)
class Counted:
    """Numbers of records for the series of a metric whose labels have these values."""

    metric: str
    values: tuple[str, ...]
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Filtered:
    """What became of a batch: ``events`` go on under its tag; of ``refused`` each goes to ``@ERROR`` with a reason;
    ``relabelled`` begin again in a label; ``printed`` are lines for the standard output of the process,
    ``counted`` numbers for metrics."""

    events: tuple[Event, ...]
    refused: tuple[tuple[Event, str], ...] = ()
    relabelled: tuple[tuple[str, Batch], ...] = ()
    printed: tuple[str, ...] = ()
    counted: tuple[Counted, ...] = ()


class Filter:
    """Events to events. What a filter remembers is a value that is handed in and out, so that a batch can be tried
    without an effect, and one that could not be delivered can be offered again."""

    type: ClassVar[str] = ""
    holds: ClassVar[bool] = False
    """Whether events are held back: what it remembers are :data:`~eldonia_ops.pipeline.filters.held_lines.Streams`."""

    def start(self) -> Any:
        """What it remembers at first; None for filters that remember nothing."""
        return None

    def step(self, state: Any, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """What becomes of a batch, and what is remembered from now on. ``now_ms`` is Unix milliseconds."""
        raise NotImplementedError

    def expired(self, state: Any, now_ms: int) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """What was held back for long enough: batches that go on behind this filter (label '') or in a label."""
        return (), state

    def finished(self, state: Any) -> tuple[tuple[tuple[str, Batch], ...], Any]:
        """Everything that is held back, as it is: nothing more will come."""
        return (), state

    def next_deadline(self, state: Any) -> int | None:
        """When :meth:`expired` has to be asked (Unix milliseconds); None: not before the next batch."""
        return None

    def held(self, state: Any) -> int:
        """How many events are held back: they are nowhere else."""
        return 0


class StatelessFilter(Filter):
    """A filter that remembers nothing."""

    def filter(self, batch: Batch) -> Filtered:
        """What becomes of a batch."""
        raise NotImplementedError

    def step(self, state: Any, batch: Batch, now_ms: int) -> tuple[Filtered, Any]:
        """See :meth:`Filter.step`."""
        return self.filter(batch), None
