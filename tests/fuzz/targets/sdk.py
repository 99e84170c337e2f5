"""The SDK: what it hides, recognises, writes, keeps on disk, and understands of other programs' answers."""

import contextlib
import ipaddress
import itertools
import os
import re
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any

import msgspec

from eldonia_ops.intake.otlp import Encoding, decode_logs, decode_metrics, decode_traces
from eldonia_ops.protocols.prometheus.text import ScrapeParser
from eldonia_telemetry import dropped_data, otlp, record_encoder, redact, values
from eldonia_telemetry.integrations.client_address import ClientAddress
from eldonia_telemetry.metrics import otlp_json
from eldonia_telemetry.metrics.exposition import OPENMETRICS, TEXT, negotiate, render
from eldonia_telemetry.metrics.registry import Line, Snapshot
from eldonia_telemetry.records import decode
from eldonia_telemetry.security import body
from eldonia_telemetry.security.cross_site import CrossSite, belong_together
from eldonia_telemetry.security.detection import inspect, inspect_fields
from eldonia_telemetry.security.scanners import recognise
from eldonia_telemetry.settings import resolve
from eldonia_telemetry.sinks import otlp_logs
from eldonia_telemetry.sinks.elasticsearch import ElasticsearchTransport, index_name_part
from eldonia_telemetry.sinks.http_endpoint import Answer
from eldonia_telemetry.sinks.spill import Item, Spill
from eldonia_telemetry.traces import otlp_json as spans_json
from eldonia_telemetry.traces.propagation import SpanContext, extract, received, traceparent
from eldonia_telemetry.traces.span import Span
from fuzz.target import target
from fuzz.targets.given import any_text, bounded, file_text, halves, mapping

NOW = 1_700_000_000 * 10**9
SECRETS = (
    *(
        "password=hunter2",
        '"token": "abc123def"',
        "Authorization: Bearer abc123def456",
        "Basic dXNlcjpwYXNz1=",
        "Cookie: a=b",
    ),
    *(
        "eyJhbGciOi.eyJzdWIi.sig",
        "4111 1111 1111 1111",
        "4111-1111",
        "https://u:p@h/",
        "-----BEGIN RSA PRIVATE KEY-----",
    ),
    *("a@b.example", "+81 90 1234 5678", "パスワード：", "api_key: ", "secret", "-eyJ", "\\", '\\"', "０"),
)


@target(*SECRETS)
def redaction(data: bytes) -> None:
    """Hiding twice is hiding once; the quick question never says no where something would be hidden."""
    text = any_text(data)
    for more in (False, True):
        redact.configure(emails=more, phones=more)
        try:
            hidden = redact.redact_text(text)
            bounded(len(hidden), data, times=4, plus=40)
            try:
                json = msgspec.json.encode(text)
            except UnicodeEncodeError:
                continue
            assert redact.may_hide(json, 0) or hidden == text
        finally:
            redact.configure()


@target(*SECRETS, '{"user":{"name":"x"}}', '"password":"x"', "[1,2]", "1e400", b"\x1e")
def log_content(data: bytes) -> None:
    """The quick way writes what the careful way writes, for any message and metadata."""
    message, metadata = any_text(halves(data)[0]), mapping(halves(data)[1])
    for hide in (True, False):
        quick = msgspec.json.decode(b"{" + record_encoder.content(message, metadata, hide)[1:] + b"}")
        careful = msgspec.json.decode(b"{" + record_encoder._careful(message, metadata, hide)[1:] + b"}")  # pyright: ignore[reportPrivateUsage]
        assert quick == careful
        bounded(len(record_encoder.text(message, hide)), data, times=6, plus=100)
    msgspec.json.encode(values.encodable(values.fields(metadata)))


@target(*SECRETS, '"message":"x"', '"service":"s"', b"\x1e")
def log_record(data: bytes) -> None:
    """A line that the SDK writes is read back, and is a record for OTLP that the platform takes."""
    message, metadata = any_text(halves(data)[0]), mapping(halves(data)[1])
    service = str(metadata.get("service", "shop"))
    line = (
        record_encoder.opening(NOW)
        + record_encoder.Origins()(20, service, "web", any_text(data[:40]))
        + record_encoder.who(any_text(data[:8]), None, 7, b"\xff", message, hide=True)
        + record_encoder.content(message, metadata, True)
        + record_encoder.closing("test")
    )
    entry = decode(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    sent = otlp_logs.encode([Item("1", line)], {"service.name": "shop", "host.name": "h"})
    records, rejections = decode_logs(sent, Encoding.JSON, NOW)
    assert rejections.count == 0
    [record] = records
    assert len(record.message) == len(entry.message) or record.message.startswith(entry.message[:1_000])
    # Control characters may be replaced on the way in.
    assert all(a == b or not b.isprintable() for a, b in zip(record.message, entry.message, strict=False))
    assert record.service == (entry.service or "shop")


@target('"timestamp":"2026-01-02T03:04:05.678Z"', '"level":"info"', '"message":""', '"component":""', '"operation":""')
def stored_record(data: bytes) -> None:
    """A line from a disk that lied: a record or a refusal, and what is no record never stops its neighbours."""
    good = (
        record_encoder.opening(NOW)
        + record_encoder.Origins()(20, "s", "c", "o")
        + record_encoder.content("good", None, True)
        + record_encoder.closing("")
    )
    with contextlib.suppress(msgspec.DecodeError, ValueError):
        decode(data)
    sent = msgspec.json.decode(otlp_logs.encode([Item("1", data), Item("2", good)], {"service.name": "s"}))
    messages = [
        record["body"]["stringValue"]
        for group in sent["resourceLogs"]
        for scope in group["scopeLogs"]
        for record in scope["logRecords"]
    ]
    assert "good" in messages


ATTACKS = (
    *(
        "' or 1=1--",
        "union select",
        "<script>",
        "onerror=",
        "javascript:",
        "../../etc/passwd",
        "%2e%2e%2f",
        "/**/",
        "/*!50000",
    ),
    *(
        "&#x6a;",
        "%253C",
        "```",
        "sleep(5)",
        "<svg/onload=",
        "..\\",
        "xp_cmdshell",
        ";drop table",
        "' and '1'='1",
        b"\x1e",
    ),
)


@target(*ATTACKS)
def detection(data: bytes) -> None:
    """Paths, queries and fields: an answer of a bounded size for any input."""
    path, query = halves(data)
    for found in (
        inspect(path.decode("latin-1"), query, path),
        inspect(file_text(path), query),
        inspect_fields([("field", any_text(data)), (any_text(path), file_text(query))]),
    ):
        if found is not None:
            assert len(found.matched) <= 400
            assert len(found.where) <= 100
            assert found.severity in ("low", "medium", "high", "critical")
    assert recognise(any_text(data)) == recognise(any_text(data)).lower()


@target(
    "a=b&c=d", "%41", '{"a":["b",{"c":"d"}]}', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n', b"\x1e"
)
def request_fields(data: bytes) -> None:
    """Bodies of all kinds that are read: at most so many pairs of text."""
    content_type, content = halves(data)
    for kind in (
        b"application/x-www-form-urlencoded",
        b"multipart/form-data; boundary=x",
        b"application/json",
        content_type,
    ):
        found = body.fields(kind, content[: body.MAX_BODY])
        assert len(found) <= body.MAX_FIELDS
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in found)
        named = body.account(found)
        assert named is None or 0 < len(named) <= 256
    body.is_readable(content_type)


@target("csrftoken=", "; ", "https://shop.example", "a" * 64, "null", "[::1]", "//", b"\x1e")
def cross_site(data: bytes) -> None:
    """Headers that say where a request comes from."""
    cookie, origin, host, token = halves(data, 4)
    headers = {b"cookie": b"csrftoken=" + cookie, b"origin": origin, b"host": host, b"x-csrftoken": token}
    judge = CrossSite(["https://pay.example"])
    judge.judge(headers, host)
    judge.judge_form(headers, [("csrfmiddlewaretoken", any_text(token))])
    assert belong_together(any_text(cookie), any_text(cookie))


@target("10.0.0.1", ", ", "[2001:db8::1]:80", "::ffff:1.2.3.4", "unknown", "%eth0", b"\x1e")
def client_address(data: bytes) -> None:
    """The peer, or an address that a trusted proxy wrote."""
    forwarded, trusted = halves(data)
    decides = ClientAddress(["10.0.0.0/8", "127.0.0.1", any_text(trusted)])
    found = decides.of("10.0.0.1", forwarded)
    ipaddress.ip_address(found)
    assert ClientAddress(["10.0.0.0/8"]).of("192.0.2.1", forwarded) == "192.0.2.1"


@target("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "-", "ff", "cc-", "a=b,c=d", b"\x1e", "0" * 32)
def trace_context(data: bytes) -> None:
    """The quick way reads what the careful way reads; what is sent on is read again."""
    parent, state = halves(data)
    quick = received(parent, state)
    careful = extract(parent.decode("latin-1"), state.decode("latin-1"))
    assert quick == careful
    if quick is not None:
        assert re.fullmatch(r"[0-9a-f]{32}", quick.trace_id)
        assert len(quick.tracestate) <= 512
        assert extract(traceparent(quick), quick.tracestate) == quick
        assert not set(quick.tracestate) & set("\r\n\x00")


@target('{"a":"b"}', '{"n":123456789012345678901}', '{"x":[1,{"y":null}]}', *SECRETS)
def span_document(data: bytes) -> None:
    """A span with any attributes is one that the platform takes."""
    given = mapping(data)
    context = SpanContext("ab" * 16, "cd" * 8, True, "")
    span = Span(any_text(data[:200]), 2, context, "", given)
    span.recording = True
    span.add_event("event", given)
    assert span.events
    span.start_ns, span.end_ns = NOW, NOW + 1
    assert spans_json.weight(span) > 0
    spans, rejections = decode_traces(spans_json.encode([span], {"service.name": "shop", **given}), Encoding.JSON)
    assert rejections.count == 0
    assert [one.span_id for one in spans] == [context.span_id]


@target("NaN", "inf", "1e308", "\n", '"', "\\", b"\x1e", "le", "日本語")
def metric_documents(data: bytes) -> None:
    """Label values and help texts of any kind reach the platform as they are, in both formats."""
    value, help_text = (file_text(part) for part in halves(data))
    families = [
        Snapshot("a_total", "counter", help_text, [Line("", (("label", value),), 1.0)]),
        Snapshot("b", "gauge", value, [Line("", (("label", value), ("other", help_text)), float("nan"))]),
    ]
    for kind in (TEXT, OPENMETRICS):
        parser = ScrapeParser()
        parser.parse(render(families, kind), openmetrics=kind == OPENMETRICS)
        read = {labels.get("label", "") for labels in parser.series}
        # Control characters may be replaced on the way in; a line break is written with an escape.
        assert read == {value} or not value.replace("\n", "").isprintable()
    assert negotiate(value) in (TEXT, OPENMETRICS)
    sent = otlp_json.encode(families, {"service.name": "shop"}, start_ns=NOW, at_ns=NOW + 1)
    samples, _, rejections = decode_metrics(sent, Encoding.JSON, NOW)
    assert rejections.count == 0
    assert len([one for one in samples if one.labels.name in ("a_total", "b")]) == 2


@target(struct.pack(">II", 9, zlib.crc32(b'id {"a":1}'[:9])), b"id ", b"\n", struct.pack(">I", 2**31), b"\x00" * 8)
def spill_segment(data: bytes) -> None:
    """A segment that was cut or changed yields the records before the damage, and the queue goes on."""
    with tempfile.TemporaryDirectory() as folder:
        first = Spill(folder)
        first.append([Item("one", b'{"n":1}\n'), Item("two", b'{"n":2}\n')])
        # Left by a process that is no more: its lock is free.
        fd = os.dup(os.open(os.devnull, os.O_RDONLY))
        os.close(fd)
        [segment] = Path(folder).rglob("*.spill")
        first.close()
        whole = segment.read_bytes()
        segment.write_bytes(whole + data)
        second = Spill(folder)
        second.adopt()
        got = []
        for _ in range(10_000):
            batch = second.peek(10, 10_000)
            if not batch:
                break
            got += batch
            second.advance(batch[0], len(batch))
        assert got[:2] == [Item("one", b'{"n":1}\n'), Item("two", b'{"n":2}\n')]
        assert second.empty
        second.append([Item("three", b"{}\n")])
        assert [item.id for item in second.peek(10, 10_000)] == ["three"]
        second.close()


class _Elasticsearch:
    """Answers every bulk request with the same bytes."""

    prefix = ""

    def __init__(self, status: int, answer: bytes) -> None:
        self.answer = Answer(status, answer)
        self.requests = 0

    def request(self, method: str, path: str, body: bytes = b"", content_type: str = "") -> Answer:
        self.requests += 1
        return Answer(200, b"{}") if method == "GET" else self.answer

    def close(self) -> None:
        pass

    def after_fork(self) -> None:
        pass


BULK = '{"errors":true,"items":[{"create":{"status":400,"error":{"type":"t","reason":"r"}}},{"create":{"status":201}}]}'


@target(BULK, '"status":429', '"status":409', '"error":"text"', '"errors":false', "[]", "null", b"\x1e")
def bulk_answer(data: bytes) -> None:
    """Whatever answers in Elasticsearch's place: a record is sent again, or lost and counted, or was taken."""
    statuses = (200, 200, 200, 201, 400, 413, 429, 500)
    status, answer = statuses[data[0] % len(statuses)] if data else 200, data[1:]
    endpoint: Any = _Elasticsearch(status, answer)
    line = (
        record_encoder.opening(NOW)
        + record_encoder.Origins()(20, "s", "c", "o")
        + record_encoder.content("m", {"a": {}}, True)
        + record_encoder.closing("")
    )
    batch = [Item(f"id{number}", line) for number in range(2)]
    before = sum(dropped_data.snapshot().values())
    outcome = ElasticsearchTransport(endpoint).send(batch)
    assert endpoint.requests < 20
    assert {item.id for item in outcome.retry} <= {"id0", "id1"}
    ids = [item.id for item in outcome.retry]
    assert len(set(ids)) == len(ids), "a record would be sent twice"
    assert len(outcome.detail) < 600
    if status in (413, 400) and not outcome.retry:
        assert sum(dropped_data.snapshot().values()) > before
    otlp.count_rejected("log", "rejectedLogRecords", answer)
    name = index_name_part(any_text(answer[:80]))
    name.encode("ascii")
    assert not set(name) & set('\\/*?"<>| ,#:')


@target("true", "1e999", "x-a=b,c=%41", "hourly", "-1", "٣", ",", "authorization=x", b"\x1e")
def sdk_settings(data: bytes) -> None:
    """Any environment gives settings within their bounds."""
    names = ("LOG_MAX_BYTES", "LOG_MAX_FILES", "LOG_RATIO", "LOG_LEVEL", "OTLP_HEADERS", "LOG_ROTATE_EVERY", "CONSOLE")
    parts = itertools.cycle(any_text(part) for part in halves(data, 4))
    environment = {f"ELDONIA_{name}": value for name, value in zip(names, parts, strict=False)}
    found = resolve({}, environment)
    assert 4096 <= found.log_max_bytes <= 2**40
    assert 0 <= found.log_ratio <= 1
    for name, value in found.otlp_headers:
        assert name.isascii()
        assert value.isprintable()
