# ruff: noqa: E501 - tables are read by the line
import asyncio
import hashlib
import json

import httpx
import msgspec
import pytest

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.alerting.notification import Cause
from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.http_client import endpoint
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.secret import Secret
from eldonia_ops.notifiers.email import deliver as email_deliver
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.email.deliver import EmailNotifier
from eldonia_ops.notifiers.email.payload import compose, render_message
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.pagerduty.config import PagerDutyConfig
from eldonia_ops.notifiers.pagerduty.deliver import PagerDutyNotifier
from eldonia_ops.notifiers.registry import built_in, notification_data
from eldonia_ops.notifiers.slack.config import SlackAction, SlackConfig, SlackField
from eldonia_ops.notifiers.slack.deliver import SlackNotifier
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.notifiers.webhook.deliver import WebhookNotifier
from eldonia_ops.ports import DeliveryResult
from eldonia_ops.protocols.alertmanager.config import base_templates
from eldonia_ops.template import TemplateSet

NOW = 1_767_323_045_000
HOOK = "https://hooks.example/services/T0P/S3CRET"
KEY = "R0UT1NGKEY"
SLACK = SlackConfig(
    api_url=Credential(Secret(HOOK)),
    channel="#ops",
    text="{{ range .Alerts }}{{ .Annotations.summary }}{{ end }}",
    fields=(SlackField("Service", "{{ .CommonLabels.service }}"), SlackField("b", "c", short=True)),
    actions=(SlackAction("button", "Open", url="{{ .ExternalURL }}/x"),),
    send_resolved=True,
)
PAGER = PagerDutyConfig(
    routing_key=Credential(Secret(KEY)),
    severity="{{ .CommonLabels.severity }}",
    client="Eldonia",
    description="{{ .CommonAnnotations.summary }}",
)
WEBHOOK = WebhookConfig(url=Credential(Secret(HOOK)), max_alerts=1)
KINDS = built_in()
TEMPLATES = base_templates(KINDS)


def notification(config, *, ended=False, count=1):
    alerts = tuple(
        Alert(
            Labels({"alertname": "Down", "severity": "critical", "service": "pay", "instance": str(number)}),
            Labels({"summary": "gateway is down"}),
            starts_at=NOW - 60_000,
            ends_at=NOW - 1 if ended else NOW + 60_000,
            generator_url="http://g",
        )
        for number in range(count)
    )
    return Notification(
        Integration("team", config.KIND, 0, config), '{}:{alertname="Down"}', {"alertname": "Down"}, alerts,
        Cause.FIRST, "first", NOW, "key-1", "team/x/0:group",
    )  # fmt: skip


def rendered(config, **more):
    return KINDS.render(config, notification_data(notification(config, **more), "http://ops"), TEMPLATES)


def test_slack_attachment():
    payload = rendered(SLACK)
    assert payload["channel"] == "#ops"
    assert payload["username"] == "Eldonia Ops"
    [attachment] = payload["attachments"]
    assert attachment == {
        "title": "[FIRING:1] gateway is down",
        "title_link": "http://ops/alerts?receiver=team",
        "text": "gateway is down",
        "fallback": "[FIRING:1] gateway is down | http://ops/alerts?receiver=team",
        "color": "danger",
        "fields": [{"title": "Service", "value": "pay", "short": False}, {"title": "b", "value": "c", "short": True}],
        "actions": [{"type": "button", "text": "Open", "url": "http://ops/x"}],
        "mrkdwn_in": ["fallback", "pretext", "text"],
    }
    assert rendered(SLACK, ended=True)["attachments"][0]["color"] == "good"


def test_pagerduty_event():
    payload = rendered(PAGER)
    assert payload["event_action"] == "trigger"
    assert payload["dedup_key"] == hashlib.sha256(b'{}:{alertname="Down"}').hexdigest()
    assert payload["payload"]["summary"] == "gateway is down"
    assert payload["payload"]["severity"] == "critical"
    assert payload["payload"]["source"] == "Eldonia"
    assert payload["payload"]["custom_details"]["num_firing"] == "1"
    ended = rendered(PAGER, ended=True)
    assert ended["event_action"] == "resolve"
    assert ended["dedup_key"] == payload["dedup_key"]


def test_webhook_payload_is_version_4():
    payload = rendered(WEBHOOK, count=3)
    assert payload["version"] == "4"
    assert payload["truncatedAlerts"] == 2
    assert payload["groupKey"] == '{}:{alertname="Down"}'
    assert payload["commonLabels"] == {"alertname": "Down", "service": "pay", "severity": "critical"}
    [alert] = payload["alerts"]
    assert alert["startsAt"] == "2026-01-02T03:03:05Z"
    assert alert["endsAt"] == "0001-01-01T00:00:00Z"
    assert len(alert["fingerprint"]) == 16


def test_a_failing_template_does_not_cost_the_page():
    broken = SlackConfig(
        api_url=SLACK.api_url, title="{{ .Nope }}", text="{{ index .Alerts 9 }}", color='{{ template "gone" . }}'
    )
    [attachment] = rendered(broken)["attachments"]
    assert attachment["title"] == "[FIRING] Down"
    assert attachment["color"] == "danger"
    assert "template error" in attachment["text"]


@pytest.mark.parametrize("config", [SLACK, PAGER, WEBHOOK])
def test_payloads_hold_no_secret_and_are_json(config):
    message = Message("INC-1 escalated", "Nobody answered", "critical", (("Incident", "http://ops/i/1"),), "INC-1")
    for payload in (rendered(config), KINDS.render_message(config, message, TEMPLATES)):
        text = json.dumps(payload)
        assert "S3CRET" not in text
        assert KEY not in text
        assert msgspec.json.decode(msgspec.json.encode(payload)) == payload


def test_messages_open_and_close_one_matter():
    opened = Message("INC-1 escalated", "Nobody answered", "critical", (("Incident", "http://ops/i/1"),), "INC-1")
    closed = Message("INC-1 resolved", "Over", "critical", (), "INC-1", resolved=True)
    first, second = (KINDS.render_message(PAGER, item, TEMPLATES) for item in (opened, closed))
    assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == second["dedup_key"]
    assert first["payload"]["severity"] == "critical"
    slack = KINDS.render_message(SLACK, opened, TEMPLATES)
    assert slack["attachments"][0]["actions"] == [{"type": "button", "text": "Incident", "url": "http://ops/i/1"}]


# --- delivery


def outgoing(payload=None):
    return Outgoing(1, "key-1", "team", "slack", 0, "q", payload or {"channel": "#ops", "attachments": []})


def deliver(make, config, answer):
    requests = []

    def handle(request):
        requests.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def run():
        async with httpx.AsyncClient(transport=httpx.MockTransport(handle)) as client:
            return await make(config, client).deliver(outgoing())

    return asyncio.run(run()), requests


@pytest.mark.parametrize(
    ("answer", "result", "detail", "retry_after"),
    [
        (httpx.Response(200, text="ok"), "delivered", "Slack took it for #ops", 0),
        (httpx.Response(200, json={"ok": True}), "delivered", "Slack took it", 0),
        (httpx.Response(200, json={"ok": False, "error": "channel_not_found"}), "rejected", "channel_not_found", 0),
        (httpx.Response(200, json={"ok": False, "error": "ratelimited"}), "retry", "ratelimited", 0),
        (httpx.Response(200, text="no_service"), "rejected", "no_service", 0),
        (httpx.Response(400, text="invalid_payload"), "rejected", "answered 400: invalid_payload", 0),
        (httpx.Response(403, text=f"no {HOOK}"), "rejected", "answered 403: no <secret>", 0),
        (httpx.Response(429, headers={"Retry-After": "30"}), "retry", "answered 429", 30_000),
        (
            httpx.Response(503, headers={"Retry-After": "Fri, 02 Jan 2026 03:05:05 GMT", "Date": "Fri, 02 Jan 2026 03:04:05 GMT"}),
            "retry", "answered 503", 60_000,
        ),
        (httpx.Response(429, headers={"Retry-After": "soon"}), "retry", "answered 429", 0),
        (httpx.ConnectError(f"cannot reach {HOOK}"), "retry", "cannot reach Slack: cannot reach <secret>", 0),
        (httpx.ReadTimeout("slow"), "retry", "Slack did not answer within 10 s", 0),
    ],
)  # fmt: skip
def test_slack_answers(answer, result, detail, retry_after):
    delivery, [request] = deliver(SlackNotifier, SLACK, answer)
    assert delivery.result == result
    assert detail in delivery.detail
    assert "S3CRET" not in delivery.detail
    assert delivery.retry_after_ms == retry_after
    assert str(request.url) == HOOK


def test_a_long_answer_is_shortened():
    delivery, _ = deliver(SlackNotifier, SLACK, httpx.Response(400, text="x\n" * 100_000))
    assert len(delivery.detail) < 600
    assert "\n" not in delivery.detail


def test_pagerduty_gets_its_key_only_on_the_way():
    delivery, [request] = deliver(PagerDutyNotifier, PAGER, httpx.Response(202, json={"status": "success"}))
    assert delivery.result is DeliveryResult.DELIVERED
    assert json.loads(request.content)["routing_key"] == KEY
    delivery, _ = deliver(PagerDutyNotifier, PAGER, httpx.Response(400, json={"message": f"bad key {KEY}"}))
    assert delivery.result is DeliveryResult.REJECTED
    assert KEY not in delivery.detail


def test_webhook_authenticates_and_names_the_notification(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("T0K3N\n")
    config = WebhookConfig(url=Credential(Secret(HOOK)), http=HttpConfig(authorization=Credential(file=str(secret))))
    _, [request] = deliver(WebhookNotifier, config, httpx.Response(200))
    assert request.headers["authorization"] == "Bearer T0K3N"
    assert request.headers["idempotency-key"] == "key-1"


@pytest.mark.parametrize(
    "missing",
    [
        Credential(missing="the environment variable HOOK is not set"),
        Credential(file="/nonexistent/hook"),
        Credential(),
    ],
)
def test_a_missing_secret_keeps_the_notification_waiting(missing):
    delivery, requests = deliver(SlackNotifier, SlackConfig(api_url=missing), httpx.Response(200, text="ok"))
    assert delivery.result is DeliveryResult.RETRY
    assert "no Slack address" in delivery.detail
    assert requests == []


def test_email_is_composed_and_header_injection_refused():
    config = EmailConfig("a@example.org, B <b@example.org>", "ops@example.org", "mail:25")
    payload = rendered(config)
    mail = compose(payload, "key-1", 1_700_000_000_000)
    assert mail["Subject"] == "[FIRING:1] gateway is down"
    assert mail["Message-ID"] == "<key-1@eldonia-ops>"
    assert mail["Date"] == "Tue, 14 Nov 2023 22:13:20 -0000"
    assert compose({**payload, "headers": {"date": "Mon, 01 Jan 2024 00:00:00 +0000"}}, "k", 0)["Date"].startswith(
        "Mon"
    )
    html = mail.get_body(("html",)).get_content()
    assert "gateway is down" in html
    with pytest.raises(ValueError, match="linefeed"):
        compose({**payload, "headers": {"X-A": "b\nBcc: all@example.org"}}, "k", 0)


@pytest.mark.parametrize(
    ("to", "detail"),
    [("(" * 3_000 + " a@b.example", "nested too deeply"), ("a@b.example," * 2_000, "longer than 10000 characters")],
)
async def test_addresses_that_no_mail_can_have_are_refused_at_once(to, detail):
    config = EmailConfig(to, "ops@example.org", "mail:25")
    delivery = await EmailNotifier(config).deliver(outgoing(rendered(config)))
    assert delivery.result is DeliveryResult.REJECTED
    assert detail in delivery.detail


def test_a_subject_is_bounded():
    title = "wörd " * 20_000
    config = EmailConfig("a@example.org", "ops@example.org", "mail:25")
    payload = render_message(config, Message(title, "", "high", (), "k"), TemplateSet())
    assert len(payload["headers"]["Subject"]) == 1_000
    assert payload["headers"]["Subject"].endswith("…")
    assert title in payload["text"]


@pytest.mark.parametrize("to", ["", " ", ",", "Hana <>"])
async def test_email_without_recipients_is_refused_at_once(to):
    config = EmailConfig(to, "ops@example.org", "mail:25")
    delivery = await EmailNotifier(config).deliver(outgoing(rendered(config)))
    assert delivery.result is DeliveryResult.REJECTED
    assert "no recipient" in delivery.detail


@pytest.mark.parametrize(("smarthost", "host"), [("[::1]:2525", "::1"), ("mail.example:2525", "mail.example")])
async def test_the_mail_server_may_be_an_address_in_brackets(monkeypatch, smarthost, host):
    asked = []

    def refuse(_, *address, **__):
        asked.append(address)
        raise UnicodeError("label empty or too long")  # what Python says of a host name like mail..example

    monkeypatch.setattr(email_deliver, "PlainClient", refuse)
    config = EmailConfig("a@example.org", "ops@example.org", smarthost)
    delivery = await EmailNotifier(config).deliver(outgoing(rendered(config)))
    assert asked == [(host, 2525)]
    assert (delivery.result, delivery.detail) == (
        DeliveryResult.RETRY,
        f"cannot reach {smarthost}: label empty or too long",
    )


@pytest.mark.parametrize("token", ["first line\nsecond line", "schlüssel"])
def test_a_token_that_no_header_can_hold_is_not_quoted(token):
    http = HttpConfig(authorization=Credential(Secret(token)))
    config = WebhookConfig(url=Credential(Secret(HOOK)), http=http)
    delivery, requests = deliver(WebhookNotifier, config, httpx.Response(200))
    assert delivery.result is DeliveryResult.RETRY
    assert delivery.detail.startswith("the authorization for the webhook holds a line break")
    assert requests == []


async def test_email_without_a_reachable_server_waits(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(email_deliver, "PlainClient", refuse)
    config = EmailConfig("a@example.org", "ops@example.org", "mail:25")
    delivery = await EmailNotifier(config).deliver(outgoing(rendered(config)))
    assert delivery.result is DeliveryResult.RETRY


STRANGER = '<!channel> <https://evil.example|runbook> & "x" </td><script>'


def hostile(config):
    alert = Alert(
        Labels({"alertname": "Down", "service": STRANGER}),
        Labels({"summary": f"Security: failed login from {STRANGER}", "runbook_url": "https://r.example/?a=1&b=2"}),
        starts_at=NOW,
        ends_at=NOW + 60_000,
        generator_url="https://g.example/?x=<!here>",
    )
    return Notification(
        Integration("team", config.KIND, 0, config), "{}", {"alertname": "Down", "service": STRANGER}, (alert,),
        Cause.FIRST, "first", NOW, "key-1", "team/x/0:group",
    )  # fmt: skip


def test_words_of_strangers_are_no_markup_in_slack():
    config = SlackConfig(
        api_url=Credential(Secret(HOOK)),
        channel="#ops",
        title="{{ .CommonLabels.service }}",
        title_link="{{ .CommonAnnotations.runbook_url }}",
        pretext="<!subteam^S1> {{ .GroupLabels.service }}",
        text="{{ range .Alerts }}{{ .Annotations.summary }} <{{ .GeneratorURL }}|source>{{ end }}",
        fallback="{{ range .Alerts.Firing }}{{ .Labels.SortedPairs }}{{ end }}",
        fields=(SlackField("{{ .CommonLabels.service }}", "{{ .CommonLabels.service }}"),),
        actions=(SlackAction("button", "{{ .CommonLabels.service }}", url="{{ .CommonAnnotations.runbook_url }}"),),
    )
    body = KINDS.render(config, notification_data(hostile(config), "http://ops"), TEMPLATES)
    text = json.dumps(body)
    assert text.count("<!") == 1, "only the mention that the template itself makes"
    assert "<https://evil" not in text
    (attachment,) = body["attachments"]
    assert attachment["pretext"].startswith("<!subteam^S1> &lt;!channel&gt;")
    assert attachment["text"].endswith("<https://g.example/?x=&lt;!here&gt;|source>")
    assert attachment["title_link"] == attachment["actions"][0]["url"] == "https://r.example/?a=1&b=2"
    message = Message(STRANGER, STRANGER, "critical", (("Incident", "http://ops/i/1"),))
    assert "<!" not in json.dumps(KINDS.render_message(config, message, TEMPLATES))


def test_words_of_strangers_are_no_markup_in_mail():
    config = EmailConfig(
        to="a@b.example",
        from_="c@d.example",
        smarthost="localhost:25",
        html="<p>{{ .CommonAnnotations.summary }}</p>",
        text="{{ .CommonAnnotations.summary }}",
        headers=(("Subject", "{{ .CommonLabels.service }}\nBcc: x"),),
    )
    body = KINDS.render(config, notification_data(hostile(config), "http://ops"), TEMPLATES)
    assert body["html"].count("<") == 2
    assert "&lt;script&gt;" in body["html"]
    assert STRANGER in body["text"]
    assert "\n" not in body["headers"]["Subject"]


def test_what_a_hostile_receiver_says_tells_no_secret_and_delays_no_longer_than_a_day():
    url = "https://user:passw0rdpassw0rd@hooks.example/services/T0P/S3CRETS3CRET?sig=abcdefghijk"
    said = "no such hook /services/T0P/S3CRETS3CRET: S3CRETS3CRET sig=abcdefghijk passw0rdpassw0rd"
    shown = endpoint.shorten(said, url)
    for part in ("S3CRETS3CRET", "abcdefghijk", "passw0rdpassw0rd"):
        assert part not in shown
    assert shown.startswith("no such hook <secret>")
    day = 86_400_000
    assert endpoint.retry_after_ms({"retry-after": "9" * 6_000}) == day
    date = {"date": "Mon, 23 Nov 2026 20:00:00 GMT", "retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}
    assert endpoint.retry_after_ms(date) == day
    assert endpoint.retry_after_ms({"retry-after": "120"}) == 120_000
