"""Messages to a topic of ntfy.

Format: https://docs.ntfy.sh/publish/#publish-as-json
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from eldonia_ops.notifiers.plugin import (
    Credential,
    Delivery,
    DeliveryResult,
    Expansion,
    HttpConfig,
    Message,
    NotificationData,
    NotifierKind,
    Outgoing,
    SectionReader,
    TemplateSet,
    UnresolvedError,
    classify,
    declare,
    post,
    resolve,
    truncate,
)

_MAX_TITLE = 250
_MAX_MESSAGE = 3_500  # ntfy makes an attachment of what is longer than 4 KiB
_URGENT = 5


@dataclass(frozen=True, slots=True)
class NtfyConfig:
    """One element of ``ntfy_configs``: the names, types, defaults and bounds of its fields."""

    topic: str = declare.text(required=True)
    server: str = declare.address("https://ntfy.sh/")
    token: Credential = declare.secret()
    priority: int = declare.integer(3, minimum=1, maximum=5)
    title: str = declare.template('{{ template "ntfy.default.title" . }}')
    message: str = declare.template('{{ template "ntfy.default.message" . }}')
    send_resolved: bool = declare.boolean(True)
    http: HttpConfig = declare.http()


class Ntfy(NotifierKind[NtfyConfig]):
    """What the platform knows of the kind."""

    name = "ntfy"
    title = "ntfy"
    config = NtfyConfig
    templates = """
{{ define "ntfy.default.title" }}{{ template "__subject" . }}{{ end }}
{{ define "ntfy.default.message" }}{{ range .Alerts }}{{ .Annotations.summary }}
{{ end }}{{ end }}
"""

    def read(self, section: SectionReader) -> NtfyConfig:
        """The declared fields, and what they may not be together."""
        config = super().read(section)
        if config.token and config.http.authorization:
            section.fault("token", f"{section.what} has both token and http_config.authorization", "keep one of them")
        return config

    def render(self, config: NtfyConfig, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The request's body. It is kept in the outbox, so no secret may be in it."""
        expand = Expansion(data, templates)
        title = expand.text(config.title, fallback=expand.subject())
        message = expand.text(config.message, fallback=expand.subject())
        return _body(
            config, title, f"{message.strip()}\n{expand.complaint()}".strip(), resolved=data.status == "resolved"
        )

    def render_message(self, config: NtfyConfig, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The same for a message that is not about alerts, such as an escalation."""
        body = _body(config, message.title, message.text, resolved=message.resolved)
        body["actions"] = [{"action": "view", "label": text, "url": url} for text, url in message.links[:3]]
        if not message.resolved:
            body["priority"] = _URGENT
        return body

    def notifier(self, config: NtfyConfig, client: httpx.AsyncClient) -> "NtfyNotifier":
        """What delivers."""
        return NtfyNotifier(config, client)

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What pages call a message."""
        return str(payload.get("title", ""))


def _body(config: NtfyConfig, title: str, message: str, *, resolved: bool) -> dict[str, Any]:
    return {
        "topic": config.topic,
        "title": truncate(title, _MAX_TITLE),
        "message": truncate(message, _MAX_MESSAGE) or title,
        "priority": config.priority,
        "tags": ["white_check_mark" if resolved else "rotating_light"],
    }


class NtfyNotifier:
    """Delivers to one server."""

    def __init__(self, config: NtfyConfig, client: httpx.AsyncClient) -> None:
        self._config = config
        self._client = client
        # ``post`` reads secrets when they are needed, and keeps them out of what it says.
        self._http = replace(config.http, authorization=config.token) if config.token else config.http

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Publish. 2xx is delivered; 429, 5xx and no answer are tried again; anything else is given up."""
        try:
            token = resolve(self._config.token, "ntfy token") if self._config.token else ""
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        answer = await post(self._client, self._config.server, outgoing.payload, what="ntfy", http=self._http)
        return answer if isinstance(answer, Delivery) else classify(answer, "ntfy", token)
