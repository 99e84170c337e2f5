"""Numbers and envelopes as Prometheus writes them."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.protocols.prometheus_api import sample_value, status_of, timestamp


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
