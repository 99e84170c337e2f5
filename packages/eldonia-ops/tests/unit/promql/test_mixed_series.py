"""Series with histograms are taken out of blocks of floats, which stay as they are without them."""

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import ABSENT_NAN, HISTOGRAM_NAN, STALE_NAN, SeriesBlock
from eldonia_ops.promql.mixed_series import split

A, B = Labels({"__name__": "a"}), Labels({"__name__": "b"})
ONE = NativeHistogram(0, 1, 1)


def test_a_block_of_floats_alone_is_left_as_it_is() -> None:
    block = SeriesBlock((A, B), np.array([1, 2]), np.array([[1.0, 2.0], [STALE_NAN, ABSENT_NAN]]))
    floats, mixed = split([block])
    assert floats[0] is block
    assert mixed == []


def test_a_series_with_a_histogram_is_taken_out_with_its_floats() -> None:
    cells = np.array([[1.0, ABSENT_NAN], [2.0, HISTOGRAM_NAN], [3.0, 4.0], [5.0, STALE_NAN]])
    block = SeriesBlock((A, B), np.array([1, 2, 3, 4]), cells, {(1, 1): ONE})
    [floats], [series] = split([block])
    assert (floats.labels, floats.values.tolist()) == ((A,), [[1.0], [2.0], [3.0], [5.0]])
    assert (series.labels, series.times.tolist(), series.values(0, 2)) == (B, [2, 3], [ONE, 4.0])
    _, [ended] = split([block], keep_stale=True)
    assert (ended.times.tolist(), ended.stale.tolist()) == ([2, 3, 4], [False, False, True])
    assert cells[1, 1] != cells[1, 1], "the block that was given stays as it is"
