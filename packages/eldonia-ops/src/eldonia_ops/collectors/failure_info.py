"""Why a target is down, as a series: ``up`` and ``probe_success`` say that it is, but an alert on them cannot say why.

``target_failure_info`` has the labels of the target and ``reason``, and the value 1 as long as the target fails so.
"""

from typing import Final

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.samples import STALE_NAN, MetricMetadata, MetricType, Sample

NAME: Final = "target_failure_info"
METADATA: Final = MetricMetadata(NAME, MetricType.GAUGE, "1, with the reason, while a target fails.")
_LONGEST: Final = 200


def reason_of(error: str) -> str:
    """What is wrong in one line of at most 200 characters."""
    return " ".join(error.split())[:_LONGEST]


class FailureSamples:
    """The samples of ``target_failure_info`` for one target whose other series come in rows that must not change."""

    def __init__(self, target: Labels) -> None:
        self._target = target
        self._last: Labels | None = None

    def of(self, error: str, at_ms: int) -> tuple[Sample, ...]:
        """The sample of this instant; the one that is no more ends by a staleness marker. '' is no failure."""
        now = self._target.merged({METRIC_NAME: NAME, "reason": reason_of(error)}) if error else None
        last, self._last = self._last, now
        ended = () if last is None or last == now else (Sample(last, at_ms, STALE_NAN),)
        return ended if now is None else (*ended, Sample(now, at_ms, 1.0))
