"""Values that real applications pass, and that are not what the signature says: nothing raises, nothing is lost."""

import decimal
import json

import pytest

import eldonia_telemetry as telemetry
from eldonia_telemetry import values
from eldonia_telemetry.testing import capture
from eldonia_telemetry.traces import otlp_json


class SafeString(str):
    """As Django and markupsafe have one."""


class BrokenCode(Exception):
    @property
    def code(self):
        raise ValueError("no code")


class BrokenText:
    def __str__(self):
        raise ValueError("no text")


log = telemetry.get_logger()


def test_a_subclass_of_text_is_text():
    with capture() as seen:
        log.info(
            SafeString("message"),
            user_id=SafeString("u"),
            a=SafeString("v"),
            items=[SafeString("x")],
            nested={SafeString("k"): SafeString("w")},
        )
        with telemetry.bind(user_id=SafeString("u"), x=SafeString("y")):
            log.info("bound")
        telemetry.security.record("failed_login", details={"a": SafeString("z")})
    one = seen.record("message")
    assert one.metadata == {"a": "v", "items": ["x"], "nested": {"k": "w"}}
    assert one.user_id == "u"
    assert seen.record("bound").metadata == {"x": "y"}
    assert seen.event("failed_login")["details"] == {"a": "z"}


def test_a_subclass_of_text_in_a_span():
    attributes = {"a": SafeString("v"), SafeString("k"): 3}
    with capture() as seen, telemetry.traces.span(SafeString("s"), attributes=attributes):
        pass
    [span] = json.loads(otlp_json.encode(seen.spans, {}))["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert span["name"] == "s"
    assert [one["key"] for one in span["attributes"]] == ["a", "k"]


@pytest.mark.parametrize("amount", [None, "x", float("nan"), BrokenText()])
def test_what_is_no_number_does_not_count(amount):
    counter, gauge = telemetry.metrics.counter("anything_total"), telemetry.metrics.gauge("anything")
    histogram = telemetry.metrics.histogram("anything_seconds")
    with capture() as seen:
        counter.inc(amount)
        gauge.inc(amount)
        histogram.observe(amount)
        gauge.set(None)
    assert seen.increase("anything_total") == seen.increase("anything_seconds_count") == seen.increase("anything") == 0


def test_money_in_decimals_is_counted():
    with capture() as seen:
        telemetry.business.revenue(decimal.Decimal("1.5"), "JPY")
    assert seen.increase("revenue_total", currency="JPY") == 1.5


@pytest.mark.parametrize("name", [None, 5, "", BrokenText()])
def test_names_and_labels_of_metrics(name):
    telemetry.metrics.counter(name).inc()
    telemetry.metrics.gauge("anything_else", labels=None).set(1)
    telemetry.metrics.gauge("anything_labelled", labels=7).set(1)


def test_the_applications_exception_is_the_one_that_leaves_a_span():
    with capture() as seen, pytest.raises(BrokenCode, match="mine"), telemetry.traces.span("x"):
        raise BrokenCode("mine")
    assert seen.spans[0].events[0][2]["exception.type"] == "BrokenCode"


@pytest.mark.parametrize("duration", [None, "x", float("nan"), float("inf"), decimal.Decimal("2")])
def test_performance_takes_any_duration(duration):
    with capture() as seen:
        log.performance("op", duration)
    assert seen.records[0].performance.duration == (2.0 if isinstance(duration, decimal.Decimal) else 0.0)


def test_business_takes_any_event():
    with capture() as seen:
        log.business(BrokenText())
    assert seen.records[0].operation.startswith("<BrokenText")


def test_spans_and_headers_take_anything():
    with capture() as seen, telemetry.traces.span("x") as span:
        span.set_error(ValueError("no text"))
    assert seen.spans[0].status_message == "no text"
    assert telemetry.traces.extract(None) is telemetry.traces.extract(5, 5) is None


class Moody(dict):
    def __bool__(self):
        raise RuntimeError("no")

    def __len__(self):
        raise RuntimeError("no")

    def keys(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("metadata", "said"), [("text", {"metadata": "text", "a": 1}), ([1], {"metadata": [1], "a": 1})]
)
def test_metadata_that_is_no_mapping_is_a_field(metadata, said):
    with capture() as seen:
        log.info("x", metadata=metadata, a=1)
    assert seen.record("x").metadata == said


def test_metadata_that_raises_costs_no_record():
    with capture() as seen:
        log.info("x", metadata=Moody(a=1), b=2)
        log.info("y", metadata=Moody(a=1))
    assert [record.message for record in seen.records] == ["x", "y"]


@pytest.mark.parametrize("details", ["exported 5 rows", 5, ["a"], Moody(a=1)])
def test_a_security_event_is_not_lost_for_its_details(details):
    with capture() as seen:
        telemetry.security.record("data_access", "high", details=details)
        telemetry.security.record(["odd"], {"odd": 1})
    assert [event["eventType"] for event in seen.security_events] == ["data_access", "suspicious_activity"]


@pytest.mark.parametrize("leaf", ["v" * 16_000, "v", 1.5, 7, True])
def test_nested_mappings_are_bounded(leaf):
    rows = {str(row): dict.fromkeys(map(str, range(200)), leaf) for row in range(200)}
    kept = [
        value for row in values.fields({"rows": rows})["rows"].values() if type(row) is dict for value in row.values()
    ]
    assert leaf in kept
    assert len(kept) <= values.MAX_NODES + 200
    assert sum(len(value) for value in kept if type(value) is str) <= 64 * values.MAX_NODES + values.MAX_TEXT + 10_000
