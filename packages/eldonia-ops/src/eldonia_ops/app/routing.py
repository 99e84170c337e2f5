"""The routing as it is used: sped up if asked, with what renders and delivers for it."""

import logging
from dataclasses import replace
from typing import Any

import httpx

from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import Integration, integration_key
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.notifiers.guard import unrendered
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.registry import NotifierKinds, notification_data
from eldonia_ops.ports import Notifier
from eldonia_ops.template import TemplateError, TemplateSet

log = logging.getLogger("eldonia_ops.routing")


def faster(routing: Routing, speed: float) -> Routing:
    """The same routing with every wait divided."""

    def shorter(ms: int) -> int:
        return max(1, round(ms / speed))

    def scaled(route: Route) -> Route:
        return replace(
            route,
            group_wait=shorter(route.group_wait) if route.group_wait else 0,
            group_interval=shorter(route.group_interval),
            repeat_interval=shorter(route.repeat_interval),
            routes=tuple(scaled(child) for child in route.routes),
        )

    return replace(routing, route=scaled(routing.route), resolve_timeout=shorter(routing.resolve_timeout))


class TemplateRenderer:
    """Implements :class:`~eldonia_ops.services.messages.notification_queue.Renderer` with the configured templates.

    A template that fails must not keep a page from going out: the message is then rendered with the
    integration's default templates, which are ours and tested.
    """

    def __init__(self, templates: TemplateSet, external_url: str, kinds: NotifierKinds) -> None:
        self._templates = templates
        self._external_url = external_url
        self._kinds = kinds

    def notification(self, notification: Notification, incident: str = "") -> tuple[dict[str, Any], str]:
        """The payload of a notification about alerts, and what was wrong with the templates."""
        integration = notification.integration
        data = notification_data(notification, self._external_url, incident)
        try:
            return self._kinds.render(integration.config, data, self._templates), ""
        except Exception as error:
            # Whatever it is: one message that cannot be rendered must not keep the others from being queued.
            expected = isinstance(error, TemplateError)
            log.warning("%s: template failed: %s", integration.key, error, exc_info=not expected)
            names = ", ".join(sorted({alert.name for alert in notification.alerts}))
            firing = sum(1 for alert in notification.alerts if not alert.resolved(notification.at))
            state = "firing" if firing else "resolved"
            message = Message(
                f"[{state}] {names}",
                "\n".join(f"{alert.name} {dict(alert.labels)}" for alert in notification.alerts[:20]),
                "critical" if notification.critical else "high",
                dedup_key=notification.group_key,
                resolved=not firing,
            )
            return self._plain(integration, message), str(error)

    def message(self, integration: Integration, message: Message) -> tuple[dict[str, Any], str]:
        """The payload of an escalation."""
        return self._plain(integration, message), ""

    def _plain(self, integration: Integration, message: Message) -> dict[str, Any]:
        """The payload of a message. One that cannot be rendered at all, by a plug-in's fault, is queued as it is: its
        delivery fails, so that people learn of it."""
        try:
            return self._kinds.render_message(integration.config, message, self._templates)
        except Exception as error:
            log.exception("%s: a message cannot be rendered", integration.key)
            return unrendered(f"the message cannot be rendered: {type(error).__name__}")


class Notifiers:
    """The notifiers of a routing, found by ``(receiver, integration, index)``."""

    def __init__(self, routing: Routing, client: httpx.AsyncClient, kinds: NotifierKinds) -> None:
        self._client = client
        self._kinds = kinds
        self._by_key = kinds.build(routing, client)

    def add(self, routing: Routing) -> None:
        """Know the notifiers of another routing besides."""
        self._by_key |= self._kinds.build(routing, self._client)

    def replace(self, routing: Routing) -> None:
        """Know the notifiers of another routing alone."""
        self._by_key = self._kinds.build(routing, self._client)

    def find(self, receiver: str, integration: str, index: int) -> Notifier | None:
        """The notifier, or None when the configuration has none."""
        return self._by_key.get(integration_key(receiver, integration, index))
