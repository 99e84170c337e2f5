"""Native histograms of remote write: spans and deltas become buckets, and what does not fit is refused."""

import math
from typing import Any

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eldonia_ops.intake import IntakeLimits
from eldonia_ops.intake.prometheus_remote_write import decode_write
from eldonia_ops.intake.prometheus_remote_write.messages import WriteRequest
from eldonia_ops.model.native_histogram import CUSTOM_SCHEMA, NativeHistogram, ResetHint
from eldonia_ops.model.samples import STALE_NAN, HistogramSample, Sample, is_stale

Spans = list[tuple[int, int]]


def decoded(*histograms: dict[str, Any]) -> Any:
    message = WriteRequest()
    series = message.timeseries.add()
    series.labels.add(name="__name__", value="h")
    for fields in histograms:
        one = series.histograms.add()
        for name, value in fields.items():
            if name.endswith("_spans"):
                for offset, length in value:
                    getattr(one, name).add(offset=offset, length=length)
            elif isinstance(value, list):
                getattr(one, name).extend(value)
            else:
                setattr(one, name, value)
    return decode_write(bytes(cramjam.snappy.compress_raw(message.SerializeToString())), IntakeLimits())


def only(**fields: Any) -> NativeHistogram:
    found = decoded(fields)
    assert not found.refused
    [sample] = found.samples
    assert isinstance(sample, HistogramSample)
    return sample.value


def test_counts_in_integers() -> None:
    found = only(
        count_int=10, sum=18.4, schema=1, zero_threshold=0.001, zero_count_int=2, timestamp=7, reset_hint=2,
        positive_spans=[(0, 2), (1, 2)], positive_deltas=[1, 1, -1, 0],
        negative_spans=[(-3, 1)], negative_deltas=[3],
    )  # fmt: skip
    positive = ((0, 1.0), (1, 2.0), (3, 1.0), (4, 1.0))
    assert found == NativeHistogram(1, 10.0, 18.4, 0.001, 2.0, positive, ((-3, 3.0),))


def test_counts_in_floats_need_not_agree_to_the_last_digit() -> None:
    spans, counts = [(2, 1), (0, 1), (5, 1)], [0.1, 0.2, 0.0]
    found = only(count_float=0.3, sum=1.0, schema=8, positive_spans=spans, positive_counts=counts, reset_hint=3)
    assert found == NativeHistogram(8, 0.3, 1.0, positive=((2, 0.1), (3, 0.2)), reset_hint=ResetHint.GAUGE)


def test_bounds_of_its_own() -> None:
    found = only(count_int=3, schema=CUSTOM_SCHEMA, custom_values=[0.5, 5.0], positive_spans=[(0, 3)],
                 positive_deltas=[1, 0, 0])  # fmt: skip
    assert found == NativeHistogram(
        CUSTOM_SCHEMA, 3.0, 0.0, positive=((0, 1.0), (1, 1.0), (2, 1.0)), custom_bounds=(0.5, 5.0)
    )


def test_a_schema_that_is_finer_than_8_is_made_coarser() -> None:
    found = only(count_int=6, schema=10, positive_spans=[(-3, 1), (2, 1), (0, 4)], positive_deltas=[1, 0, 0, 0, 0, 0])
    assert found == NativeHistogram(8, 6.0, 0.0, positive=((0, 2.0), (1, 4.0)))


def test_the_stale_marker_ends_the_series() -> None:
    [sample] = decoded({"sum": STALE_NAN, "timestamp": 5, "schema": 99}).samples
    assert isinstance(sample, Sample)
    assert is_stale(sample.value)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"schema": 53}, "schema that is not known"),
        ({"schema": -5}, "schema that is not known"),
        ({"count_int": 1}, "count is not that of its buckets"),
        ({"count_int": 1, "sum": math.nan, "zero_count_int": 2}, "count is not that of its buckets"),
        ({"positive_spans": [(0, 2)], "positive_deltas": [1]}, "spans do not fit its buckets"),
        ({"positive_deltas": [1], "count_int": 1}, "spans do not fit its buckets"),
        ({"positive_spans": [(0, 1), (-1, 1)], "positive_deltas": [1, 0], "count_int": 2}, "goes back"),
        ({"positive_spans": [(0, 2)], "positive_deltas": [1, -2]}, "less than nothing"),
        ({"negative_spans": [(0, 1)], "negative_counts": [math.nan]}, "less than nothing"),
        ({"positive_spans": [(0, 2**32 - 1)]}, "more than 10,000 buckets"),
        ({"positive_spans": [(2**31 - 1, 2)], "positive_deltas": [1, 0], "count_int": 2}, "beyond all others"),
        ({"schema": CUSTOM_SCHEMA, "custom_values": [2.0, 1.0]}, "not ascending"),
        ({"schema": CUSTOM_SCHEMA, "zero_count_int": 1, "count_int": 1}, "no negative and no zero bucket"),
        ({"schema": CUSTOM_SCHEMA, "positive_spans": [(1, 1)], "positive_deltas": [1], "count_int": 1}, "no bounds"),
        ({"custom_values": [1.0]}, "only schema -53"),
        ({"zero_threshold": -1.0}, "below zero"),
        ({"count_float": -1.0}, "below zero"),
    ],
)
def test_what_does_not_fit_is_refused_and_its_neighbour_stored(fields: dict[str, Any], reason: str) -> None:
    found = decoded(fields, {"count_int": 1, "zero_count_int": 1, "timestamp": 1})
    [why] = found.refused
    assert reason in why
    assert len(found.samples) == 1


def test_the_observation_of_a_nan_is_in_no_bucket() -> None:
    assert only(count_int=2, sum=math.nan, zero_count_int=1).count == 2


SPANS = st.lists(st.tuples(st.integers(-(2**31), 2**31 - 1), st.integers(0, 40)), max_size=4)


@given(
    SPANS, st.lists(st.integers(-(2**63), 2**63 - 1), max_size=60), st.lists(st.floats(), max_size=60),
    st.integers(-(2**31), 2**31 - 1), st.floats(), st.lists(st.floats(), max_size=4),
)  # fmt: skip
def test_whatever_comes_is_taken_or_refused_with_a_reason(
    spans: Spans, deltas: list[int], counts: list[float], schema: int, number: float, bounds: list[float]
) -> None:
    found = decoded({"positive_spans": spans, "positive_deltas": deltas, "negative_spans": spans,
                     "negative_counts": counts, "schema": schema % 60 - 5, "count_float": number, "sum": number,
                     "custom_values": bounds})  # fmt: skip
    assert len(found.samples) + sum(found.refused.values()) == 1
