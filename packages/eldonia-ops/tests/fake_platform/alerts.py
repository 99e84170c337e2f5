"""Alerts, rules, silences, the ledger and the outbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from eldonia_ops.alerting.silence import changed, ended
from eldonia_ops.model.alerts import Alert, LedgerEntry, Outgoing, OutgoingStatus, Silence
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.services.api import (
    AlertView,
    GroupView,
    IntegrationView,
    MessageFacts,
    NotFoundError,
    ReceiverTrial,
    RefusedError,
    RoutePreview,
    RuleGroupView,
    RuleView,
)
from fake_platform.times import MINUTE


class FakeAlerts:
    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        now = clock()
        self.received: list[Alert] = []
        self.obstacles: dict[str, str] = {}
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
            LedgerEntry(5, now - 9 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "delivered",
                     "PagerDuty accepted the event", {"attempt": 2, "route": "severity=critical"}),
            LedgerEntry(4, now - 10 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "retry",
                     "PagerDuty answered 503; trying again in 30 s", {"attempt": 1}),
            LedgerEntry(3, now - 11 * MINUTE, first.fingerprint, first.name, "pagerduty-critical", "sent",
                     "the group waited 10 s and is complete", {"group": "{alertname=\"PaymentGatewayError\"}"}),
            LedgerEntry(2, now - 11 * MINUTE, first.fingerprint, first.name, "slack-critical", "deduplicated",
                     "the same was said 4 minutes ago; repeated after 1 h", {}),
            LedgerEntry(1, now - 20 * MINUTE, second.fingerprint, second.name, "default", "silenced",
                     "silence 6f1c0b52 by sato: Disk is being enlarged, change 4711", {"silence": "6f1c0b52"}),
        ]  # fmt: skip
        self.outbox = [
            Outgoing(9, "k9", "slack-critical", "slack", 0, "slack-critical/0",
                     {"attachments": [{"title": "PaymentGatewayError"}]},
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
        now = self._now()
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

    async def receive(self, alerts: Sequence[Alert], poster: str = "") -> list[str]:
        self.received += alerts
        return []

    async def current(self) -> list[AlertView]:
        return self.views

    async def groups(self) -> list[GroupView]:
        return [
            GroupView(Labels({"alertname": view.alert.name}), receiver, (view,))
            for view in self.views
            for receiver in view.receivers
        ]

    def rules(self) -> list[RuleGroupView]:
        now = self._now()
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
                ("PaymentGatewayError", 'sum(rate(payment_requests_total{status="error"}[5m])) > 0.05', "firing", "ok",
                 "", "Summed: one failing status of many would hide in per-series rates."),
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

    def default_receiver(self) -> str:
        return "team"

    def receivers(self) -> list[str]:
        return ["default", "pagerduty-critical", "security-team", "slack-critical"]

    async def test_receiver(self, name: str, actor: str) -> list[ReceiverTrial]:
        found = [one for one in self.integrations() if one.receiver == name]
        if not found:
            raise NotFoundError(f"there is no receiver {name!r}")
        return [
            ReceiverTrial(one.kind, one.index, one.title, not one.obstacle, one.obstacle or f"tested by {actor}")
            for one in found
        ]

    def routes_of(self, labels: Mapping[str, str]) -> list[RoutePreview]:
        receiver = "pagerduty-critical" if labels.get("severity") == "critical" else "default"
        group = {"alertname": labels.get("alertname", "")}
        return [RoutePreview(receiver, 12, group, 30_000, 300_000, 14_400_000, "")]

    def integrations(self) -> list[IntegrationView]:
        kinds = {"pagerduty-critical": "pagerduty", "security-team": "webhook"}
        return [
            IntegrationView(
                name, kind := kinds.get(name, "slack"), 0, self.obstacles.get(name, ""), built_in().title(kind)
            )
            for name in self.receivers()
        ]

    def configuration(self) -> str:
        return "route:\n  receiver: default\nreceivers:\n- name: default\n  slack_configs:\n  - api_url: <secret>\n"

    async def silences(self) -> list[Silence]:
        return list(self.stored_silences.values())

    async def set_silence(self, silence: Silence, actor: str) -> str:
        silence = replace(silence, starts_at=silence.starts_at or self._now())
        if silence.ends_at <= max(silence.starts_at, self._now()):
            raise RefusedError("a silence must end after it starts")
        if silence.id and silence.id not in self.stored_silences:
            raise NotFoundError(f"silence {silence.id} not found")
        previous = self.stored_silences.get(silence.id)
        found = changed(previous, silence, self._now(), f"silence-{len(self.stored_silences) + 1}")
        self.stored_silences |= {one.id: one for one in found}
        return found[-1].id

    async def expire_silence(self, id: str, actor: str) -> None:
        if id not in self.stored_silences:
            raise NotFoundError(f"silence {id} not found")
        self.stored_silences[id] = ended(self.stored_silences[id], self._now())

    async def explain(self, *, fingerprint: str = "", alertname: str = "", limit: int = 200) -> list[LedgerEntry]:
        return [
            one
            for one in self.ledger
            if (not fingerprint or one.fingerprint == fingerprint) and (not alertname or one.alertname == alertname)
        ][:limit]

    async def notifications(self, limit: int = 100) -> list[Outgoing]:
        return self.outbox[:limit]

    def facts(self, outgoing: Outgoing) -> MessageFacts:
        kinds = built_in()
        return MessageFacts(kinds.title(outgoing.integration), kinds.subject(outgoing))

    async def retry_notification(self, id: int, actor: str) -> None:
        for index, row in enumerate(self.outbox):
            if row.id == id:
                if row.status is OutgoingStatus.DELIVERED:
                    raise RefusedError("it has been delivered")
                self.outbox[index] = replace(
                    row, status=OutgoingStatus.PENDING, next_attempt_at=self._now(), last_error=""
                )
                return
        raise NotFoundError(f"no notification {id}")
