"""What comes in requests: bodies, parameters, headers; and what is made of people's Markdown."""

import contextlib
import gzip
import zlib
from html.parser import HTMLParser
from urllib.parse import urlsplit

import msgspec

from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.alertmanager.api import (
    format_time,
    parse_time,
    read_alerts,
    read_filters,
    read_silence,
)
from eldonia_ops.protocols.jaeger import parse_duration_ns, parse_tags
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError, unpack
from eldonia_ops.storage.state.columns import to_json
from eldonia_ops.web.access import secret_from_authorization
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.encoding import to_json as response_json
from eldonia_ops.web.gate import host_name, loopback_hosts
from eldonia_ops.web.language import _accepted  # pyright: ignore[reportPrivateUsage]
from eldonia_ops.web.markdown import to_html
from eldonia_ops.web.preconditions import PreconditionRequiredError, entity_tag, read_precondition
from eldonia_ops.web.sessions import csrf_matches
from eldonia_ops.web.times import parse_instant, parse_prometheus_instant, parse_step
from fuzz.target import target
from fuzz.targets.given import any_text, bounded, document, file_text, halves

NOW = 1_700_000_000_000
ALERT_WORDS = (
    '"labels":{"alertname":"A"}',
    '"annotations":{}',
    '"startsAt":"2026-01-01T00:00:00Z"',
    '"endsAt":""',
    "[{}]",
)


@target(*ALERT_WORDS, '"generatorURL":"http://x"', "\\u0000", "\\ud800")
def alertmanager_alerts(data: bytes) -> None:
    """Posted alerts: those that are taken can be stored and shown."""
    try:
        alerts, faults = read_alerts(data, NOW, 300_000)
    except ValueError as error:
        assert len(str(error)) < 2_000
        return
    bounded(len(alerts) + len(faults), data, times=1, plus=0)
    for alert in alerts:
        assert alert.starts_at <= alert.ends_at or alert.ends_at == NOW + 300_000
        to_json(alert)
        assert len(alert.fingerprint) == 16
        shown = {"labels": alert.labels, "annotations": alert.annotations, "generatorURL": alert.generator_url}
        msgspec.json.decode(response_json(shown))
        format_time(alert.starts_at)


@target(*ALERT_WORDS, '"matchers":[{"name":"a","value":"b","isRegex":true}]', '"createdBy":"me"', '"id":"x"', "isEqual")
def alertmanager_silence(data: bytes) -> None:
    """A posted silence that is taken can be stored and shown."""
    try:
        silence = read_silence(data)
    except ValueError:
        return
    assert silence.ends_at > 0
    for one in silence.matchers:
        one.matches({"a": "b"})
    msgspec.json.decode(response_json({"comment": silence.comment, "createdBy": silence.created_by}))
    format_time(silence.ends_at)


@target('a="b"', "a=~", "{", "}", b"\x1e", "2026-01-01T00:00:00+09:00", ".999999999Z")
def alertmanager_parameters(data: bytes) -> None:
    """Filters and instants."""
    texts = [any_text(part) for part in halves(data)]
    with contextlib.suppress(ValueError):
        read_filters(texts)
    try:
        found = parse_time(texts[0])
    except ValueError:
        return
    assert parse_time(format_time(found)) == found


@target("1.2s", "100ms", "µs", "1h30m", b"\x1e", "error:true", '{"a":"b"}', "٣s")
def jaeger_parameters(data: bytes) -> None:
    """Durations and tags of a search."""
    first, second = (any_text(part) for part in halves(data))
    try:
        assert 0 <= parse_duration_ns(first) < 2**63
    except ValueError as error:
        bounded(len(str(error)), data, times=10, plus=200)
    try:
        found = parse_tags([first], [second])
    except ValueError:
        return
    assert all(isinstance(value, str) for value in found.values())


@target("now", "-15m", "now-1h", "1763900000", "2026-11-23T20:00:00Z", "1e10", "٣", "nan", b"\x1e")
def instants(data: bytes) -> None:
    """Instants and steps of queries: within the years that can be shown, or refused."""
    text = any_text(data)
    for parse in (lambda given: parse_instant(given, NOW), parse_prometheus_instant, parse_step):
        try:
            found = parse(text)
        except BadRequestError:
            continue
        assert isinstance(found, int)
        assert -253_402_300_799_000 <= found <= 253_402_300_799_000


@target('"a"', "W/", "*", ",", " ", "\t", b"\x1e")
def preconditions(data: bytes) -> None:
    """If-Match and If-None-Match, as header values come: latin-1."""
    match, none_match = ([value.decode("latin-1")] if value else [] for value in halves(data))
    try:
        found = read_precondition(match, none_match)
    except (BadRequestError, PreconditionRequiredError):
        return
    tag = entity_tag(any_text(data))
    assert found.holds(tag) in (True, False)
    assert read_precondition([tag], []).holds(tag)
    assert not read_precondition([], [f"W/{tag}"]).holds(tag)


@target("Bearer ", "Basic ", "dXNlcjpwYXNz", "localhost:9600", "[::1]:9600", "en;q=0.5", "ja", "q=nan", b"\x1e")
def request_headers(data: bytes) -> None:
    """Authorization, Host, Accept-Language and the CSRF token of a session."""
    text = data.decode("latin-1")
    secret = secret_from_authorization(text)
    assert secret is None or secret
    name = host_name(text)
    assert name == name.lower()
    assert not set(name) & set("/?#@ \r\n\\")
    assert _accepted(text) in ("", "en", "ja")
    assert csrf_matches("csrf-token", any_text(data)) == (data == b"csrf-token")


@target("http://localhost:9600/", "https://", "[::1]", "@", b"\x1e")
def external_url(data: bytes) -> None:
    """Names by which a loopback listener may be called; only URLs that settings accept come here."""
    text = file_text(data)
    try:
        accepted = urlsplit(text).hostname
    except ValueError:
        return
    assert loopback_hosts(text) >= {"localhost", "127.0.0.1", "::1"}
    assert not accepted or accepted in loopback_hosts(text)


@target(
    gzip.compress(b"a" * 1000, mtime=0),
    zlib.compress(b"a" * 1000),
    b"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00",
    grows=False,
)
def packed_body(data: bytes) -> None:
    """Unpacking never yields more than the limit."""
    encodings = ("gzip", "deflate", "zstd", "identity", "br")
    encoding, body = encodings[data[0] % len(encodings)] if data else "", data[1:]
    try:
        found = unpack(body, encoding, 10_000)
    except (TooLargeError, BadEncodingError):
        return
    assert len(found) <= max(10_000, len(body) if encoding == "identity" else 0)


ALLOWED = frozenset(
    (
        *("p", "br", "hr", "em", "strong", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "img"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
    )
)


class _Tags(HTMLParser):
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED, f"<{tag}>"
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} {name}"
            if name in ("href", "src"):
                scheme, colon, _ = (value or "").strip().lower().partition(":")
                assert not colon or scheme not in ("javascript", "vbscript", "file"), value


@target(
    *(
        "# ",
        "- ",
        "1. ",
        "> ",
        "```\n",
        "| a | b |\n|---|---|\n",
        "![",
        "](",
        "[a](javascript:alert(1))",
        "<script>",
        "**",
        "~~",
    ),
    *(
        "<a href='x' onclick='y'>",
        "&lt;",
        "&#106;avascript:",
        "<http://x>",
        "[a]: javascript:x\n",
        "\\",
        "_",
        "`",
        "  \n",
        "*",
    ),
)
def markdown(data: bytes) -> None:
    """No element, handler or address that runs script, whatever somebody writes."""
    html = to_html(file_text(data))
    parser = _Tags()
    parser.feed(html)
    parser.close()
    bounded(len(html), data, times=40, plus=200)


@target("\\ud800", "NaN", '"a":1')
def response_body(data: bytes) -> None:
    """Whatever came in can be answered."""
    for value in (document(data), {"text": any_text(data)}, Labels({"a": file_text(data)})):
        msgspec.json.decode(response_json(value))
