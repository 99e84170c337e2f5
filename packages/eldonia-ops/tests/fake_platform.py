"""A platform without loops, stores and sockets behind it, for the tests of the HTTP side.

It keeps the contracts of ``services/contracts.py`` with the real incident rules, runbook and postmortem
writer, and holds a generated hour of a small marketplace in memory. The same seed gives the same data.
"""

# ruff: noqa: E501 - tables of data

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import msgspec

from eldonia_ops.access import matching_token, new_token
from eldonia_ops.incidents import events, lifecycle, metrics, postmortem
from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.access import Role, Token
from eldonia_ops.model.alerts import Alert, Decision, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.logs import LogError, LogLevel, LogRecord
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match
from eldonia_ops.model.samples import MetricMetadata, MetricType, Sample
from eldonia_ops.model.security import Finding, FindingStatus, SecurityEventType, SecuritySeverity
from eldonia_ops.model.spans import Span, SpanEvent, SpanKind, SpanStatus
from eldonia_ops.ports import LogHistogram, LogPage, LogQuery, TraceQuery, TraceSummary
from eldonia_ops.protocols.runbook_file import default_runbook
from eldonia_ops.security.report import report
from eldonia_ops.services.contracts import (
    AlertView,
    GroupView,
    NotFoundError,
    ObjectiveView,
    QueryError,
    QueryResult,
    RecoveryView,
    RefusedError,
    RuleGroupView,
    RuleView,
    Series,
    TargetView,
)

T = TypeVar("T")
NOW = 1_795_459_505_387
MINUTE = 60_000
HOUR = 60 * MINUTE
MS = 1_000_000


class FakeState:
    """The part of the state store that the web needs: machines and tokens, in memory, as JSON."""

    def __init__(self) -> None:
        self.documents: dict[tuple[str, str], bytes] = {}
        self.stored_tokens: dict[str, Token] = {}

    async def write(self, work: Callable[[Any], T]) -> T:
        return work(self)

    async def read(self, work: Callable[[Any], T]) -> T:
        return work(self)

    async def close(self) -> None: ...

    @property
    def machines(self) -> "FakeState":
        return self

    @property
    def tokens(self) -> "FakeTokens":
        return FakeTokens(self.stored_tokens)

    def load(self, kind: str, key: str, type_: type[T]) -> T | None:
        found = self.documents.get((kind, key))
        return None if found is None else msgspec.json.decode(found, type=type_)

    def load_all(self, kind: str, type_: type[T]) -> dict[str, T]:
        return {key: msgspec.json.decode(doc, type=type_) for (k, key), doc in self.documents.items() if k == kind}

    def save(self, kind: str, key: str, state: Any, *, deadline: int | None = None) -> None:
        self.documents[kind, key] = msgspec.json.encode(state)

    def delete(self, kind: str, key: str) -> None:
        self.documents.pop((kind, key), None)


@dataclass
class FakeTokens:
    stored: dict[str, Token]

    def by_digest(self, digest: str) -> Token | None:
        return self.stored.get(digest)

    def all(self) -> list[Token]:
        return list(self.stored.values())


class FakeAccess:
    def __init__(self, state: FakeState, now: Callable[[], int], rng: random.Random) -> None:
        self._state = state
        self._now = now
        self._rng = rng

    def mint(self, name: str, role: Role) -> tuple[Token, str]:
        made = new_token(name, role, self._rng.randbytes(32), self._now())
        self._state.stored_tokens[made.record.digest] = made.record
        return made.record, made.secret.reveal()

    async def authenticate(self, secret: str) -> Token | None:
        return matching_token(secret, self._state.stored_tokens.values(), self._now())

    async def create(self, name: str, role: Role) -> tuple[Token, str]:
        return self.mint(name, role)

    async def all(self) -> list[Token]:
        return list(self._state.stored_tokens.values())

    async def revoke(self, id: str) -> bool:
        for digest, token in self._state.stored_tokens.items():
            if token.id == id and not token.revoked_at:
                self._state.stored_tokens[digest] = replace(token, revoked_at=self._now())
                return True
        return False


SHAPES: list[tuple[str, str, list[str], float, float]] = [
    # a fragment of the query, the label, its values, the middle, the swing
    ("http_requests_total{status", "job", ["shop", "gateway"], 0.6, 0.5),
    ("http_request_duration", "job", ["shop", "gateway", "search"], 0.16, 0.06),
    ("http_requests_total", "job", ["shop", "gateway", "search"], 42.0, 12.0),
    ("orders_total", "job", ["shop"], 31.0, 8.0),
    ("node_cpu", "instance", ["web-1", "web-2"], 38.0, 14.0),
    ("node_memory", "instance", ["web-1", "web-2"], 61.0, 3.0),
    ("node_filesystem", "mountpoint", ["/", "/var/lib/postgresql"], 48.0, 0.5),
    ("node_network", "device", ["eth0"], 840_000.0, 300_000.0),
    ("db_client_operation", "operation", ["select", "insert", "update"], 0.012, 0.006),
    ("pg_stat_database_numbackends", "datname", ["shop"], 22.0, 7.0),
    ("pg_database_size", "datname", ["shop"], 734_003_200.0, 2_000_000.0),
    ("probe_success", "instance", ["payment gateway", "CDN", "AWS health"], 1.0, 0.0),
    ("probe_duration", "instance", ["payment gateway", "CDN", "AWS health"], 0.12, 0.05),
    ("payment_requests_total", "status", ["success", "error"], 28.0, 7.0),
    ("(up)", "job", ["shop", "node", "postgresql"], 1.0, 0.0),
]


class FakeQueries:
    """Answers the overview's queries with smooth curves; everything else with one constant."""

    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform

    async def instant(self, query: str, at_ms: int | None = None) -> QueryResult:
        at = self._platform.now() if at_ms is None else at_ms
        if query == "42":
            return QueryResult("scalar", [Series(Labels(), [(at, 42.0)])])
        if query == '"text"':
            return QueryResult("string", text="text")
        return QueryResult("vector", [Series(one.labels, one.points[-1:]) for one in self._series(query, at, at, 1)])

    async def range(self, query: str, start_ms: int, end_ms: int, step_ms: int) -> QueryResult:
        if (end_ms - start_ms) // step_ms > 11_000:
            raise QueryError("too many points", kind="bad_data")
        return QueryResult("matrix", self._series(query, start_ms, end_ms, step_ms))

    def format(self, query: str) -> str:
        self._check(query)
        return " ".join(query.split())

    def matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Matcher, ...]]:
        for selector in selectors:
            self._check(selector)
        return [(Matcher("__name__", MatchOp.EQUAL, selector),) for selector in selectors]

    def _check(self, query: str) -> None:
        if query.count("(") != query.count(")"):
            raise QueryError(f"unexpected end of input in {query!r}", position=len(query))
        if query == "slow":
            raise QueryError("query timed out", kind="timeout")

    def _series(self, query: str, start: int, end: int, step: int) -> list[Series]:
        self._check(query)
        for fragment, label, values, middle, swing in SHAPES:
            if fragment in query:
                return [
                    Series(
                        Labels({label: value}),
                        [(at, _curve(at, middle, swing, index, query)) for at in range(start, end + 1, step)],
                    )
                    for index, value in enumerate(values)
                ]
        if "replication" in query:
            return []
        special = {"nan": math.nan, "inf": math.inf}.get(query, 1.0)
        return [
            Series(Labels({"__name__": "up", "job": "shop"}), [(at, special) for at in range(start, end + 1, step)])
        ]


def _curve(at: int, middle: float, swing: float, index: int, query: str) -> float:
    if swing == 0.0:
        return middle
    phase = index * 2.1 + len(query) * 0.37
    minutes = at / MINUTE
    slow = math.sin(minutes / 9 + phase) * 0.6 + math.sin(minutes / 3.1 + phase * 2) * 0.25
    noise = math.sin(minutes * 7.3 + index * 5) * 0.08 + math.sin(minutes * 17.7 + index) * 0.07
    spike = 2.2 * math.exp(-(((minutes + index * 4) % 47 - 20) ** 2) / 3)
    return max(0.0, middle * (1 - 0.22 * index) + swing * (slow + noise + spike))


_generated: dict[int, tuple[list[LogRecord], dict[str, list[Span]]]] = {}  # the same for every test that starts at NOW


class FakeTelemetry:
    def __init__(self, platform: "FakePlatform", rng: random.Random) -> None:
        self._platform = platform
        self.logs: list[LogRecord] = []
        self.traces: dict[str, list[Span]] = {}
        self.samples: list[Sample] = []
        self._rng = rng
        self._generate()

    def _generate(self) -> None:
        now, rng = self._platform.now(), self._rng
        known = _generated.get(now)
        if known is not None:
            self.logs, self.traces = list(known[0]), dict(known[1])
            return
        for index in range(90):
            self._add_trace(now - index * 38_000 - rng.randrange(20_000), index)
        for index in range(1200):
            self.add_log(now - index * 2_900 - rng.randrange(2_500))
        self.logs.sort(key=lambda record: (record.timestamp_ns, record.id), reverse=True)
        if now == NOW:
            _generated[now] = (list(self.logs), dict(self.traces))

    def add_log(self, at: int) -> None:
        rng = self._rng
        id = len(self.logs) + 1
        trace_id = rng.choice(list(self.traces)) if rng.random() < 0.4 else ""
        common: dict[str, Any] = {
            "timestamp_ns": at * MS + rng.randrange(MS),
            "id": id,
            "trace_id": trace_id,
            "environment": "production",
            "hostname": rng.choice(["web-1", "web-2"]),
            "source": "/var/log/shop/combined.log",
            "offset": id * 340,
        }
        draw = rng.random()
        order = rng.randrange(1000, 9999)
        if draw < 0.6:
            record = LogRecord(
                message=f"order {order} placed",
                level=LogLevel.INFO,
                service="shop",
                component="business",
                operation="place_order",
                user_id=f"user-{rng.randrange(400)}",
                request_id=f"req-{rng.randbytes(5).hex()}",
                metadata={"amount": rng.randrange(500, 30_000), "currency": "JPY", "items": rng.randrange(1, 6)},
                **common,
            )
        elif draw < 0.8:
            record = LogRecord(
                message=f"GET /api/v1/works/{order} 200 in {rng.randrange(4, 120)} ms",
                level=LogLevel.DEBUG,
                service="gateway",
                component="http",
                request_id=f"req-{rng.randbytes(5).hex()}",
                ip_address=f"203.0.113.{rng.randrange(255)}",
                **common,
            )
        elif draw < 0.92:
            record = LogRecord(
                message="payment gateway answered slowly, retrying (attempt 2)",
                level=LogLevel.WARN,
                service="shop",
                component="payments",
                metadata={"duration_ms": rng.randrange(900, 4000)},
                **common,
            )
        elif draw < 0.985:
            record = LogRecord(
                message=f"payment of order {order} failed: connection reset by peer",
                level=LogLevel.ERROR,
                service="shop",
                component="payments",
                error=LogError("ConnectionResetError", "connection reset by peer", "Traceback …\n  pay()\n  connect()"),
                metadata={"order": order},
                **common,
            )
        else:
            record = LogRecord(
                message='{"level": "info", "message": "torn line',
                parse_error="unexpected end of JSON at byte 39",
                service="search",
                **common,
            )
        self.logs.append(record)

    def _add_trace(self, at: int, index: int) -> None:
        rng = self._rng
        trace_id, failing = rng.randbytes(16).hex(), index % 9 == 4
        start = at * MS
        spans: list[Span] = []

        def add(parent: str, service: str, name: str, kind: SpanKind, offset: float, length: float, **more: Any) -> str:
            id = rng.randbytes(8).hex()
            spans.append(
                Span(
                    trace_id=trace_id,
                    span_id=id,
                    parent_span_id=parent,
                    service=service,
                    name=name,
                    kind=kind,
                    start_ns=start + int(offset * MS),
                    end_ns=start + int((offset + length) * MS),
                    resource={"service.name": service, "host.name": "web-1"},
                    scope="eldonia_telemetry",
                    **more,
                )
            )
            return id

        total = rng.uniform(60, 240) * (6 if failing else 1)
        name = rng.choice(["POST /orders", "GET /works", "POST /sign-in"]) if not failing else "POST /orders"
        status = SpanStatus.ERROR if failing else SpanStatus.UNSET
        http = {"http.request.method": name.split()[0], "http.response.status_code": 502 if failing else 200}
        root = add("", "gateway", name, SpanKind.SERVER, 0, total, attributes=http, status=status)
        shop = add(root, "shop", name, SpanKind.SERVER, total * 0.04, total * 0.92, attributes=http, status=status)
        add(
            shop,
            "shop",
            "SELECT works",
            SpanKind.CLIENT,
            total * 0.07,
            total * 0.1,
            attributes={"db.system": "postgresql"},
        )
        add(
            shop,
            "shop",
            "INSERT orders",
            SpanKind.CLIENT,
            total * 0.2,
            total * 0.08,
            attributes={"db.system": "postgresql"},
        )
        pay = add(
            shop,
            "shop",
            "POST payments/charge",
            SpanKind.CLIENT,
            total * 0.3,
            total * 0.6,
            attributes={"server.address": "payments.example", "retry.count": 1 if failing else 0},
            status=status,
            status_message="connection reset by peer" if failing else "",
            events=[
                SpanEvent(
                    timestamp_ns=start + int(total * 0.85 * MS),
                    name="exception",
                    attributes={"exception.type": "ConnectionResetError"},
                )
            ]
            if failing
            else [],
        )
        add(pay, "payment-gateway", "charge", SpanKind.SERVER, total * 0.34, total * 0.5)
        self.traces[trace_id] = spans

    def _matching(self, query: LogQuery) -> list[LogRecord]:
        words = query.text.lower().split()
        return [
            record
            for record in self.logs
            if query.since_ns <= record.timestamp_ns < query.until_ns
            and (not query.levels or record.level in query.levels)
            and (not query.services or record.service in query.services)
            and (not query.trace_id or record.trace_id == query.trace_id)
            and (not query.request_id or record.request_id == query.request_id)
            and (not query.user_id or record.user_id == query.user_id)
            and (not query.component or record.component == query.component)
            and (not query.parse_errors_only or record.parse_error)
            and all(word in record.message.lower() for word in words)
        ]

    async def search_logs(self, query: LogQuery) -> LogPage:
        found = [
            record
            for record in self._matching(query)
            if (query.before is None or (record.timestamp_ns, record.id) < query.before)
            and (query.after is None or (record.timestamp_ns, record.id) > query.after)
        ]
        return LogPage(found[: query.limit], len(found) > query.limit)

    async def log_histogram(self, query: LogQuery, buckets: int = 60) -> LogHistogram:
        width = max(1, (query.until_ns - query.since_ns) // buckets)
        counts = {level.value: [0] * buckets for level in LogLevel}
        found = self._matching(query)
        for record in found:
            counts[record.level.value][min(buckets - 1, (record.timestamp_ns - query.since_ns) // width)] += 1
        return LogHistogram([query.since_ns + i * width for i in range(buckets)], width, counts, len(found))

    async def log_services(self, since_ns: int, until_ns: int) -> list[str]:
        return sorted({record.service for record in self.logs if since_ns <= record.timestamp_ns < until_ns})

    async def find_traces(self, query: TraceQuery) -> list[TraceSummary]:
        found = []
        for id, spans in self.traces.items():
            root = spans[0]
            duration = root.end_ns - root.start_ns
            errors = sum(span.status is SpanStatus.ERROR for span in spans)
            services = tuple(sorted({span.service for span in spans}))
            if (
                query.since_ns <= root.start_ns < query.until_ns
                and (not query.service or query.service in services)
                and (not query.operation or any(span.name == query.operation for span in spans))
                and duration >= query.min_duration_ns
                and (not query.max_duration_ns or duration <= query.max_duration_ns)
                and (not query.errors_only or errors)
                and all(
                    any(str(span.attributes.get(name)) == value for span in spans) for name, value in query.tags.items()
                )
            ):
                found.append(
                    TraceSummary(id, root.name, root.service, root.start_ns, duration, len(spans), errors, services)
                )
        return sorted(found, key=lambda one: -one.start_ns)[: query.limit]

    async def get_trace(self, trace_id: str) -> list[Span]:
        return self.traces.get(trace_id, [])

    async def trace_services(self) -> list[str]:
        return sorted({span.service for spans in self.traces.values() for span in spans})

    async def trace_operations(self, service: str) -> list[str]:
        return sorted({span.name for spans in self.traces.values() for span in spans if span.service == service})

    async def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        known = [Labels({"__name__": "up", "job": "shop"}), Labels({"__name__": "up", "job": "node"})]
        return [labels for labels in known if all_match(matchers, labels)]

    async def label_names(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        return sorted({name for labels in await self.series(matchers, start_ms, end_ms) for name in labels})

    async def label_values(self, name: str, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[str]:
        found = await self.series(matchers, start_ms, end_ms)
        return sorted({labels[name] for labels in found if name in labels})

    async def metadata(self) -> list[MetricMetadata]:
        return [
            MetricMetadata("http_requests_total", MetricType.COUNTER, "HTTP requests answered."),
            MetricMetadata("up", MetricType.GAUGE, "Whether the last scrape worked."),
        ]


class FakeIngest:
    def __init__(self) -> None:
        self.log_records: list[LogRecord] = []
        self.span_records: list[Span] = []
        self.sample_records: list[Sample] = []

    async def logs(self, records: Sequence[LogRecord]) -> int:
        self.log_records += records
        return 0

    async def spans(self, spans: Sequence[Span]) -> int:
        self.span_records += spans
        return 0

    async def samples(self, samples: Sequence[Sample], metadata: Sequence[MetricMetadata] = ()) -> int:
        self.sample_records += samples
        return 0


class FakeAlerts:
    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        now = platform.now()
        self.received: list[Alert] = []
        self.stored_silences: dict[str, Silence] = {
            "6f1c0b52": Silence(
                "6f1c0b52",
                (Matcher("alertname", MatchOp.EQUAL, "HighDiskUsage"), Matcher("instance", MatchOp.REGEX, "web-.*")),
                now - 30 * MINUTE,
                now + 90 * MINUTE,
                "sato",
                "Disk is being enlarged, change 4711",
                now - 30 * MINUTE,
            )
        }
        self.views = [
            self._view("PaymentGatewayError", "critical", "payment", "firing", 12, 0.41, "INC-3", "PagerDuty と同報"),
            self._view("HighResponseTime", "warning", "application", "firing", 7, 2.83, "INC-2"),
            self._view("HighFailedLogins", "warning", "security", "pending", 1, 11.2),
            self._view("HighDiskUsage", "warning", "infrastructure", "suppressed", 44, 86.4, silence="6f1c0b52"),
        ]
        first, second = self.views[0].alert, self.views[3].alert
        self.ledger = [
            Decision(5, now - 9 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "delivered",
                     "PagerDuty accepted the event", {"attempt": 2, "route": "severity=critical"}),
            Decision(4, now - 10 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "retry",
                     "PagerDuty answered 503; trying again in 30 s", {"attempt": 1}),
            Decision(3, now - 11 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "sent",
                     "the group waited 10 s and is complete", {"group": "{alertname=\"PaymentGatewayError\"}"}),
            Decision(2, now - 11 * MINUTE, first.fingerprint, first.name, "slack-critical", "deduplicated",
                     "the same was said 4 minutes ago; repeated after 1 h", {}),
            Decision(1, now - 20 * MINUTE, second.fingerprint, second.name, "default", "silenced",
                     "silence 6f1c0b52 by sato: Disk is being enlarged, change 4711", {"silence": "6f1c0b52"}),
        ]  # fmt: skip
        self.outbox = [
            Outgoing(9, "k9", "slack-critical", "slack", 0, "slack-critical/0", {"text": "PaymentGatewayError"},
                     created_at=now - 40_000, status=OutgoingStatus.PENDING, attempts=3,
                     next_attempt_at=now + 50_000, last_error="connect: connection refused"),
            Outgoing(8, "k8", "pagerduty-critical", "pagerduty", 0, "pagerduty-critical/0", {"event_action": "trigger"},
                     created_at=now - 10 * MINUTE, status=OutgoingStatus.DELIVERED, attempts=2,
                     finished_at=now - 9 * MINUTE, incident_ids=("i-3",)),
            Outgoing(7, "k7", "security-team", "webhook", 0, "security-team/0", {},
                     created_at=now - 50 * MINUTE, status=OutgoingStatus.FAILED, attempts=1,
                     finished_at=now - 50 * MINUTE, last_error="404: no such channel"),
        ]  # fmt: skip

    def _view(
        self,
        name: str,
        severity: str,
        service: str,
        state: str,
        minutes: int,
        value: float,
        incident: str = "",
        note: str = "",
        silence: str = "",
    ) -> AlertView:
        now = self._platform.now()
        labels = Labels({"alertname": name, "severity": severity, "service": service, "instance": "web-1"})
        annotations = Labels(
            {
                "summary": f"{name} on web-1{' · ' + note if note else ''}",
                "description": f"The value is {value}, which is over the line since {minutes} minutes.",
            }
        )
        alert = Alert(
            labels,
            annotations,
            starts_at=now - minutes * MINUTE,
            ends_at=now + 4 * MINUTE,
            updated_at=now - 12_000,
            source="rule",
            evidence={"expression": f"rate({service}_errors_total[5m]) > 0.05", "value": value},
        )
        receivers = ("pagerduty-critical", "slack-critical") if severity == "critical" else ("default",)
        return AlertView(
            alert,
            state,
            receivers if state != "pending" else (),
            (silence,) if silence else (),
            incident_id=incident.replace("INC", "i").lower(),
            incident_reference=incident,
            value=value,
        )

    async def receive(self, alerts: Sequence[Alert]) -> None:
        self.received += alerts

    async def current(self) -> list[AlertView]:
        return self.views

    async def groups(self) -> list[GroupView]:
        return [
            GroupView(Labels({"alertname": view.alert.name}), receiver, (view,))
            for view in self.views
            for receiver in view.receivers
        ]

    def rules(self) -> list[RuleGroupView]:
        now = self._platform.now()
        rules = tuple(
            RuleView(
                name,
                "alerting",
                query,
                120.0,
                0.0,
                Labels({"severity": "warning"}),
                Labels({"summary": "…"}),
                state,
                health,
                error,
                0.0021,
                now - 9_000,
                tuple(view for view in self.views if view.alert.name == name and view.state != "resolved"),
                comment,
            )
            for name, query, state, health, error, comment in [
                ("PaymentGatewayError", 'sum(rate(payment_requests_total{status="error"}[5m])) > 0.05', "firing", "ok", "",
                 "Summed: one failing status of many would hide in per-series rates."),
                ("HighResponseTime",
                 "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 2",
                 "firing", "ok", "", ""),
                ("LowThroughput", "sum(rate(http_requests_total[5m])) < 10 or absent(http_requests_total)", "inactive",
                 "ok", "", "absent(): silence is the lowest throughput."),
                ("DatabaseSlowQueries", "max(pg_stat_activity_max_tx_duration) > 30", "inactive", "err",
                 "vector cannot contain metrics with the same labelset", ""),
            ]
        )  # fmt: skip
        recording = RuleView(
            "job:http_requests:rate5m", "recording", "sum by (job) (rate(http_requests_total[5m]))", 0.0, 0.0,
            Labels(), Labels(), "", "ok", "", 0.0009, now - 9_000,
        )  # fmt: skip
        return [
            RuleGroupView("eldonia-alerts", "rules/alerts.yml", 15.0, 0.0094, now - 9_000, rules),
            RuleGroupView("eldonia-recording", "rules/recording.yml", 15.0, 0.0009, now - 9_000, (recording,)),
        ]

    def receivers(self) -> list[str]:
        return ["default", "pagerduty-critical", "security-team", "slack-critical"]

    def configuration(self) -> str:
        return "route:\n  receiver: default\nreceivers:\n- name: default\n  slack_configs:\n  - api_url: <secret>\n"

    async def silences(self) -> list[Silence]:
        return list(self.stored_silences.values())

    async def set_silence(self, silence: Silence) -> str:
        if silence.ends_at <= silence.starts_at:
            raise RefusedError("a silence must end after it starts")
        if silence.id and silence.id not in self.stored_silences:
            raise NotFoundError(f"silence {silence.id} not found")
        id = silence.id or f"silence-{len(self.stored_silences) + 1}"
        self.stored_silences[id] = replace(silence, id=id)
        return id

    async def expire_silence(self, id: str, actor: str) -> None:
        if id not in self.stored_silences:
            raise NotFoundError(f"silence {id} not found")
        self.stored_silences[id] = replace(self.stored_silences[id], ends_at=self._platform.now())

    async def explain(self, *, fingerprint: str = "", alertname: str = "", limit: int = 200) -> list[Decision]:
        return [
            one
            for one in self.ledger
            if (not fingerprint or one.fingerprint == fingerprint) and (not alertname or one.alertname == alertname)
        ][:limit]

    async def notifications(self, limit: int = 100) -> list[Outgoing]:
        return self.outbox[:limit]

    async def retry_notification(self, id: int, actor: str) -> None:
        for index, row in enumerate(self.outbox):
            if row.id == id:
                if row.status is OutgoingStatus.DELIVERED:
                    raise RefusedError("it has been delivered")
                self.outbox[index] = replace(
                    row, status=OutgoingStatus.PENDING, next_attempt_at=self._platform.now(), last_error=""
                )
                return
        raise NotFoundError(f"no notification {id}")


@cache
def _policy() -> Policy:
    return Policy(runbook=default_runbook())


class FakeIncidents:
    """The real rules of incidents over a dictionary."""

    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        self._policy = _policy()
        self.stored: dict[str, Incident] = {}
        self.timelines: dict[str, list[TimelineEntry]] = {}
        now = platform.now()
        self._open(1, "DatabaseConnectionHigh", "warning", "database", now - 26 * HOUR)
        self._do("INC-1", events.Acknowledge("okafor"), now - 26 * HOUR + 6 * MINUTE)
        self._do("INC-1", events.SetFields("okafor", {
            "root_cause": "The connection pool was doubled in the last deploy.",
            "resolution": "Rolled back to 2026.11.3.",
        }), now - 25 * HOUR)  # fmt: skip
        self._do("INC-1", events.ChangeStatus("okafor", IncidentStatus.RESOLVED, "rolled back"), now - 25 * HOUR)
        self._open(2, "HighResponseTime", "warning", "application", now - 14 * MINUTE)
        self._open(3, "PaymentGatewayError", "critical", "payment", now - 11 * MINUTE)
        for kind, data, at in [
            ("queued", {}, now - 11 * MINUTE),
            ("retry", {"attempt": 1, "detail": "503 Service Unavailable"}, now - 10 * MINUTE),
            ("delivered", {"attempt": 2}, now - 9 * MINUTE),
        ]:
            self._add(
                "INC-3",
                f"notification.{kind}",
                {"receiver": "pagerduty-critical", "integration": "pagerduty"} | data,
                at,
            )
        self._add(
            "INC-3",
            "recovery.attempt",
            {"service": "payment-gateway", "attempt": 1, "max_attempts": 3},
            now - 8 * MINUTE,
        )
        self._add(
            "INC-3",
            "recovery.unverified",
            {"service": "payment-gateway", "attempt": 1, "detail": "connection refused"},
            now - 7 * MINUTE,
        )

    def _open(self, ordinal: int, name: str, severity: str, service: str, at: int) -> None:
        alert = Alert(
            Labels({"alertname": name, "severity": severity, "service": service}),
            Labels({"summary": f"{name}: the {service} layer is over its line", "description": "See the chart."}),
            starts_at=at - 2 * MINUTE,
            ends_at=at + 10 * HOUR,
            updated_at=at,
            source="rule",
            evidence={"value": 0.41, "threshold": 0.05, "expression": f"{service}_errors > 0.05"},
        )
        incident, effects = lifecycle.step(
            None, events.AlertFiring(alert, started_at=at - 2 * MINUTE, ordinal=ordinal), at, self._policy
        )
        assert incident is not None
        self._keep(incident, effects)

    def _keep(self, incident: Incident, effects: Sequence[Any]) -> Incident:
        self.stored[incident.id] = incident
        for effect in effects:
            if isinstance(effect, events.AppendTimeline):
                entries = self.timelines.setdefault(incident.id, [])
                entries.append(replace(effect.entry, id=len(entries) + 1))
        return incident

    def _add(self, reference: str, kind: str, data: dict[str, Any], at: int) -> None:
        incident = self._find(reference)
        entries = self.timelines.setdefault(incident.id, [])
        entries.append(TimelineEntry(len(entries) + 1, incident.id, at, kind, data=data))

    def _do(self, reference: str, event: Any, at: int | None = None) -> Incident:
        try:
            changed, effects = lifecycle.step(
                self._find(reference), event, self._platform.now() if at is None else at, self._policy
            )
        except ValueError as error:
            raise RefusedError(str(error)) from None
        assert changed is not None
        return self._keep(changed, effects)

    def _find(self, reference: str) -> Incident:
        for incident in self.stored.values():
            if reference in (incident.id, incident.reference):
                return incident
        raise NotFoundError(f"no such incident: {reference}")

    async def get(self, incident: str) -> tuple[Incident, list[TimelineEntry]]:
        found = self._find(incident)
        return found, sorted(self.timelines[found.id], key=lambda entry: entry.at)

    async def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", limit: int = 100
    ) -> list[Incident]:
        found = [
            one
            for one in self.stored.values()
            if (not statuses or one.status in statuses) and (not service or one.service == service)
        ]
        return sorted(found, key=lambda one: -one.ordinal)[:limit]

    async def acknowledge(self, incident: str, actor: str) -> Incident:
        return self._do(incident, events.Acknowledge(actor))

    async def change_status(self, incident: str, actor: str, status: IncidentStatus, note: str = "") -> Incident:
        return self._do(incident, events.ChangeStatus(actor, status, note))

    async def tick(self, incident: str, actor: str, key: str, done: bool) -> Incident:
        return self._do(incident, events.TickChecklist(actor, key, done))

    async def note(self, incident: str, actor: str, text: str) -> Incident:
        return self._do(incident, events.AddNote(actor, text))

    async def assign(self, incident: str, actor: str, to: str) -> Incident:
        return self._do(incident, events.Assign(actor, to))

    async def describe(self, incident: str, actor: str, fields: dict[str, Any]) -> Incident:
        return self._do(incident, events.SetFields(actor, fields))

    async def open(self, actor: str, title: str, severity: str, service: str, description: str = "") -> Incident:
        event = events.OpenByHand(actor, title, severity, service, description, ordinal=len(self.stored) + 1)
        incident, effects = lifecycle.step(None, event, self._platform.now(), self._policy)
        assert incident is not None
        return self._keep(incident, effects)

    async def postmortem(self, incident: str, language: str) -> str:
        return self._find(incident).postmortem or await self.draft_postmortem(incident, language)

    async def draft_postmortem(self, incident: str, language: str) -> str:
        found, timeline = await self.get(incident)
        now, book = self._platform.now(), self._policy.runbook
        return postmortem.draft(found, timeline, now, language=language, runbook=book)

    async def save_postmortem(self, incident: str, actor: str, text: str) -> Incident:
        return self._do(incident, events.SetFields(actor, {"postmortem": text}))

    async def runbook(self, incident: str, language: str) -> list[dict[str, Any]]:
        return self._policy.runbook.display(self._find(incident).checklist, language)

    async def metrics(self, since_ms: int) -> dict[str, Any]:
        chosen = [one for one in self.stored.values() if one.detected_at >= since_ms]
        return metrics.report(chosen, self._platform.now())


class FakeSecurity:
    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        now = platform.now()
        evidence = tuple(
            {
                "at": now - (20 - i) * 30_000,
                "type": "failed_login",
                "ip_address": "198.51.100.7",
                "user_id": f"user-{i}",
                "details": {"path": "/sign-in"},
            }
            for i in range(8)
        )
        self.stored = {
            "f-1": Finding("f-1", SecurityEventType.BRUTE_FORCE_ATTEMPT, SecuritySeverity.HIGH, "198.51.100.7", "shop",
                           FindingStatus.OPEN, now - 10 * MINUTE, now - MINUTE, 42, 10, 5 * MINUTE, evidence),
            "f-2": Finding("f-2", SecurityEventType.SQL_INJECTION_ATTEMPT, SecuritySeverity.CRITICAL, "203.0.113.99",
                           "gateway", FindingStatus.INVESTIGATING, now - 3 * HOUR, now - 3 * HOUR + 4000, 3, 1, 0,
                           ({"at": now - 3 * HOUR, "details": {"query": "q=' OR 1=1 --"}},), "sato", "WAF rule 12 added"),
            "f-3": Finding("f-3", SecurityEventType.SUSPICIOUS_ACTIVITY, SecuritySeverity.LOW, "user-17", "shop",
                           FindingStatus.FALSE_POSITIVE, now - 30 * HOUR, now - 30 * HOUR, 5, 5, HOUR, (), "okafor",
                           "load test"),
        }  # fmt: skip

    async def find(self, *, statuses: Sequence[FindingStatus] = (), limit: int = 100) -> list[Finding]:
        return [one for one in self.stored.values() if not statuses or one.status in statuses][:limit]

    async def get(self, id: str) -> Finding:
        if id not in self.stored:
            raise NotFoundError(f"no such finding: {id}")
        return self.stored[id]

    async def change_status(self, id: str, actor: str, status: FindingStatus, note: str = "") -> Finding:
        found = await self.get(id)
        self.stored[id] = replace(found, status=status, changed_by=actor, note=note, updated_at=self._platform.now())
        return self.stored[id]

    async def report(self, since_ms: int) -> dict[str, Any]:
        chosen = [one for one in self.stored.values() if one.opened_at >= since_ms]
        return report(chosen)


class FakeRecovery:
    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        now = platform.now()
        self.stored = {
            "shop": RecoveryView("shop", "healthy", 0, 3, 0, now - 5 * HOUR, "answered 200 in 12 ms", False, True),
            "payment-gateway": RecoveryView(
                "payment-gateway", "waiting", 1, 3, now + 20_000, now - 7 * MINUTE, "connection refused", False, False
            ),
        }

    async def status(self) -> list[RecoveryView]:
        return list(self.stored.values())

    async def set_maintenance(self, service: str, on: bool, actor: str) -> RecoveryView:
        self.stored[service] = replace(self._get(service), maintenance=on)
        return self.stored[service]

    async def reset(self, service: str, actor: str) -> RecoveryView:
        self.stored[service] = replace(self._get(service), attempts=0, state="healthy")
        return self.stored[service]

    def _get(self, service: str) -> RecoveryView:
        if service not in self.stored:
            raise NotFoundError(f"recovery does not watch {service}")
        return self.stored[service]


class FakeStatus:
    def __init__(self, platform: "FakePlatform") -> None:
        self._platform = platform
        self.is_ready = True

    def targets(self) -> list[TargetView]:
        now = self._platform.now()
        return [
            TargetView("scrape", "shop", "http://127.0.0.1:9700/metrics", Labels({"job": "shop", "instance": "web-1"}),
                       "up", now - 4_000, 0.0061, ""),
            TargetView("scrape", "postgresql", "postgresql://db-1/shop", Labels({"job": "postgresql"}), "down",
                       now - 9_000, 2.0, "connection refused (is the server running?)"),
            TargetView("host", "this host", "", Labels({"job": "node", "instance": "web-1"}), "up", now - 2_000, 0.0031, ""),
            TargetView("tail", "combined.log", "/var/log/shop/combined.log", Labels({"service": "shop"}), "up",
                       now - 700, 0.0, ""),
            TargetView("probe", "payment gateway", "https://payments.example/health", Labels({"instance": "payments"}),
                       "unknown", 0, 0.0, ""),
        ]  # fmt: skip

    async def objectives(self) -> list[ObjectiveView]:
        return [
            ObjectiveView("availability", "shop", 0.999, 30 * 86_400.0, 0.99942, 0.42, 0.6, 1_200_304.0, 1_201_000.0),
            ObjectiveView("checkout latency", "shop", 0.99, 7 * 86_400.0, 0.9861, -0.39, 14.4, 9_861.0, 10_000.0),
            ObjectiveView("payments", "payment", 0.995, 30 * 86_400.0, None, None, None, None, None),
        ]

    async def overview(self) -> dict[str, Any]:
        return {
            "version": "0.1.0",
            "started_at": self._platform.now() - 18_360_200,
            "uptime_seconds": 18_360.2,
            "loop_lag_seconds": 0.0008,
            "stored": {
                "logs": {"rows": 1_204_113, "bytes": 84_230_144},
                "samples": {"rows": 9_120_000, "bytes": 11_000_000},
            },
            "queues": {"outbox": 1, "ingest": 0},
            "parse_errors": 12,
        }

    def ready(self) -> bool:
        return self.is_ready

    def metrics_text(self) -> str:
        return "# TYPE eldonia_ops_up gauge\neldonia_ops_up 1\n"


class FakePlatform:
    """Everything together. ``secrets`` holds one token a role; ``clock`` moves the time when set."""

    def __init__(self, *, now: Callable[[], int] | None = None, seed: int = 7) -> None:
        self._now = now
        self.at = NOW
        rng = random.Random(seed)
        self.state = FakeState()
        self.access = FakeAccess(self.state, self.now, rng)
        self.secrets = {role: self.access.mint(f"{role.value}-person", role)[1] for role in Role}
        self.telemetry = FakeTelemetry(self, rng)
        self.queries = FakeQueries(self)
        self.ingest = FakeIngest()
        self.alerts = FakeAlerts(self)
        self.incidents = FakeIncidents(self)
        self.security = FakeSecurity(self)
        self.recovery = FakeRecovery(self)
        self.status = FakeStatus(self)
        self.language = "en"

    def now(self) -> int:
        return self.at if self._now is None else self._now()
