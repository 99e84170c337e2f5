import math

from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_telemetry.performance.quantiles import MAX_BINS, RELATIVE_ERROR, Sketch


@settings(max_examples=60)
@given(
    st.lists(st.floats(1e-5, 1e5), min_size=1, max_size=300),
    st.sampled_from([0.0, 0.01, 0.5, 0.9, 0.95, 0.99, 1.0]),
)
def test_quantiles_are_within_the_promised_error(values, share):
    sketch = Sketch()
    for value in values:
        sketch.add([value])
    exact = sorted(values)[math.floor(share * (len(values) - 1))]
    assert abs(sketch.quantile(share) - exact) <= exact * RELATIVE_ERROR * 1.000001


def test_memory_is_bounded_and_the_upper_quantiles_stay_exact_enough():
    sketch = Sketch()
    values = [10.0 ** (exponent / 100) for exponent in range(-900, 900)]
    for value in values:
        sketch.add([value])
    assert len(sketch._bins) == MAX_BINS
    assert sketch.count == len(values)
    exact = sorted(values)[math.floor(0.95 * (len(values) - 1))]
    assert abs(sketch.quantile(0.95) / exact - 1) <= RELATIVE_ERROR


def test_what_is_no_duration():
    sketch = Sketch()
    assert math.isnan(sketch.quantile(0.5))
    for value in (0.0, 0.0, 5.0, math.nan, math.inf):
        sketch.add([value])
    assert sketch.count == 3
    assert sketch.quantile(0.5) == 0.0
    assert abs(sketch.quantile(1.0) - 5.0) <= 0.05
