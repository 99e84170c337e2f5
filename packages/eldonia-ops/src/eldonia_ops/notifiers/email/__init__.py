"""Electronic mail over SMTP."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.email import config as settings
from eldonia_ops.notifiers.email import payload as payloads
from eldonia_ops.notifiers.email.config import EmailConfig
from eldonia_ops.notifiers.email.deliver import EmailNotifier
from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import Notifier
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.template import NotificationData, TemplateSet


class Email(NotifierKind[EmailConfig]):
    """``email_configs``."""

    name = "email"
    title = "E-mail"
    config = EmailConfig
    templates = packaged_templates(__name__)

    def read_globals(self, section: SectionReader) -> Any:
        """Take what ``global`` has for it."""
        return settings.read_globals(section)

    def read(self, section: SectionReader) -> EmailConfig:
        """One element of its list."""
        return settings.read(section)

    def render(self, config: EmailConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: EmailConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of another message."""
        return payloads.render_message(config, message, templates)

    def notifier(self, config: EmailConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return EmailNotifier(config)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What a payload is about."""
        return str((payload.get("headers") or {}).get("Subject") or "")
