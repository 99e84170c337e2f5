"""Microsoft Teams: a MessageCard to an incoming webhook."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteams import payload as payloads
from eldonia_ops.notifiers.msteams.config import MsTeamsConfig
from eldonia_ops.notifiers.msteams.deliver import TeamsNotifier
from eldonia_ops.ports import Notifier
from eldonia_ops.template import NotificationData, TemplateSet


class MsTeams(NotifierKind[MsTeamsConfig]):
    """``msteams_configs``."""

    name = "msteams"
    title = "Microsoft Teams"
    config = MsTeamsConfig
    templates = packaged_templates(__name__)

    def render(self, config: MsTeamsConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The card of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: MsTeamsConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The card of another message."""
        return payloads.render_message(message)

    def notifier(self, config: MsTeamsConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return TeamsNotifier(config.webhook_url, config.http, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The title of the card."""
        return str(payload.get("title") or "")
