"""From an integration's configuration to what renders and delivers for it."""

from typing import Any

import httpx

from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import (
    EmailConfig,
    IntegrationConfig,
    PagerDutyConfig,
    SlackConfig,
    UndeliverableConfig,
    WebhookConfig,
    integration_key,
)
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers import email, pagerduty, slack, undeliverable, webhook
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import Notifier
from eldonia_ops.template import NotificationData, TemplateSet


def notification_data(notification: Notification, external_url: str = "") -> NotificationData:
    """What a notification's templates see."""
    return NotificationData(
        receiver=notification.integration.receiver,
        group_labels=notification.group_labels,
        alerts=notification.alerts,
        now=notification.at,
        external_url=external_url,
        group_key=notification.group_key,
        reason=notification.reason,
    )


def render(config: IntegrationConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
    """The payload for the outbox: JSON-able, and without secrets."""
    match config:
        case SlackConfig():
            return slack.render(config, data, templates)
        case PagerDutyConfig():
            return pagerduty.render(config, data, templates)
        case WebhookConfig():
            return webhook.render(config, data, templates)
        case EmailConfig():
            return email.render(config, data, templates)
        case UndeliverableConfig():
            return {}


def render_message(config: IntegrationConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
    """The payload of an escalation, a recovery or a status."""
    match config:
        case SlackConfig():
            return slack.render_message(config, message, templates)
        case PagerDutyConfig():
            return pagerduty.render_message(config, message, templates)
        case WebhookConfig():
            return webhook.render_message(config, message, templates)
        case EmailConfig():
            return email.render_message(config, message, templates)
        case UndeliverableConfig():
            return {}


def notifier(config: IntegrationConfig, client: httpx.AsyncClient) -> Notifier:
    """What delivers for a configuration."""
    match config:
        case SlackConfig():
            return slack.SlackNotifier(config, client)
        case PagerDutyConfig():
            return pagerduty.PagerDutyNotifier(config, client)
        case WebhookConfig():
            return webhook.WebhookNotifier(config, client)
        case EmailConfig():
            return email.EmailNotifier(config)
        case UndeliverableConfig():
            return undeliverable.UndeliverableNotifier(config)


def build(routing: Routing, client: httpx.AsyncClient) -> dict[str, Notifier]:
    """A notifier for every integration, by its key (see :func:`key_of`)."""
    return {
        integration.key: notifier(integration.config, client)
        for receiver in routing.receivers.values()
        for integration in receiver.integrations
    }


def key_of(outgoing: Outgoing) -> str:
    """The integration that an outbox row is for."""
    return integration_key(outgoing.receiver, outgoing.integration, outgoing.index)


def outgoing_of(notification: Notification, templates: TemplateSet, external_url: str = "") -> Outgoing:
    """The outbox row of a notification; its id is given by the outbox."""
    integration = notification.integration
    payload = render(integration.config, notification_data(notification, external_url), templates)
    return Outgoing(
        id=0,
        idempotency_key=notification.idempotency_key,
        receiver=integration.receiver,
        integration=integration.kind,
        index=integration.index,
        order_key=notification.order_key,
        payload=payload,
        fingerprints=notification.fingerprints,
        created_at=notification.at,
        next_attempt_at=notification.at,
    )
