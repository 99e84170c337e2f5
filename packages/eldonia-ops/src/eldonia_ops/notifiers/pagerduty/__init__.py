"""PagerDuty: Events API v2."""

from collections.abc import Mapping
from typing import Any

import httpx

from eldonia_ops.notifiers.kind import NotifierKind, packaged_templates
from eldonia_ops.notifiers.message import Message
from eldonia_ops.notifiers.pagerduty import config as settings
from eldonia_ops.notifiers.pagerduty import payload as payloads
from eldonia_ops.notifiers.pagerduty.config import PagerDutyConfig
from eldonia_ops.notifiers.pagerduty.deliver import PagerDutyNotifier
from eldonia_ops.ports import Notifier
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.template import NotificationData, TemplateSet


class PagerDuty(NotifierKind[PagerDutyConfig]):
    """``pagerduty_configs``."""

    name = "pagerduty"
    title = "PagerDuty"
    config = PagerDutyConfig
    templates = packaged_templates(__name__)

    def read_globals(self, section: SectionReader) -> Any:
        """Take what ``global`` has for it."""
        return settings.read_globals(section)

    def read(self, section: SectionReader) -> PagerDutyConfig:
        """One element of its list."""
        return settings.read(section)

    def render(self, config: PagerDutyConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a notification about alerts."""
        return payloads.render(config, data, templates)

    def render_message(self, config: PagerDutyConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of another message."""
        return payloads.render_message(config, message, templates)

    def notifier(self, config: PagerDutyConfig, client: httpx.AsyncClient) -> Notifier:
        """What delivers."""
        return PagerDutyNotifier(config, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What a payload is about."""
        return str((payload.get("payload") or {}).get("summary") or "")
