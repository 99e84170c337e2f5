"""Microsoft Teams: an Adaptive Card to a workflow."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.msteams.deliver import TeamsNotifier
from eldonia_ops.notifiers.msteamsv2 import payload as payloads
from eldonia_ops.notifiers.msteamsv2.config import MsTeamsV2Config
from eldonia_ops.ports import Notifier
from eldonia_ops.template import NotificationData, TemplateSet


class MsTeamsV2(NotifierKind[MsTeamsV2Config]):
    """``msteamsv2_configs``."""

    name = "msteamsv2"
    title = "Microsoft Teams (workflow)"
    config = MsTeamsV2Config
    templates = packaged_templates(__name__)

    def render(self, config: MsTeamsV2Config, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The card of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: MsTeamsV2Config, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The card of another message."""
        return payloads.render_message(message)

    def notifier(self, config: MsTeamsV2Config, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return TeamsNotifier(config.webhook_url, config.http, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """The title of the card."""
        return payloads.title_of(payload)
