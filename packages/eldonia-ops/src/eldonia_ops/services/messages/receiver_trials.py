"""Whether a receiver can be notified: a message that says that it is a test, sent now, past outbox and routes."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from eldonia_ops.alerting.pipeline import muted_route
from eldonia_ops.alerting.receivers import Integration, obstacle
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.registry import NotifierKinds
from eldonia_ops.ports import Delivery, DeliveryResult, Notifier
from eldonia_ops.services.api import NotFoundError, ReceiverTrial, RoutePreview

_TIMEOUT: Final = 20.0
_TEXTS: Final = {
    "en": (
        "Test of receiver {receiver}",
        "{actor} tests whether this receiver can be notified. Nothing is wrong.",
        "The test is over.",
    ),
    "ja": (
        "通知先 {receiver} のテスト",
        "{actor} が通知先をテストしています。障害ではありません。",
        "テストは終わりました。",
    ),
}

FindNotifier = Callable[[str, str, int], Notifier | None]


class TrialRenderer(Protocol):
    """Renders a message for an integration."""

    def message(self, integration: Integration, message: Message) -> tuple[dict[str, object], str]:
        """The payload, and what was wrong with the templates."""
        ...


def trial_messages(receiver: str, actor: str, language: str, key: str) -> tuple[Message, Message]:
    """What a test sends, and what ends it where the receiver wants to know of an end (a page is closed by it)."""
    title, text, over = (one.format(receiver=receiver, actor=actor) for one in _TEXTS[language])
    return Message(title, text, "low", dedup_key=key), Message(title, over, "low", dedup_key=key, resolved=True)


def preview(routing: Routing, labels: Mapping[str, str], now: int) -> list[RoutePreview]:
    """The routes that take an alert with these labels, in their order."""
    return [
        RoutePreview(
            route.receiver,
            route.line,
            dict(labels) if route.group_by_all else {name: labels.get(name, "") for name in route.group_by},
            route.group_wait,
            route.group_interval,
            route.repeat_interval,
            muted_route(route, routing, now),
        )
        for route in routing.routes(labels)
    ]


class ReceiverTrials:
    """Sends tests to the integrations of a receiver."""

    def __init__(self, kinds: NotifierKinds, find: FindNotifier, renderer: TrialRenderer, language: str) -> None:
        self._kinds = kinds
        self._find = find
        self._renderer = renderer
        self._language = language

    def reconfigure(self, renderer: TrialRenderer, language: str) -> None:
        """Use other templates and texts."""
        self._renderer = renderer
        self._language = language

    async def send(self, routing: Routing, name: str, actor: str, now: int) -> list[ReceiverTrial]:
        """Send a test through every integration of a receiver, at once.

        Raises:
            NotFoundError: there is no such receiver.
        """
        receiver = routing.receivers.get(name)
        if receiver is None:
            raise NotFoundError(f"there is no receiver {name!r}")
        return list(await asyncio.gather(*(self._try(one, actor, now) for one in receiver.integrations)))

    async def _try(self, integration: Integration, actor: str, now: int) -> ReceiverTrial:
        title = self._kinds.title(integration.kind)
        delivery = await self._deliver(integration, actor, now)
        delivered = delivery.result is DeliveryResult.DELIVERED
        return ReceiverTrial(integration.kind, integration.index, title, delivered, delivery.detail)

    async def _deliver(self, integration: Integration, actor: str, now: int) -> Delivery:
        if reason := obstacle(integration.config):
            return Delivery(DeliveryResult.REJECTED, reason)
        notifier = self._find(integration.receiver, integration.kind, integration.index)
        if notifier is None:
            return Delivery(DeliveryResult.REJECTED, "this receiver is not configured any more")
        first, over = trial_messages(integration.receiver, actor, self._language, f"test:{integration.key}:{now}")
        found = await self._send(notifier, integration, first, now)
        if found.result is DeliveryResult.DELIVERED and integration.config.send_resolved:
            await self._send(notifier, integration, over, now)
        return found

    async def _send(self, notifier: Notifier, integration: Integration, message: Message, now: int) -> Delivery:
        try:
            payload, fault = self._renderer.message(integration, message)
            outgoing = _outgoing(integration, message, payload, now)
            found = await asyncio.wait_for(notifier.deliver(outgoing), _TIMEOUT)
        except TimeoutError:
            return Delivery(DeliveryResult.RETRY, f"no answer within {_TIMEOUT:g} s")
        if fault and found.result is DeliveryResult.DELIVERED:
            return Delivery(DeliveryResult.REJECTED, f"it arrived, but with the default template: {fault}")
        return found


def _outgoing(integration: Integration, message: Message, payload: dict[str, object], now: int) -> Outgoing:
    identity = f"{message.dedup_key}\0{message.resolved}"
    return Outgoing(
        id=0,
        idempotency_key=hashlib.sha256(identity.encode()).hexdigest()[:32],
        receiver=integration.receiver,
        integration=integration.kind,
        index=integration.index,
        order_key=f"{integration.key}:test",
        payload=payload,
        purpose="status",
        created_at=now,
        next_attempt_at=now,
        urgent=False,
        cause=message.dedup_key,
    )
