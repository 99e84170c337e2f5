from dataclasses import dataclass
from typing import Any

import httpx

from eldonia_ops.alerting.notification import Cause
from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.app.routing import Notifiers, TemplateRenderer
from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.labels import Labels
from eldonia_ops.notifiers.kind import NotifierKind
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.registry import NotifierKinds, built_in
from eldonia_ops.ports import DeliveryResult, Notifier
from eldonia_ops.protocols.alertmanager.config import base_templates, parse_alertmanager_config
from eldonia_ops.template import NotificationData, TemplateSet


@dataclass(frozen=True, slots=True)
class Config:
    send_resolved: bool = True


class Plugin(NotifierKind[Config]):
    """Renders what it was set to; an exception is raised."""

    name = "pigeon"
    title = "Pigeons"
    config = Config
    origin = "pigeons 1.0"
    alerts: Any = None
    message: Any = None

    def _told(self, what: Any) -> Any:
        if isinstance(what, BaseException):
            raise what
        return what

    def render(self, config: Config, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        return self._told(self.alerts)

    def render_message(self, config: Config, message: Message, templates: TemplateSet) -> dict[str, Any]:
        return self._told(self.message)

    def notifier(self, config: Config, client: httpx.AsyncClient) -> Notifier:
        raise RuntimeError


def rendered(alerts: Any, message: Any) -> tuple[dict[str, Any], str]:
    kind = Plugin()
    kind.alerts, kind.message = alerts, message
    kinds = NotifierKinds((*built_in().kinds, kind))
    renderer = TemplateRenderer(base_templates(kinds), "http://ops", kinds)
    alert = Alert(Labels({"alertname": "Down"}), Labels({}), 1, 2_000)
    return renderer.notification(
        Notification(
            Integration("r", "pigeon", 0, Config()), "{}", {}, (alert,), Cause.FIRST, "first", 1_000, "k", "r/pigeon/0"
        )
    )


def test_a_plug_ins_payload_is_taken_as_the_outbox_keeps_it() -> None:
    assert rendered({"a": (1,)}, None) == ({"a": [1]}, "")


def test_a_plug_in_that_cannot_render_alerts_sends_a_plain_message() -> None:
    assert rendered(KeyError("x"), {"plain": True}) == ({"plain": True}, "'x'")
    assert rendered(["no dict"], {"plain": True})[0] == {"plain": True}


def test_a_plug_in_that_cannot_render_at_all_fails_at_delivery_and_not_before() -> None:
    for alerts, message in ((KeyError(), ValueError()), (SystemExit(), SystemExit()), (object(), {"a": object()})):
        payload, fault = rendered(alerts, message)
        assert "the message cannot be rendered" in str(payload)
        assert "S3CRET" not in str(payload)
        assert isinstance(fault, str)


async def test_a_plug_in_without_a_notifier_rejects_and_the_others_deliver() -> None:
    kinds = NotifierKinds((*built_in().kinds, Plugin()))
    text = "route: {receiver: r}\nreceivers: [{name: r, pigeon_configs: [{}], webhook_configs: [{url: 'http://x/'}]}]\n"
    routing = parse_alertmanager_config(text, kinds=kinds).routing
    async with httpx.AsyncClient() as client:
        found = Notifiers(routing, client, kinds)
        assert found.find("r", "webhook", 0) is not None
        pigeon = found.find("r", "pigeon", 0)
        assert pigeon is not None
        delivery = await pigeon.deliver(Outgoing(1, "k", "r", "pigeon", 0, "o", {}))
    assert (delivery.result, delivery.detail) == (
        DeliveryResult.REJECTED, "the plug-in pigeons 1.0 failed with RuntimeError",
    )  # fmt: skip
