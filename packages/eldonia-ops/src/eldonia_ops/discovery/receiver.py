"""Who is notified, from one line that a person gives: an address of a webhook, or a key of PagerDuty. Pure."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PAGERDUTY: Final = re.compile(r"[A-Za-z0-9_+/=-]{32}")
_CONTROL: Final = re.compile(r"[\x00-\x20\x7f-\x9f]")
ROUTING_FILE: Final = "alertmanager.yml"
SECRET_FILE: Final = "receiver.secret"  # noqa: S105 - the name of a file


@dataclass(frozen=True, slots=True)
class GivenReceiver:
    """A kind of integration with the one secret that it needs; ``title`` is what people call it."""

    kind: str
    title: str
    key: str
    secret: str


def receiver_of(text: str) -> GivenReceiver:
    """The receiver that a text means.

    Raises:
        ValueError: it is neither an address nor a key; the message says what is.
    """
    text = text.strip()
    if _PAGERDUTY.fullmatch(text):
        return GivenReceiver("pagerduty", "PagerDuty", "routing_key", text)
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or _CONTROL.search(text):
        raise ValueError("write the https:// address of a webhook, or a PagerDuty integration key of 32 characters")
    host = parts.hostname
    if host == "hooks.slack.com":
        return GivenReceiver("slack", "Slack", "api_url", text)
    if host.endswith((".webhook.office.com", "outlook.office.com")):
        return GivenReceiver("msteams", "Microsoft Teams", "webhook_url", text)
    if host.endswith((".logic.azure.com", ".api.powerplatform.com")):
        return GivenReceiver("msteamsv2", "Microsoft Teams (workflow)", "webhook_url", text)
    return GivenReceiver("webhook", "webhook", "url", text)


def routing_text(receiver: GivenReceiver) -> str:
    """An ``alertmanager.yml`` by which every alert goes to one receiver. The secret is in a file beside it."""
    return f"""\
# Who is notified, in Alertmanager's format; written by `eldonia-ops init`. `eldonia-ops receivers test team` sends a
# test, `eldonia-ops receivers route severity=critical` shows the way of an alert.
route:
  receiver: team
  group_by: [alertname, service]
  group_wait: 30s
  group_interval: 5m
  repeat_interval: 4h
receivers:
  - name: team
    {receiver.kind}_configs:
      - {receiver.key}_file: {SECRET_FILE}
        send_resolved: true
# What fills up is no second message about what is full.
inhibit_rules:
  - source_matchers: ['severity="critical"', 'service!="security"']
    target_matchers: ['severity="warning"', 'service!="security"']
    equal: [service, instance]
"""
