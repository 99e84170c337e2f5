import asyncio
import gzip
import threading

import httpx
import pytest

from eldonia_ops.collectors.scrape.loop import ScrapeLoop, ScrapeTarget, scrape_client
from eldonia_ops.collectors.status import TargetHealth
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.samples import is_stale
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.prometheus.text import ExpositionLimits
from eldonia_ops.services.clock import ManualClock


def loop_for(answer, clock=None, **options):
    rows = []

    async def sink(collected):
        rows.append(collected)

    target = ScrapeTarget("shop", **{"url": "http://user:pw@h:8000/metrics", **options})
    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return ScrapeLoop(target, sink, client, clock or ManualClock()), rows


def values(collected):
    return {
        labels.name: value for labels, value in zip(collected.row.labels, collected.row.values.tolist(), strict=True)
    }


def text(body=b"a 1\n", **headers):
    return httpx.Response(
        200, stream=httpx.ByteStream(body), headers={"Content-Type": "text/plain; version=0.0.4", **headers}
    )


async def test_a_good_scrape():
    seen = []

    def answer(request):
        seen.append(request)
        return text()

    loop, rows = loop_for(answer, labels=Labels({"tier": "web"}))
    await loop.scrape_once(5_000)
    assert values(rows[0])["a"] == values(rows[0])["up"] == 1.0
    assert rows[0].row.labels[0] == Labels({"__name__": "a", "job": "shop", "instance": "h:8000", "tier": "web"})
    assert (loop.status.health, loop.status.error, loop.status.last_at) == (TargetHealth.UP, "", 5_000)
    assert loop.status.url == "http://h:8000/metrics"
    assert seen[0].headers["Authorization"] == "Basic dXNlcjpwdw=="
    assert "openmetrics" in seen[0].headers["Accept"]
    assert seen[0].headers["X-Prometheus-Scrape-Timeout-Seconds"] == "10"


async def test_a_large_answer_is_read_beside_the_other_loops():
    threads = []
    body = b"".join(b'm{id="%d"} 1\n' % n for n in range(10_000))
    loop, rows = loop_for(lambda request: text(body))
    scraped = loop._rows.scraped
    loop._rows.scraped = lambda *args, **options: threads.append(threading.get_ident()) or scraped(*args, **options)
    collected = await loop.scrape_once(5_000)
    assert threads != [threading.get_ident()]
    assert rows == [collected]
    assert loop.status.samples == 10_005
    loop, _ = loop_for(lambda request: text(body + b"broken\n"))
    await loop.scrape_once(5_000)
    assert "expected a value" in loop.status.error


@pytest.mark.parametrize(
    ("options", "header"),
    [({"bearer_token": Secret("tok")}, "Bearer tok"), ({"basic_auth": ("user", Secret("pw"))}, "Basic dXNlcjpwdw==")],
)
async def test_credentials(options, header):
    seen = []

    def answer(request):
        seen.append(request.headers["Authorization"])
        return text()

    loop, _ = loop_for(answer, url="http://h/metrics", **options)
    await loop.scrape_once(0)
    assert seen == [header]


async def test_openmetrics_is_told_by_the_content_type():
    loop, rows = loop_for(
        lambda _: text(b"a 1 2.5\n# EOF\n", **{"Content-Type": "application/openmetrics-text; version=1.0.0"})
    )
    await loop.scrape_once(0)
    assert rows[0].samples[0].timestamp_ms == 2500


async def test_gzip_is_unpacked():
    loop, rows = loop_for(lambda _: text(gzip.compress(b"a 7\n"), **{"Content-Encoding": "gzip"}))
    await loop.scrape_once(0)
    assert values(rows[0])["a"] == 7


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda _: httpx.Response(503, stream=httpx.ByteStream(b"")), "HTTP 503 Service Unavailable"),
        (lambda _: text(b"a one\n"), "not in Prometheus' text format: line 1: not a number: 'one'"),
        (
            lambda _: text(b"<html>", **{"Content-Type": "text/html; charset=utf-8"}),
            "the answer is text/html, not metrics: is the path right?",
        ),
        (lambda _: text(b"a 1\n" * 300), "longer than 1000 bytes"),
        (lambda _: text(b'a{b="' + b"x" * 2_000_000 + b'"} 1'), "longer than 1000 bytes"),
        (lambda _: text(gzip.compress(b"a 1\n" * 100_000), **{"Content-Encoding": "gzip"}), "longer than 1000 bytes"),
        (lambda _: text(gzip.compress(b"a 1\n")[:-9], **{"Content-Encoding": "gzip"}), "was cut off"),
        (lambda _: text(b"a 1\n", **{"Content-Encoding": "gzip"}), "says that it is gzip and is not"),
        (lambda _: text(b"x", **{"Content-Encoding": "br"}), "compressed with br"),
    ],
)
async def test_failures_are_said_in_words_and_end_the_series(answer, words):
    answers = [lambda _: text(), answer]

    def in_turn(request):
        return answers.pop(0)(request)

    loop, rows = loop_for(in_turn, limits=ExpositionLimits(body_bytes=1000))
    await loop.scrape_once(0)
    await loop.scrape_once(1)
    assert loop.status.health is TargetHealth.DOWN
    assert words in loop.status.error
    assert values(rows[1])["up"] == 0
    assert [
        labels.name for labels, stale in zip(rows[1].row.labels, is_stale(rows[1].row.values), strict=True) if stale
    ] == ["a"]


async def test_a_target_that_hangs_is_given_up():
    async def answer(request):
        await asyncio.sleep(30)

    loop, rows = loop_for(answer, timeout_ms=20)
    await loop.scrape_once(0)
    assert loop.status.error == "not finished within 0.02 s"
    assert values(rows[0])["up"] == 0


async def test_ticks_and_backpressure():
    clock = ManualClock()
    loop, rows = loop_for(lambda _: text(), clock=clock, interval_ms=1_000)
    stored = loop._sink
    gate = asyncio.Event()

    async def slow(collected):
        await stored(collected)
        await gate.wait()

    loop._sink = slow
    task = asyncio.create_task(loop.run())
    for _ in range(4):
        await clock.advance(1_000)
    assert len(rows) == 1
    gate.set()
    await clock.advance(10)
    assert loop.status.skipped == 3
    await clock.advance(2_000)
    assert len(rows) == 3
    stamps = [row.row.timestamp_ms for row in rows]
    assert [stamp % 1_000 for stamp in stamps] == [loop._ticks.offset_ms] * 3
    task.cancel()


async def test_a_sink_that_fails_does_not_end_the_loop():
    clock = ManualClock()
    loop, rows = loop_for(lambda _: text(), clock=clock, interval_ms=1_000)
    good = loop._sink
    turns = []

    async def sink(collected):
        turns.append(1)
        if len(turns) == 1:
            raise RuntimeError("disk full")
        await good(collected)

    loop._sink = sink
    task = asyncio.create_task(loop.run())
    await clock.advance(1_000)
    assert loop.status.error == "not stored: disk full"
    await clock.advance(1_000)
    assert len(rows) == 1
    assert loop.status.error == ""
    task.cancel()


def test_names():
    assert ScrapeTarget("j", "http://h/m", instance="i", labels=Labels({"a": "b"})).key == 'j/i{a="b"}'


async def test_the_shared_client_follows_redirects_and_no_environment():
    async with scrape_client() as client:
        assert client.follow_redirects
        assert not client.trust_env


async def test_a_clock_that_is_set_back_stops_no_scrape():
    clock = ManualClock()
    loop, rows = loop_for(lambda _: text(), clock, interval_ms=5_000)
    task = asyncio.create_task(loop.run())
    await clock.advance(10_000)
    before = len(rows)
    await clock.set_back(3_600_000)
    set_back_at = clock.now()
    await clock.advance(20_000)
    after = [collected.row.timestamp_ms for collected in rows[before:]]
    assert 4 <= len(after) <= 6
    assert all(set_back_at <= at <= clock.now() for at in after)
    task.cancel()


async def test_a_line_that_unfolds_ends_the_scrape_and_the_next_one_is_read():
    answers = [gzip.compress(b'a{b="' + b"x" * 40_000_000 + b'"} 1\n'), gzip.compress(b"a 1\n")]
    loop, rows = loop_for(lambda _: text(answers.pop(0), **{"Content-Encoding": "gzip"}))
    await loop.scrape_once(5_000)
    assert "a line of the answer is longer than 1048576 bytes" in loop.status.error
    assert values(rows[0])["up"] == 0.0
    await loop.scrape_once(20_000)
    assert (loop.status.error, values(rows[1])["a"]) == ("", 1.0)


async def test_a_fault_of_our_own_is_a_target_that_is_down_and_the_next_scrape_goes_on(monkeypatch):
    loop, rows = loop_for(lambda _: text(b"a 1\n"))
    await loop.scrape_once(5_000)
    real = loop._rows.scraped

    def broken(*_arguments, **_options):
        raise KeyError("?")

    monkeypatch.setattr(loop._rows, "scraped", broken)
    with pytest.raises(KeyError):
        await loop.scrape_once(20_000)
    assert values(rows[1])["up"] == 0.0
    assert is_stale(values(rows[1])["a"])
    assert (loop.status.health, loop.status.error) == (TargetHealth.DOWN, "a fault of our own: KeyError")
    monkeypatch.setattr(loop._rows, "scraped", real)
    await loop.scrape_once(35_000)
    assert values(rows[2])["a"] == 1.0
