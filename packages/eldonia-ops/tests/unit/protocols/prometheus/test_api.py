"""Numbers and envelopes as Prometheus writes them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.native_histogram import NativeHistogram
from eldonia_ops.protocols.prometheus.api import histogram_value, matrix, sample_value, status_of, timestamp, vector


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.0, "0"), (-0.0, "-0"), (0.1, "0.1"), (1e-6, "0.000001"), (1.5e-5, "0.000015"), (1e-7, "1e-07"),
     (1.25e-9, "1.25e-09"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1.5e300, "1.5e+300"),
     (123456789.125, "123456789.125"), (1e16, "10000000000000000"), (2.0**64, "18446744073709552000"),
     (math.inf, "+Inf"), (-math.inf, "-Inf"),
     (math.nan, "NaN"), (5e-324, "5e-324")],
)  # fmt: skip
def test_values(value: float, text: str) -> None:
    assert sample_value(value) == text


@settings(max_examples=200)
@given(st.floats(allow_nan=False))
def test_values_read_back_exactly(value: float) -> None:
    assert float(sample_value(value).replace("Inf", "inf")) == value


def test_timestamps_and_statuses() -> None:
    assert (timestamp(1_000), timestamp(1_500), timestamp(1)) == (1, 1.5, 0.001)
    assert (status_of("bad_data"), status_of("execution"), status_of("unheard")) == (400, 422, 500)


def test_native_histograms_in_answers() -> None:
    one = NativeHistogram(0, 7.0, 3.5, 0.001, 1.0, ((1, 2.0),), ((1, 4.0),))
    wanted = {
        "count": "7",
        "sum": "3.5",
        "buckets": [[1, "-2", "-1", "4"], [3, "-0.001", "0.001", "1"], [0, "1", "2", "2"]],
    }
    labels = Labels({"a": "b"})
    assert histogram_value(one) == wanted
    [found] = vector([(labels, [], [(1_000, one)])])["result"]
    assert found == {"metric": {"a": "b"}, "histogram": [1, wanted]}
    [found] = matrix([(labels, [(500, 1.0)], [(1_000, one)])])["result"]
    assert found == {"metric": {"a": "b"}, "values": [[0.5, "1"]], "histograms": [[1, wanted]]}
    assert histogram_value(NativeHistogram(0, 0.0, 0.0)) == {"count": "0", "sum": "0"}
    custom = NativeHistogram(-53, 3.0, 1.0, positive=((0, 1.0), (1, 2.0)), custom_bounds=(5.0,))
    assert histogram_value(custom)["buckets"] == [[3, "-Inf", "5", "1"], [0, "5", "+Inf", "2"]]
