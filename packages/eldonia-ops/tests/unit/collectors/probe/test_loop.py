import asyncio

import pytest

from eldonia_ops.collectors.poll_loop import ReadingsLoop
from eldonia_ops.collectors.probe import http as probe_http
from eldonia_ops.collectors.probe.loop import ProbeSource
from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.model.labels import Labels
from eldonia_ops.ports import ProbeResult
from eldonia_ops.protocols.prometheus.scrape_rows import Readings
from eldonia_ops.services.clock import ManualClock


class Scripted:
    """A prober that gives the answers it was set to."""

    def __init__(self, *results):
        self.results = list(results)

    async def probe(self):
        return self.results.pop(0)


def loop_of(name, prober, sink, clock, *, http=True, interval_ms=15_000, on_result=None):
    labels = Labels({"job": "probe", "instance": "http://gw/health", "probe": name, "service": "payment"})
    return ReadingsLoop(
        measure=ProbeSource(name, prober, clock, http=http, on_result=on_result).measure,
        readings=Readings(f"probe/{name}", labels),
        status=TargetStatus("probe", name, "http://gw/health", labels),
        sink=sink,
        clock=clock,
        interval_ms=interval_ms,
    )


GOOD = ProbeResult(True, 0.25, 200, phases={"connect": 0.1, "transfer": 0.15}, certificate_expires_at=1_800_000_000_000)
BAD = ProbeResult(False, 0.5, 503, "HTTP 503 Service Unavailable", {"connect": 0.1, "transfer": 0.0})


async def test_rows_results_and_status():
    rows, notified = [], []

    async def sink(collected):
        rows.append(collected)

    async def on_result(name, result, now):
        notified.append((name, result.success, now))
        raise RuntimeError("a listener's own fault")

    clock = ManualClock(7_000)
    loop = loop_of("gateway", Scripted(GOOD, BAD), sink, clock, on_result=on_result)
    await loop.measure_once(1_000)
    assert loop.status.health is TargetHealth.UP
    found = {}
    for labels, value in zip(rows[0].row.labels, rows[0].row.values.tolist(), strict=True):
        assert labels.only(("job", "instance", "probe", "service")) == loop.status.labels
        found[labels.name, labels.get("phase", "")] = value
    assert found == {
        ("up", ""): 1.0,
        ("probe_success", ""): 1.0,
        ("probe_duration_seconds", ""): 0.25,
        ("probe_http_status_code", ""): 200.0,
        ("probe_http_ssl", ""): 1.0,
        ("probe_http_duration_seconds", "connect"): 0.1,
        ("probe_http_duration_seconds", "transfer"): 0.15,
        ("probe_ssl_earliest_cert_expiry", ""): 1_800_000_000.0,
    }
    await loop.measure_once(2_000)
    assert (loop.status.health, loop.status.error) == (TargetHealth.DOWN, "HTTP 503 Service Unavailable")
    assert notified == [("gateway", True, 7_000), ("gateway", False, 7_000)]


async def test_the_loop_keeps_its_pace():
    rows = []

    async def sink(collected):
        rows.append(collected)

    clock = ManualClock()
    loop = loop_of("tcp", Scripted(*[GOOD] * 10), sink, clock, http=False, interval_ms=5_000)
    task = asyncio.create_task(loop.run())
    await clock.advance(0)
    assert len(rows) == 1
    await clock.advance(20_000)
    assert len(rows) == 5
    names = {labels.name for labels in rows[0].row.labels}
    assert "probe_tcp_duration_seconds" in names
    assert "probe_http_status_code" not in names
    task.cancel()


async def test_a_clock_that_is_set_back_stops_no_probe():
    rows = []

    async def sink(collected):
        rows.append(collected.row.timestamp_ms)

    clock = ManualClock()
    loop = loop_of("p", Scripted(*[GOOD] * 20), sink, clock, interval_ms=5_000)
    task = asyncio.create_task(loop.run())
    await clock.advance(10_000)
    before = len(rows)
    await clock.set_back(3_600_000)
    set_back_at = clock.now()
    await clock.advance(20_000)
    after = rows[before:]
    assert 4 <= len(after) <= 6
    assert all(set_back_at <= at <= clock.now() for at in after)
    task.cancel()


@pytest.mark.parametrize("charset", ["hex", "zip", "rot13", "punycode", "idna", "nothing", ""])
def test_a_charset_that_is_none_of_a_text_counts_as_utf_8(charset):
    assert probe_http._text("元気 ok".encode(), charset) == "元気 ok"


def test_usual_charsets_are_read():
    for charset in ("Shift_JIS", "EUC-JP", "ISO-2022-JP", "windows-1252", "ISO-8859-1", "utf-16", "GB18030"):
        text = "é" if "1252" in charset or "8859" in charset else "元気"
        assert probe_http._text(text.encode(charset), charset) == text


async def test_why_it_fails_is_a_series_as_long_as_it_fails():
    rows = []

    async def sink(collected):
        rows.append(collected.row)

    loop = loop_of("gateway", Scripted(BAD, GOOD), sink, ManualClock(0))
    await loop.measure_once(1_000)
    await loop.measure_once(2_000)
    reasons = [
        {
            labels.get("reason"): value
            for labels, value in zip(row.labels, row.values, strict=True)
            if labels.get("reason")
        }
        for row in rows
    ]
    assert reasons[0] == {"HTTP 503 Service Unavailable": 1.0}
    assert list(reasons[1]) == ["HTTP 503 Service Unavailable"], "ended by a staleness marker"
    assert reasons[1]["HTTP 503 Service Unavailable"] != 1.0
