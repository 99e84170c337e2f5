"""Records into Elasticsearch (or OpenSearch) through the bulk API, one index a service and day.

API: https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk. Every record has an id
of its own and is only ever created, so one that is sent twice is stored once.
"""

import base64
import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from eldonia_telemetry import dropped_data
from eldonia_telemetry.sinks.batching import Outcome
from eldonia_telemetry.sinks.http_endpoint import HttpEndpoint, basic
from eldonia_telemetry.sinks.spill import Item

INDEX_PREFIX: Final = "eldonia-logs"
_NDJSON: Final = "application/x-ndjson"
_JSON: Final = "application/json"
_BULK: Final = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
_CREATED_BEFORE: Final = 409
_TOO_LARGE: Final = 413
_NOT_FOUND: Final = 404
_RETRYABLE: Final = frozenset({408, 429, 500, 502, 503, 504})
_MAX_METADATA_TEXT: Final = 30_000
"""Below the 32,766 bytes of one term in Lucene, were it indexed as a keyword."""

_KEYWORD: Final = {"type": "keyword", "ignore_above": 1024}
_TEXT: Final = {"type": "text"}
_NUMBER: Final = {"type": "double"}
# The seed's mappings (section 9.3.1), and the record's other fields in the same manner.
_PROPERTIES: Final[dict[str, Any]] = {
    "@timestamp": {"type": "date"},
    "timestamp": {"type": "date"},
    "level": {"type": "keyword"},
    "service": {"type": "keyword"},
    "component": {"type": "keyword"},
    "operation": {"type": "keyword"},
    "userId": {"type": "keyword"},
    "sessionId": _KEYWORD,
    "requestId": {"type": "keyword"},
    "ipAddress": {"type": "ip", "ignore_malformed": True},
    "userAgent": _KEYWORD,
    "traceId": _KEYWORD,
    "spanId": _KEYWORD,
    "environment": _KEYWORD,
    "message": _TEXT,
    "metadata": {"type": "object", "dynamic": True},
    "error": {"properties": {"name": _KEYWORD, "message": _TEXT, "stack": _TEXT, "code": _KEYWORD}},
    "performance": {"properties": {"duration": _NUMBER, "memoryUsage": _NUMBER, "cpuUsage": _NUMBER}},
}


class _Head(msgspec.Struct):
    timestamp: str
    service: str = ""


class _ItemError(msgspec.Struct):
    type: str = ""
    reason: str = ""


class _ItemResult(msgspec.Struct):
    status: int
    error: _ItemError | None = None


class _BulkAnswer(msgspec.Struct):
    items: list[dict[str, _ItemResult]]
    errors: bool = False


_decode_head = msgspec.json.Decoder(_Head).decode
_decode_answer = msgspec.json.Decoder(_BulkAnswer).decode
_decode_any = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class ElasticsearchTransport:
    """Bulk-indexes records as ``<prefix>-<service>-YYYY.MM.DD``, after seeing to the index template.

    A template of that name that exists already is left as it is. A record that the index' mappings
    refuse (a metadata field that was a number yesterday and is an object today) is sent again with
    its metadata as text and a mark.
    """

    name = "elasticsearch"

    def __init__(self, endpoint: HttpEndpoint, *, prefix: str = INDEX_PREFIX) -> None:
        self._endpoint = endpoint
        self._prefix = index_name_part(prefix)
        self._template_seen = False
        self._indices: dict[tuple[str, str], str] = {}

    def send(self, batch: Sequence[Item]) -> Outcome:
        """Deliver a batch; one that is too large goes in halves. Raises what :class:`HttpEndpoint` raises."""
        if not self._template_seen:
            away = self._see_to_template(batch)
            if away is not None:
                return away
        return self._bulk(batch, plain=False)

    def close(self) -> None:
        """Drop the connection."""
        self._endpoint.close()

    def after_fork(self) -> None:
        """Forget the parent's connection."""
        self._endpoint.after_fork()

    def _see_to_template(self, batch: Sequence[Item]) -> Outcome | None:
        path = f"/_index_template/{self._prefix}"
        answer = self._endpoint.request("GET", path)
        if answer.status == _NOT_FOUND:
            answer = self._endpoint.request("PUT", path, _encode(index_template(self._prefix)), _JSON)
        if answer.status in _RETRYABLE or answer.status == 401:
            return Outcome(batch, f"answers HTTP {answer.status}", answer.retry_after, answer.excerpt)
        if not 200 <= answer.status < 300:  # a key that may only write, say; the records matter more
            reason = f"elasticsearch: the index template is refused with HTTP {answer.status}, going on without"
            dropped_data.count("setup", reason, RuntimeError(answer.excerpt))
        self._template_seen = True
        return None

    def _bulk(self, batch: Sequence[Item], *, plain: bool) -> Outcome:
        kept, body = self._encode_batch(batch, plain)
        if not kept:
            return Outcome()
        answer = self._endpoint.request("POST", _BULK, body, _NDJSON)
        reason = f"answers HTTP {answer.status}"
        if answer.status == _TOO_LARGE:
            if len(kept) > 1:
                return self._halves(kept, plain)
            dropped_data.count("log", f"elasticsearch: {reason}", RuntimeError(answer.excerpt))
            return Outcome()
        if not 200 <= answer.status < 300:
            return Outcome(kept, reason, answer.retry_after, answer.excerpt)
        try:
            results = [next(iter(result.values())) for result in _decode_answer(answer.body).items]
            if len(results) != len(kept):
                raise ValueError(f"{len(results)} results for {len(kept)} records")
        except (ValueError, StopIteration, RecursionError, msgspec.DecodeError) as error:
            return Outcome(kept, "does not answer as Elasticsearch does", detail=f"{error}: {answer.excerpt}")
        return self._sort_out(kept, results, plain)

    def _halves(self, batch: Sequence[Item], plain: bool) -> Outcome:
        middle = len(batch) // 2
        first = self._bulk(batch[:middle], plain=plain)
        if first.retry:
            return Outcome([*first.retry, *batch[middle:]], first.reason, first.delay, first.detail)
        return self._bulk(batch[middle:], plain=plain)

    def _sort_out(self, batch: Sequence[Item], results: Sequence[_ItemResult], plain: bool) -> Outcome:
        retry: list[Item] = []
        unmapped: list[Item] = []
        detail = ""
        for item, result in zip(batch, results, strict=True):
            if 200 <= result.status < 300 or result.status == _CREATED_BEFORE:
                continue
            said = result.error or _ItemError()
            if result.status in _RETRYABLE:
                retry.append(item)
                detail = f"{said.type}: {said.reason}"[:200]
            elif result.status == 400 and not plain:
                unmapped.append(item)
            else:
                text = f"{said.type}: {said.reason}"[:200]
                dropped_data.count("log", f"elasticsearch: record refused with {result.status}", RuntimeError(text))
        reason, delay = "is busy", 0.0
        if unmapped:
            outcome = self._bulk(unmapped, plain=True)
            if outcome.retry:
                retry += outcome.retry
                reason, delay, detail = outcome.reason, outcome.delay, outcome.detail
        return Outcome(retry, reason, delay, detail) if retry else Outcome()

    def _encode_batch(self, batch: Sequence[Item], plain: bool) -> tuple[Sequence[Item], bytes]:
        kept: list[Item] = []
        parts: list[bytes] = []
        for item in batch:
            line = item.line
            try:
                head = _decode_head(line)
                if plain:
                    line = _without_structure(line)
            except (
                ValueError,
                RecursionError,
                msgspec.DecodeError,
            ) as error:  # from a disk that lied, or another version
                dropped_data.count("log", "elasticsearch: not a record", error)
                continue
            # Both names are made of characters that JSON takes as they are.
            index = self._index(head.service, head.timestamp[:10])
            parts.append(b'{"create":{"_index":"%s","_id":"%s"}}\n' % (index.encode(), item.id.encode()))
            parts.append(b'{"@timestamp":%s,' % _encode(head.timestamp))
            parts.append(line[1:])
            kept.append(item)
        return kept, b"".join(parts)

    def _index(self, service: str, day: str) -> str:
        known = self._indices.get((service, day))
        if known is None:
            if len(self._indices) > 1000:
                self._indices.clear()
            date = day.replace("-", ".")
            known = f"{self._prefix}-{index_name_part(service)}-{index_name_part(date)}"
            self._indices[service, day] = known
        return known


def authorization(*, user: str = "", password: str = "", api_key: str = "") -> str:
    """The Authorization header for basic or API-key authentication, '' for neither.

    ``api_key`` is taken encoded, as Elasticsearch hands it out, or as ``id:key``.
    """
    if api_key:
        key = base64.b64encode(api_key.encode()).decode() if ":" in api_key else api_key
        return f"ApiKey {key}"
    if user:
        return basic(user, password)
    return ""


def index_template(prefix: str = INDEX_PREFIX) -> dict[str, Any]:
    """The composable index template for the daily indices."""
    return {
        "index_patterns": [f"{prefix}-*"],
        "priority": 200,
        "template": {
            "settings": {"number_of_shards": 1},  # replicas are the cluster's to decide
            "mappings": {"properties": _PROPERTIES},
        },
        "_meta": {"made_by": "eldonia-telemetry"},
    }


def index_name_part(text: str) -> str:
    """A text as part of an index name: lower case, letters, digits, dots, hyphens and underscores."""
    cleaned = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-_.")
    return cleaned[:100] or "unknown"


def _without_structure(line: bytes) -> bytes:
    """The record with its metadata as one text, so that no mapping can refuse it."""
    record = _decode_any(line)
    text = _encode(record.get("metadata")).decode()
    if len(text) > _MAX_METADATA_TEXT:
        text = f"{text[:_MAX_METADATA_TEXT]}… ({len(text) - _MAX_METADATA_TEXT} characters more)"
    record["metadata"] = {"unmapped": text}
    return _encode(record) + b"\n"
