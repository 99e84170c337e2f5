import pytest

from eldonia_telemetry import get_logger, metrics, security, traces
from eldonia_telemetry.testing import capture

log = get_logger(component="orders")


def test_the_one_that_fits():
    with capture() as seen:
        log.info("order placed", order_id=42, user_id=7)
        log.error("payment failed", exception=ValueError("no"), order_id=42)
        security.record("data_access", "low", details={"table": "accounts"})
        with traces.span("GET /works", attributes={"http.route": "/works"}) as parent, traces.span("SELECT"):
            pass
    assert seen.record("placed").metadata == {"order_id": 42}
    assert seen.record(level="error", order_id=42).error.name == "ValueError"
    assert seen.record(user_id="7").message == "order placed"
    assert seen.span("SELECT").parent_span_id == seen.span(http_route="/works").span_id
    assert [span.name for span in seen.children(parent)] == ["SELECT"]
    assert seen.event("data_access", table="accounts")["severity"] == "low"


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda seen: seen.record("lost"), "no record like that among:\n  info orders: first"),
        (lambda seen: seen.record(level="info"), "2 records like that"),
        (lambda seen: seen.span("x"), "no span like that among:\n  (nothing)"),
        (lambda seen: seen.event("data_access"), "no security event like that"),
    ],
)
def test_a_miss_shows_what_was_there(ask, said):
    with capture() as seen:
        log.info("first")
        log.info("second")
    with pytest.raises(AssertionError) as failure:
        ask(seen)
    assert said in str(failure.value)


def test_values_increases_and_a_fresh_start():
    gauge = metrics.gauge("testing_depth", "", ("queue",))
    counter = metrics.counter("testing_things_total")
    with capture() as seen:
        gauge.labels("mail").set(3)
        counter.inc(2)
        log.info("before")
        assert seen.value("testing_depth", queue="mail") == 3
        assert seen.value("testing_depth", queue="none") is None
        assert seen.increase("testing_things_total") == 2
        seen.clear()
        counter.inc()
        log.info("after")
    assert [record.message for record in seen.records] == ["after"]
    assert seen.increase("testing_things_total") == 1


def test_what_the_application_redacts_is_redacted_here():
    with capture(redact_emails=True, redact_fields=["nickname"]), capture() as seen:
        log.info("mail to a@example.com", nickname="Al", order=1)
        with capture(redact_emails=False) as inner:
            log.info("mail to a@example.com", nickname="Al")
    assert seen.record().message == "mail to [REDACTED]"
    assert seen.record().metadata == {"nickname": "[REDACTED]", "order": 1}
    assert inner.record().message == "mail to a@example.com"
    with capture() as after:
        log.info("mail to a@example.com", nickname="Al")
    assert after.record().metadata == {"nickname": "Al"}
