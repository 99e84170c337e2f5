"""Outputs that have hardly any settings: our own store, ``null``, ``stdout``, ``relabel``."""

from dataclasses import dataclass, field

from eldonia_ops.pipeline.filters.record_metrics import RecordMetrics
from eldonia_ops.pipeline.formatters import Formatter
from eldonia_ops.pipeline.outputs.output import Output


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutput(Output):
    """Our own log store (``@type eldonia``), which is durable itself: without a ``<buffer>`` an event is acknowledged
    when it is stored. ``index`` is the index pattern of an ``elasticsearch`` output that means us, else ''."""

    type: str = "eldonia"
    index: str = ""

    @property
    def summary(self) -> str:
        """What is written where."""
        return "the log store of this platform"


@dataclass(frozen=True, slots=True, kw_only=True)
class NullOutput(Output):
    """Takes everything and keeps nothing."""

    type: str = "null"


@dataclass(frozen=True, slots=True, kw_only=True)
class StdoutOutput(Output):
    """Writes to the standard output of the process. ``formatter`` None: ``TIME TAG: JSON``, as Fluentd does."""

    type: str = "stdout"
    formatter: Formatter | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusOutput(Output):
    """Counts records, and keeps nothing else of them."""

    type: str = "prometheus"
    metrics: RecordMetrics = field(default_factory=RecordMetrics)

    @property
    def summary(self) -> str:
        """What is counted."""
        return ", ".join(one.name for one in self.metrics.metrics)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelabelOutput(Output):
    """Sends events to the ``<label>`` section ``label`` (with its ``@``). Routing follows it; it writes nothing."""

    type: str = "relabel"
    label: str = ""

    @property
    def summary(self) -> str:
        """What is written where."""
        return f"label {self.label}"
