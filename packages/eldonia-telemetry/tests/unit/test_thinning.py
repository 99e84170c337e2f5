import random

import pytest

from eldonia_telemetry import dropped_data, get_logger, rate_limit, runtime, security, traces
from eldonia_telemetry.rate_limit import Repeats, Suppressed
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.testing import capture

log = get_logger(component="orders")
KEY = (20, "orders", "m")


@pytest.fixture
def thinning():
    """A runtime with the settings wanted, whose records are captured."""
    befores = []
    with capture() as seen:

        def use(**settings):
            befores.append(runtime.replace(runtime.Runtime(Settings(level=10, **settings), (seen,), seen)))
            return seen

        yield use
        while befores:
            runtime.replace(befores.pop())


def test_the_first_few_pass_and_the_rest_is_counted():
    limit = Repeats(3, window=60)
    assert [limit.admits(KEY, 100 + n, n) for n in range(10)] == [True] * 3 + [False] * 7
    assert limit.admits((20, "orders", "other"), 105, 0)
    assert limit.due(159) == []
    assert limit.next_end == 160
    assert limit.due(160) == [Suppressed(KEY, 7, 3)]
    assert limit.admits(KEY, 161, 0)  # a new window
    assert limit.due(float("inf")) == []


def test_keys_are_bounded():
    limit = Repeats(1, window=60, max_keys=10)
    emitted = 0
    for n in range(100):
        for _ in range(2):
            limit.admits((20, "c", str(n)), 0, 1)
        if limit.crowded:
            emitted += len(limit.due(0))
    assert not limit.crowded
    assert emitted == 90
    assert len(limit.due(60)) == 10


def test_a_storm_becomes_a_few_records_and_a_count(thinning, monkeypatch):
    seen = thinning(log_repeat_limit=5)
    for n in range(1000):
        log.error("database away", attempt=n)
        log.info("fine", n=n) if n < 5 else None
    assert len(seen.records) == 10
    runtime.current.flush(1)
    last = seen.records[-1]
    assert (last.message, last.level, last.component) == ("database away", "error", "orders")
    assert last.metadata["repeated"] == 995
    assert last.metadata["since"].endswith("Z")
    assert len(seen.records) == 11


def test_the_count_comes_with_the_next_record_after_the_window(thinning, monkeypatch):
    monkeypatch.setattr(rate_limit, "WINDOW", 0.0)
    seen = thinning(log_repeat_limit=1)
    runtime.current._repeats._window = 0.05
    now = [1000.0]
    monkeypatch.setattr(runtime.time, "monotonic", lambda: now[0])
    for _ in range(4):
        log.warn("again")
    now[0] += 1
    log.debug("something else")
    assert [(r.message, (r.metadata or {}).get("repeated")) for r in seen.records] == [
        ("again", None),
        ("again", 3),
        ("something else", None),
    ]


def test_what_is_counted_elsewhere_is_never_held_back(thinning):
    seen = thinning(log_repeat_limit=1, log_ratio=0.0)
    for _ in range(5):
        log.business("order_placed")
        security.record("failed_login", "medium")
    assert len(seen.records) == 10


def test_formats_not_their_arguments_make_records_the_same(thinning):
    import logging

    from eldonia_telemetry.integrations.stdlib import TelemetryHandler

    seen = thinning(log_repeat_limit=2)
    handler = TelemetryHandler()
    for n in range(10):
        handler.handle(logging.makeLogRecord({"msg": "slow %d", "args": (n,), "levelno": 30, "name": "lib"}))
    assert [r.message for r in seen.records] == ["slow 0", "slow 1"]


def test_sampling_keeps_a_share_and_says_which(thinning, monkeypatch):
    monkeypatch.setattr(runtime, "_random", random.Random(1))
    seen = thinning(log_ratio=0.25)
    for n in range(2000):
        log.info("i", n=n)
    assert 400 < len(seen.records) < 600
    assert all(r.metadata["sampleRatio"] == 0.25 for r in seen.records)
    seen.records.clear()
    for _ in range(100):
        log.warn("w")
        log.error("e")
    assert len(seen.records) == 200


def test_sampling_keeps_all_records_of_a_trace_or_none(thinning):
    seen = thinning(log_ratio=0.5)
    for _ in range(60):
        with traces.span("work"):
            for _ in range(3):
                log.info("step")
    by_trace = {}
    for record in seen.records:
        by_trace[record.trace_id] = by_trace.get(record.trace_id, 0) + 1
    assert set(by_trace.values()) == {3}
    assert 10 < len(by_trace) < 50


def test_nothing_of_this_counts_as_lost(thinning):
    before = dropped_data.snapshot()
    thinning(log_ratio=0.0, log_repeat_limit=1)
    log.info("x")
    log.warn("x")
    log.warn("x")
    assert dropped_data.snapshot() == before
