"""Alertmanager's webhook payload, version 4.

Format: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
"""

from typing import Any

from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.template import NotificationData, TemplateSet


def render(config: WebhookConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The request's body. ``templates`` is not needed: the payload is data."""
    del templates
    body = data.go_json()
    left_out = 0
    if config.max_alerts and len(body["alerts"]) > config.max_alerts:
        left_out = len(body["alerts"]) - config.max_alerts
        body["alerts"] = body["alerts"][: config.max_alerts]
    return {"version": "4", "groupKey": data.group_key, "truncatedAlerts": left_out, **body}


def render_message(config: WebhookConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
    """A message in the same format: one alert that carries its title and text as annotations."""
    del config, templates
    status = "resolved" if message.resolved else "firing"
    labels = {"alertname": "EldoniaMessage", "severity": message.severity}
    annotations = {"summary": message.title, "description": message.text}
    annotations |= {f"link_{index}": url for index, (_, url) in enumerate(message.links, 1)}
    url = message.links[0][1] if message.links else ""
    alert = {"status": status, "labels": labels, "annotations": annotations, "generatorURL": url}
    return {
        "version": "4",
        "groupKey": message.dedup_key,
        "truncatedAlerts": 0,
        "receiver": "",
        "status": status,
        "alerts": [alert],
        "groupLabels": labels,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": url,
    }
