"""Slack: incoming webhooks and chat.postMessage."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.slack import config as settings
from eldonia_ops.notifiers.slack import payload as payloads
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.notifiers.slack.deliver import SlackNotifier
from eldonia_ops.ports import Notifier
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.template import NotificationData, TemplateSet


class Slack(NotifierKind[SlackConfig]):
    """``slack_configs``."""

    name = "slack"
    title = "Slack"
    config = SlackConfig
    templates = packaged_templates(__name__)

    def read_globals(self, section: SectionReader) -> Any:
        """Take what ``global`` has for it."""
        return settings.read_globals(section)

    def read(self, section: SectionReader) -> SlackConfig:
        """One element of its list."""
        return settings.read(section)

    def render(self, config: SlackConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: SlackConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of another message."""
        return payloads.render_message(config, message, templates)

    def notifier(self, config: SlackConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return SlackNotifier(config, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What a payload is about."""
        attachments = payload.get("attachments") or [{}]
        return str(attachments[0].get("title") or "")
