"""Recording rules: the result of an expression becomes series."""

from collections.abc import Sequence

from eldonia_ops.model.labels import METRIC_NAME, Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import AnySample, HistogramSample, Sample, SampleValue
from eldonia_ops.rules.alerting import RuleError
from eldonia_ops.rules.groups import RecordingRule


def step(
    rule: RecordingRule, vector: Sequence[tuple[Labels, SampleValue]], now: int, *, limit: int = 0
) -> list[AnySample]:
    """The samples to store for one evaluation's result; ``now`` is the evaluation time (Unix milliseconds).

    Raises:
        RuleError: two series become one, or there are more than ``limit``.
    """
    found: list[AnySample] = []
    seen: set[Labels] = set()
    for series, value in vector:
        labels = Labels({**series, **rule.labels, METRIC_NAME: rule.record})
        if labels in seen:
            raise RuleError(f"vector contains metrics with the same labelset after applying rule labels: {labels}")
        seen.add(labels)
        sample = HistogramSample if isinstance(value, NativeHistogram) else Sample
        found.append(sample(labels, now, value))  # pyright: ignore[reportArgumentType]
    if limit and len(found) > limit:
        raise RuleError(f"exceeded limit of {limit} with {len(found)} series")
    return found
