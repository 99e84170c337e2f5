"""Blocks of samples with floats and native histograms side by side."""

import numpy as np

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.model.samples import ABSENT_NAN, HISTOGRAM_NAN, STALE_NAN, SeriesBlock, is_absent, is_stale

LABELS = (Labels({"__name__": "a"}), Labels({"__name__": "b"}))


def test_a_block_of_floats_alone_is_left_as_it_is() -> None:
    block = SeriesBlock(LABELS, np.array([1, 2]), np.array([[1.0, 2.0], [STALE_NAN, ABSENT_NAN]]))
    assert block.floats() is block


def test_where_a_histogram_is_no_float_is_there() -> None:
    cells = np.array([[1.0, HISTOGRAM_NAN], [np.nan, STALE_NAN]])
    block = SeriesBlock(LABELS, np.array([1, 2]), cells, {(0, 1): NativeHistogram(0, 0, 0)})
    assert not is_absent(block.values).any()
    floats = block.floats()
    assert not floats.histograms
    assert is_absent(floats.values).tolist() == [[False, True], [False, False]]
    assert is_stale(floats.values).tolist() == [[False, False], [False, True]]
    assert not is_absent(cells).any(), "the block that was given stays as it is"
