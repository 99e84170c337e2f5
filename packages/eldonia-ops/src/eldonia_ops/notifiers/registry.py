"""All kinds of notifiers: those that are built in, and those of plug-ins."""

import functools
import importlib
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Final

import httpx

from eldonia_ops.alerting.pipeline import Notification
from eldonia_ops.alerting.receivers import IntegrationConfig, UndeliverableConfig
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.notifiers.built_in import BUILT_IN
from eldonia_ops.notifiers.guard import GuardedNotifier, checked_payload
from eldonia_ops.notifiers.kind import NotifierKind
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.undeliverable import UndeliverableNotifier
from eldonia_ops.plugins import PluginError, load_plugins
from eldonia_ops.ports import Notifier
from eldonia_ops.protocols.integration_fields import key_of, spec_of
from eldonia_ops.protocols.secret_keys import SECRET_KEY
from eldonia_ops.template import NotificationData, TemplateError, TemplateSet

log = logging.getLogger("eldonia_ops.notifiers")

GROUP: Final = "eldonia_ops.notifiers"
"""The entry points of plug-ins."""
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,31}")


@dataclass(frozen=True, slots=True, eq=False)
class NotifierKinds:
    """The kinds that there are, in the order in which a receiver's integrations are notified.

    ``absent`` has the kinds that plug-ins announce and do not provide, with the reasons; ``faults`` says the same for
    people.
    """

    kinds: tuple[NotifierKind[Any], ...]
    absent: Mapping[str, str] = field(default_factory=dict)
    faults: tuple[Diagnostic, ...] = ()
    _by_config: dict[type, NotifierKind[Any]] = field(init=False, repr=False)
    _by_name: dict[str, NotifierKind[Any]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_config", {kind.config: kind for kind in self.kinds})
        object.__setattr__(self, "_by_name", {kind.name: kind for kind in self.kinds})

    def render(self, config: IntegrationConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload for the outbox: JSON-able, and without secrets."""
        return self._payload(config, lambda kind: kind.render(config, data, templates))

    def render_message(self, config: IntegrationConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of an escalation, a recovery or a status."""
        return self._payload(config, lambda kind: kind.render_message(config, message, templates))

    def _payload(
        self, config: IntegrationConfig, render: Callable[[NotifierKind[Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        if isinstance(config, UndeliverableConfig):
            return {}
        kind = self._by_config[type(config)]
        if not kind.origin:
            return render(kind)
        try:
            return checked_payload(render(kind))
        except SystemExit as error:
            raise RuntimeError(f"the plug-in {kind.origin} tried to end the process") from error

    def notifier(self, config: IntegrationConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers for a configuration."""
        if isinstance(config, UndeliverableConfig):
            return UndeliverableNotifier(config.reason)
        kind = self._by_config[type(config)]
        if not kind.origin:
            return kind.notifier(config, client)
        try:
            return GuardedNotifier(kind.notifier(config, client), kind.origin)
        except (Exception, SystemExit) as error:
            log.exception("the plug-in %s has no notifier for its configuration", kind.origin)
            return UndeliverableNotifier(f"the plug-in {kind.origin} failed with {type(error).__name__}")

    def build(self, routing: Routing, client: httpx.AsyncClient) -> dict[str, Notifier]:
        """A notifier for every integration, by its key."""
        return {
            integration.key: self.notifier(integration.config, client)
            for receiver in routing.receivers.values()
            for integration in receiver.integrations
        }

    def title(self, name: str) -> str:
        """What pages call a kind."""
        kind = self._by_name.get(name)
        return kind.title if kind else name

    def subject(self, outgoing: Outgoing) -> str:
        """What a message is about, in one line; '' when it does not say."""
        kind = self._by_name.get(outgoing.integration)
        try:
            said = kind.subject(outgoing.payload) if kind else ""
        except Exception:  # noqa: BLE001 - a row that another version has written, or a plug-in: the page is shown
            return ""
        return " ".join(str(said or "").split())[:500]


def notification_data(notification: Notification, external_url: str = "", incident: str = "") -> NotificationData:
    """What a notification's templates see; ``incident`` is the reference of the incident that it is about."""
    base = external_url.rstrip("/")
    return NotificationData(
        receiver=notification.integration.receiver,
        group_labels=notification.group_labels,
        alerts=notification.alerts,
        now=notification.at,
        external_url=external_url,
        group_key=notification.group_key,
        reason=notification.reason,
        incident_url=f"{base}/incidents/{incident}" if incident else "",
    )


@functools.cache
def built_in() -> NotifierKinds:
    """The kinds that are built in."""
    kinds: list[NotifierKind[Any]] = []
    for line in BUILT_IN:
        module, _, name = line.partition(":")
        kinds.append(getattr(importlib.import_module(module), name)())
    return NotifierKinds(tuple(kinds))


def installed() -> NotifierKinds:
    """The kinds that are built in, and those of the plug-ins that are installed beside this program."""
    kinds = list(built_in().kinds)

    def accept(name: str, origin: str, loaded: Any) -> NotifierKind[Any]:
        kind = _checked(name, loaded, kinds)
        kind.origin = origin
        kinds.append(kind)
        return kind

    plugins = load_plugins(GROUP, accept)
    return NotifierKinds(tuple(kinds), plugins.absent, plugins.faults)


def _checked(name: str, loaded: Any, others: list[NotifierKind[Any]]) -> NotifierKind[Any]:
    """A kind of a plug-in.

    Raises:
        PluginError: it is not what it should be.
    """
    if not (isinstance(loaded, type) and issubclass(loaded, NotifierKind)):
        raise PluginError("it does not name a class that extends NotifierKind")
    kind = loaded()
    if not (isinstance(kind.name, str) and _NAME.fullmatch(kind.name)):
        raise PluginError("the name of a notifier is lower-case letters and digits")
    if kind.name != name:
        raise PluginError(f"the notifier is called {kind.name!r}, and its entry point {name!r}")
    if any(other.name == kind.name for other in others):
        raise PluginError(f"there is a notifier {kind.name!r} already")
    config = kind.config
    if not (isinstance(config, type) and is_dataclass(config) and "send_resolved" in {f.name for f in fields(config)}):
        raise PluginError("config is not a dataclass with the field send_resolved")
    if any(other.config is config for other in others):
        raise PluginError("its config is that of another notifier")
    for item in fields(config):
        spec = spec_of(item)
        if spec and spec.is_secret and SECRET_KEY.search(key_of(item)) is None:
            # Lines of the file are shown beside faults, and masked by the names of keys.
            raise PluginError(
                f"nothing in the name of its secret {key_of(item)!r} says so: call it a token or password"
            )
    if not isinstance(kind.title, str) or not kind.title:
        raise PluginError("it has no title")
    templates = TemplateSet()
    try:
        templates.add(kind.templates, f"{name}.tmpl")
    except TemplateError as error:
        raise PluginError(f"its default templates: {error}") from error
    foreign = [one for one in templates.names if not one.startswith(f"{name}.")]
    if foreign:
        raise PluginError(f"its default templates define {foreign[0]!r}, which does not begin with {name + '.'!r}")
    return kind
