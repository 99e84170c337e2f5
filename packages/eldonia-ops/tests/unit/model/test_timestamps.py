import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eldonia_ops.model.timestamps import epoch_ns, parse_timestamp

BASE = 1_700_000_000  # 2023-11-14T22:13:20Z


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-11-14T22:13:20Z", BASE * 10**9),
        ("2023-11-14T22:13:20.123Z", BASE * 10**9 + 123_000_000),
        ("2023-11-14T22:13:20.123456789Z", BASE * 10**9 + 123_456_789),
        ("2023-11-14T22:13:20.1234567899999Z", BASE * 10**9 + 123_456_789),
        ("2023-11-15T07:13:20+09:00", BASE * 10**9),
        ("2023-11-14T16:43:20.5-0530", BASE * 10**9 + 500_000_000),
        ("2023-11-14 22:13:20,5", BASE * 10**9 + 500_000_000),
        ("2023-11-14 22:13:20 UTC", BASE * 10**9),
        ("2016-12-31T23:59:60Z", 1_483_228_799 * 10**9),
        ("1700000000", BASE * 10**9),
        ("1700000000123", BASE * 10**9 + 123_000_000),
        ("1700000000.25", BASE * 10**9 + 250_000_000),
    ],
)
def test_spellings(text, expected):
    assert parse_timestamp(text) == expected


@given(
    st.datetimes(datetime.datetime(1970, 1, 2), datetime.datetime(2261, 1, 1)),
    st.sampled_from("T "),
    st.text("0123456789", max_size=9),
    st.sampled_from(["", "Z", "+09:00", "-05:30", "+00:00"]),
)
def test_the_usual_form_means_what_the_others_do(moment, joint, fraction, zone):
    text = moment.strftime(f"%Y-%m-%d{joint}%H:%M:%S") + (f".{fraction}" if fraction else "") + zone
    # A blank around it is what the fast pattern does not know.
    assert parse_timestamp(text) == parse_timestamp(f" {text}")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (BASE, BASE * 10**9),
        (BASE + 0.123456, BASE * 10**9 + 123_456_000),
        (BASE * 1000 + 7, BASE * 10**9 + 7_000_000),
        (BASE * 10**6 + 7, BASE * 10**9 + 7_000),
        (BASE * 10**9 + 7, BASE * 10**9 + 7),
    ],
)
def test_the_unit_of_a_number_shows_in_its_size(number, expected):
    assert epoch_ns(number) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2023-02-30T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-11-14T24:00:00Z",
        "2023-11-14T22:13:20+99:00",
        "1960-01-01T00:00:00Z",
        "9999-01-01T00:00:00Z",
        "-5",
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(ValueError, match=r"\w"):
        parse_timestamp(text)


@pytest.mark.parametrize("number", [-1, float("nan"), float("inf"), 1e30])
def test_impossible_numbers_are_refused(number):
    with pytest.raises(ValueError, match="not a timestamp"):
        epoch_ns(number)


offsets = st.integers(-23 * 60, 23 * 60).map(lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes)))


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2261, 1, 1), timezones=offsets))
def test_agrees_with_the_standard_library(moment):
    expected = (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1)
    assert parse_timestamp(moment.isoformat()) == expected * 1000


@pytest.mark.parametrize("number", [12_700_000_000_123, 17_000_000_007.5, 99_999_999_999])
def test_a_number_whose_instant_lies_beyond_what_can_be_stored_is_refused(number):
    with pytest.raises(ValueError, match="2262"):
        epoch_ns(number)
