"""Which series have a sample in a range, without copying what they hold."""

import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import ABSENT_NAN, Sample, SampleRow, is_absent
from eldonia_ops.storage.clickhouse.metrics.head import Head

START = 1_700_000_000_000


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=40),
    st.integers(-5, 45),
    st.integers(-5, 45),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_a_series_is_there_if_it_has_a_sample(
    present: list[list[bool]], first: int, last: int, alone: list[int]
) -> None:
    head = Head(floor_ms=START - 1_000_000, retention_ms=10_000_000)
    for index, row in enumerate(present):
        labels = tuple(Labels({"__name__": "m", "n": str(n)}) for n, yes in enumerate(row) if yes)
        if labels:
            head.append_row(SampleRow("target", START + index * 1_000, labels, np.ones(len(labels))))
    for index in sorted(set(alone)):
        head.append_samples([Sample(Labels({"__name__": "alone"}), START + index * 1_000, 1.0)])
    low, high = START + first * 1_000, START + last * 1_000
    expected = {str(n) for i, row in enumerate(present) for n, yes in enumerate(row) if yes and first <= i <= last}
    found = [labels.get("n", "alone") for labels in head.series([], low, high)]
    assert sorted(found) == sorted(expected | ({"alone"} if any(first <= i <= last for i in alone) else set()))
    by_values = [
        labels
        for block in head.select([], low, high)
        for labels, some in zip(block.labels, np.any(~is_absent(block.values), axis=0), strict=True)
        if some
    ]
    assert set(by_values) == set(head.series([], low, high))


def test_to_name_the_series_of_a_day_takes_no_copy_of_the_day() -> None:
    count, rows = 2_000, 500
    head = Head(floor_ms=START - 1, retention_ms=10**9)
    labels = tuple(Labels({"__name__": "m", "n": str(n)}) for n in range(count))
    values = np.ones(count)
    values[::2] = ABSENT_NAN
    for index in range(rows):
        head.append_row(SampleRow("target", START + index, labels, values if index % 2 else np.ones(count)))
    tracemalloc.start()
    # Up to before the newest row: that the series were seen later says nothing about the range.
    assert len(head.series([], START, START + rows - 2)) == count
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < count * rows * 8 / 10
