import time

import pytest

from eldonia_telemetry import dropped_data, runtime, traces
from eldonia_telemetry.settings import Settings
from eldonia_telemetry.traces import export
from eldonia_telemetry.traces.export import SpanExporter


@pytest.fixture
def exporting(collector, monkeypatch):
    monkeypatch.setattr(export, "FIRST_DELAY", 0.05)
    exporter = SpanExporter(collector.url + "/", "token-1", {"service.name": "shop"})
    before = runtime.replace(runtime.Runtime(Settings(), (), exporter))
    yield exporter
    runtime.replace(before)
    exporter.close(1)


def lost(reason):
    return dropped_data.snapshot().get(("span", reason), 0)


def work(number):
    for n in range(number):
        with traces.span(f"s{n}"):
            pass


def test_spans_arrive_in_batches_with_the_token(exporting, collector):
    work(1200)
    assert exporting.flush(5)
    assert len(collector.spans) == 1200
    assert collector.requests <= 6
    assert collector.authorizations == {"Bearer token-1"}
    assert collector.resources[0]["attributes"][0]["value"] == {"stringValue": "shop"}


def test_the_address_may_name_the_user(collector):
    exporter = SpanExporter(collector.url.replace("http://", "http://user:pass@"), "", {})
    before = runtime.replace(runtime.Runtime(Settings(), (), exporter))
    try:
        work(1)
        assert exporter.flush(5)
    finally:
        runtime.replace(before)
        exporter.close(1)
    assert collector.authorizations == {"Basic dXNlcjpwYXNz"}


def test_they_leave_by_themselves(exporting, collector):
    work(3)
    deadline = time.monotonic() + 5
    while len(collector.spans) < 3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(collector.spans) == 3


def test_a_backend_that_is_busy_is_asked_again(exporting, collector):
    collector.answers = [503, 429, 500]
    work(5)
    assert exporting.flush(8)
    assert len(collector.spans) == 5
    assert collector.requests == 4


def test_a_refusal_is_counted_not_repeated(exporting, collector, capsys):
    collector.answers = [401, 401]
    before = lost("refused with HTTP 401")
    work(5)
    assert exporting.flush(5)
    work(5)
    assert exporting.flush(5)
    assert lost("refused with HTTP 401") == before + 10
    assert collector.requests == 2
    assert "token-1" not in capsys.readouterr().err


def test_the_queue_is_bounded_and_the_host_never_waits(exporting, collector):
    collector.delay = 0.5
    before = lost("queue full")
    began = time.monotonic()
    work(export.QUEUE + 3000)
    assert time.monotonic() - began < 3
    assert lost("queue full") > before
    assert len(exporting._queue) <= export.QUEUE
    collector.delay = 0


def test_the_queue_is_bounded_in_bytes_and_takes_spans_again_once_they_have_gone(exporting, collector, monkeypatch):
    monkeypatch.setattr(export, "QUEUE_BYTES", 200_000)
    collector.answers = [503]
    before = lost("queue full")
    for _ in range(400):
        with traces.span("large", attributes={"text": "x" * 10_000}):
            pass
    kept = 400 - (lost("queue full") - before)
    assert 0 < kept < 400
    assert exporting.flush(10)
    assert len(collector.spans) == kept
    assert exporting._bytes == 0
    work(3)
    assert exporting.flush(10)
    assert len(collector.spans) == kept + 3


def test_close_delivers_what_is_queued(exporting, collector):
    work(10)
    exporting.close(5)
    assert len(collector.spans) == 10


def test_close_gives_up_in_time_and_counts(exporting, collector):
    collector.delay = 4
    before = lost("not delivered before exit")
    work(10)
    began = time.monotonic()
    exporting.close(0.3)
    assert time.monotonic() - began < 1.5
    assert lost("not delivered before exit") == before + 10
    collector.delay = 0


def test_what_the_backend_says_it_left_out_is_counted(exporting, collector):
    collector.said = b'{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}'
    before = lost("otlp: rejected")
    work(5)
    assert exporting.flush(5)
    assert lost("otlp: rejected") == before + 2


def test_an_authority_of_ones_own(certificate, collector):
    context, path = certificate
    collector.server.socket = context.wrap_socket(collector.server.socket, server_side=True)
    address = collector.url.replace("http:", "https:")
    trusting, doubting = SpanExporter(address, "t", {}, ca_file=path), SpanExporter(address, "t", {})
    before = runtime.replace(runtime.Runtime(Settings(), (), trusting))
    try:
        work(3)
        assert trusting.flush(5)
        assert len(collector.spans) == 3
        runtime.replace(runtime.Runtime(Settings(), (), doubting))
        work(3)
        assert not doubting.flush(0.5)
        assert len(collector.spans) == 3
    finally:
        runtime.replace(before)
        trusting.close(1)
        doubting.close(0)


@pytest.mark.parametrize("endpoint", ["", "ftp://host", "http://", "http://host:port"])
def test_an_address_that_is_none(endpoint):
    with pytest.raises(ValueError, match=r"."):
        SpanExporter(endpoint, "", {})


def test_a_path_that_is_already_there_is_kept():
    def path(address: str) -> str:
        exporter = SpanExporter(address, "", {})
        return exporter._endpoint.prefix + exporter._path

    assert path("http://h:1/v1/traces") == "/v1/traces"
    assert path("http://h/prefix/") == "/prefix/v1/traces"


def test_a_batch_that_is_too_large_goes_in_halves(exporting, collector):
    collector.answers = [413, 413]
    work(8)
    assert exporting.flush(5)
    assert len(collector.spans) == 8
    assert collector.requests == 5  # 8 refused, 4 refused, 2, 2, 4
