"""Webhooks: Alertmanager's payload, version 4."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.kind import NotifierKind
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.webhook import payload as payloads
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.notifiers.webhook.deliver import WebhookNotifier
from eldonia_ops.ports import Notifier
from eldonia_ops.template import NotificationData, TemplateSet


class Webhook(NotifierKind[WebhookConfig]):
    """``webhook_configs``."""

    name = "webhook"
    title = "Webhook"
    config = WebhookConfig

    def render(self, config: WebhookConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: WebhookConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of another message."""
        return payloads.render_message(config, message, templates)

    def notifier(self, config: WebhookConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return WebhookNotifier(config, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What a payload is about."""
        labels, annotations = payload.get("commonLabels") or {}, payload.get("commonAnnotations") or {}
        about = annotations.get("summary") or " ".join(
            str(labels[name]) for name in ("alertname", "service") if labels.get(name)
        )
        status = str(payload.get("status") or "").upper()
        return f"[{status}] {about}" if status and about else str(about)
