"""PagerDuty Events API v2.

Format and error codes: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

import hashlib
from typing import Any

import msgspec

from eldonia_ops.notifiers.expansion import Expansion, truncate, without_empty
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.pagerduty.config import PagerDutyConfig
from eldonia_ops.template import NotificationData, TemplateSet

_MAX_SUMMARY = 1_024
_MAX_EVENT = 512_000
_SEVERITIES = ("critical", "error", "warning", "info")
_MESSAGE_SEVERITIES = {"critical": "critical", "high": "error", "medium": "warning", "low": "info", "info": "info"}


def dedup_key(group_key: str) -> str:
    """The key that ties a resolve to its trigger; Alertmanager computes the same for the same group."""
    return hashlib.sha256(group_key.encode("utf-8", "surrogatepass")).hexdigest()


def render(config: PagerDutyConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The event without its routing key, which is put in at delivery."""
    expand = Expansion(data, templates)
    severity = expand.text(config.severity, fallback="error").strip().lower()
    details = {name: expand.text(text) for name, text in config.details}
    client = expand.text(config.client, fallback="Eldonia Ops")
    summary = expand.text(config.description, fallback=expand.subject()).strip() or expand.subject()
    payload = without_empty(
        {
            "source": expand.text(config.source) or client or "eldonia-ops",
            "severity": severity if severity in _SEVERITIES else "error",
            "class": expand.text(config.class_),
            "component": expand.text(config.component),
            "group": expand.text(config.group),
        }
    )
    images = [
        {"src": expand.text(i.src), "alt": expand.text(i.alt), "href": expand.text(i.href)} for i in config.images
    ]
    links = [{"href": expand.text(link.href), "text": expand.text(link.text)} for link in config.links]
    client_url = expand.text(config.client_url)
    if expand.errors:
        details["template_error"] = expand.complaint()
    event: dict[str, Any] = {
        "event_action": "trigger" if data.status == "firing" else "resolve",
        "dedup_key": dedup_key(data.group_key),
        **without_empty({"client": client, "client_url": client_url}),
        "payload": {"summary": truncate(summary, _MAX_SUMMARY), **payload, "custom_details": details},
        **without_empty({"images": [i for i in images if i["src"]], "links": [i for i in links if i["href"]]}),
    }
    return _bounded(event)


def render_message(config: PagerDutyConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
    """The event of a message that is not about a group of alerts."""
    client = Expansion(NotificationData(receiver="", group_labels={}, alerts=(), now=0), templates).text(
        config.client, fallback="Eldonia Ops"
    )
    event: dict[str, Any] = {
        "event_action": "resolve" if message.resolved else "trigger",
        "dedup_key": dedup_key(message.dedup_key or message.title),
        "client": client,
        "payload": {
            "summary": truncate(message.title, _MAX_SUMMARY),
            "source": client or "eldonia-ops",
            "severity": _MESSAGE_SEVERITIES.get(message.severity, "error"),
            "custom_details": {"text": message.text},
        },
        "links": [{"href": url, "text": text} for text, url in message.links],
    }
    if message.links:
        event["client_url"] = message.links[0][1]
    return _bounded(event)


def _bounded(event: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(event)) > _MAX_EVENT:
        event["payload"]["custom_details"] = {"error": f"left out: the event was larger than {_MAX_EVENT} bytes"}
    return event
