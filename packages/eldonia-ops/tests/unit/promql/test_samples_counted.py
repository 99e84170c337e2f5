"""How many samples a query looks at, counted as Prometheus' ``totalQueryableSamples`` is."""

import numpy as np
import pytest

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import ABSENT_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql import evaluate, parse, plan

# Two series, a sample each 10 s for a minute. The second begins at 30 s, and ends with a stale marker at 60 s.
BLOCK = SeriesBlock(
    (Labels({"__name__": "m", "n": "1"}), Labels({"__name__": "m", "n": "2"})),
    np.arange(0, 70_000, 10_000, dtype=np.int64),
    np.array([[1.0, ABSENT_NAN]] * 3 + [[1.0, 2.0]] * 3 + [[1.0, STALE_NAN]]),
)


@pytest.mark.parametrize(
    ("query", "start", "end", "step", "samples"),
    [
        ("m", 50_000, 50_000, 0, 2),
        ("m", 60_000, 60_000, 0, 1),
        ("m", 0, 60_000, 10_000, 7 + 3),
        ("m offset 40s", 50_000, 50_000, 0, 1),
        ("m + m", 50_000, 50_000, 0, 4),
        ("m[30s]", 50_000, 50_000, 0, 3 + 3),
        ("sum_over_time(m[30s])", 50_000, 60_000, 10_000, 6 + 3 + 2),
        ("sum_over_time(m[30s:10s])", 50_000, 50_000, 0, 3 + 3),
        ("max_over_time(m[20s:10s])", 40_000, 50_000, 10_000, 2 * (2 + 2)),
        ("1", 50_000, 50_000, 0, 0),
    ],
)
def test_samples_are_counted_step_by_step(query: str, start: int, end: int, step: int, samples: int) -> None:
    wanted = plan(parse(query), start, end, step)
    assert evaluate(wanted, [[BLOCK]] * len(wanted.fetches)).samples == samples
