"""Receivers and their integrations, as configured. Texts named in ``TEMPLATED`` are templates.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
"""

from dataclasses import dataclass, fields
from typing import ClassVar

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, PLAIN_HTTP, Credential, HttpConfig


@dataclass(frozen=True, slots=True)
class SlackField:
    """A titled value in a Slack attachment. ``short`` None takes the integration's ``short_fields``."""

    title: str
    value: str
    short: bool | None = None


@dataclass(frozen=True, slots=True)
class SlackAction:
    """A button in a Slack attachment."""

    type: str
    text: str
    url: str = ""
    style: str = ""
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """Posts to a Slack incoming webhook or to chat.postMessage."""

    TEMPLATED: ClassVar = (
        "channel", "username", "color", "title", "title_link", "pretext", "text", "fallback", "callback_id",
        "footer", "icon_emoji", "icon_url", "image_url", "thumb_url",
    )  # fmt: skip
    KIND: ClassVar = "slack"

    api_url: Credential = NO_CREDENTIAL
    channel: str = ""
    send_resolved: bool = False
    username: str = '{{ template "slack.default.username" . }}'
    color: str = '{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}'
    title: str = '{{ template "slack.default.title" . }}'
    title_link: str = '{{ template "slack.default.titlelink" . }}'
    pretext: str = '{{ template "slack.default.pretext" . }}'
    text: str = '{{ template "slack.default.text" . }}'
    fallback: str = '{{ template "slack.default.fallback" . }}'
    callback_id: str = '{{ template "slack.default.callbackid" . }}'
    footer: str = '{{ template "slack.default.footer" . }}'
    icon_emoji: str = '{{ template "slack.default.iconemoji" . }}'
    icon_url: str = '{{ template "slack.default.iconurl" . }}'
    image_url: str = ""
    thumb_url: str = ""
    short_fields: bool = False
    link_names: bool = False
    mrkdwn_in: tuple[str, ...] = ("fallback", "pretext", "text")
    fields: tuple[SlackField, ...] = ()
    actions: tuple[SlackAction, ...] = ()
    http: HttpConfig = PLAIN_HTTP


@dataclass(frozen=True, slots=True)
class PagerDutyImage:
    """A picture shown with a PagerDuty incident."""

    src: str
    alt: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class PagerDutyLink:
    """A link shown with a PagerDuty incident."""

    href: str
    text: str = ""


DEFAULT_PAGERDUTY_DETAILS = (
    ("firing", '{{ template "pagerduty.default.instances" .Alerts.Firing }}'),
    ("num_firing", "{{ .Alerts.Firing | len }}"),
    ("num_resolved", "{{ .Alerts.Resolved | len }}"),
    ("resolved", '{{ template "pagerduty.default.instances" .Alerts.Resolved }}'),
)


@dataclass(frozen=True, slots=True)
class PagerDutyConfig:
    """Sends to PagerDuty's Events API v2."""

    TEMPLATED: ClassVar = (
        "client", "client_url", "description", "severity", "class_", "component", "group", "source",
    )  # fmt: skip
    KIND: ClassVar = "pagerduty"

    routing_key: Credential = NO_CREDENTIAL
    url: str = "https://events.pagerduty.com/v2/enqueue"
    send_resolved: bool = True
    client: str = '{{ template "pagerduty.default.client" . }}'
    client_url: str = '{{ template "pagerduty.default.clientURL" . }}'
    description: str = '{{ template "pagerduty.default.description" . }}'
    severity: str = "error"
    class_: str = ""
    component: str = ""
    group: str = ""
    source: str = ""
    details: tuple[tuple[str, str], ...] = DEFAULT_PAGERDUTY_DETAILS
    images: tuple[PagerDutyImage, ...] = ()
    links: tuple[PagerDutyLink, ...] = ()
    http: HttpConfig = PLAIN_HTTP


@dataclass(frozen=True, slots=True)
class WebhookConfig:
    """Posts Alertmanager's webhook payload, version 4. ``timeout`` is ms, 0 for the usual one."""

    TEMPLATED: ClassVar = ()
    KIND: ClassVar = "webhook"

    url: Credential = NO_CREDENTIAL
    send_resolved: bool = True
    max_alerts: int = 0
    timeout: int = 0
    http: HttpConfig = PLAIN_HTTP


@dataclass(frozen=True, slots=True)
class EmailConfig:
    """Sends mail through an SMTP server (``host:port``)."""

    TEMPLATED: ClassVar = ("to", "from_", "html", "text")
    KIND: ClassVar = "email"

    to: str
    from_: str
    smarthost: str
    send_resolved: bool = False
    hello: str = "localhost"
    auth_username: str = ""
    auth_password: Credential = NO_CREDENTIAL
    require_tls: bool = True
    html: str = '{{ template "email.default.html" . }}'
    text: str = ""
    headers: tuple[tuple[str, str], ...] = (("Subject", '{{ template "email.default.subject" . }}'),)


@dataclass(frozen=True, slots=True)
class UndeliverableConfig:
    """An integration that a file names and this program lacks: what is routed to it is recorded as not delivered."""

    TEMPLATED: ClassVar = ()
    KIND: ClassVar = "undeliverable"

    reason: str
    send_resolved: bool = True


IntegrationConfig = SlackConfig | PagerDutyConfig | WebhookConfig | EmailConfig | UndeliverableConfig


def obstacle(config: IntegrationConfig) -> str:
    """Why nothing can be delivered with a configuration as it is: a kind or setting that this program lacks, or an
    environment variable that is not set. '' when nothing of the kind is known."""
    if isinstance(config, UndeliverableConfig):
        return config.reason
    values = [getattr(config, item.name) for item in fields(config)]
    for value in values:
        if isinstance(value, HttpConfig):
            if value.unsupported:
                return value.unsupported
            values += [value.authorization, value.basic_password, value.proxy.url]
        elif isinstance(value, Credential) and value.missing:
            return value.missing
    return ""


@dataclass(frozen=True, slots=True)
class Integration:
    """One way in which one receiver is notified. ``index`` counts within the receiver and kind."""

    receiver: str
    kind: str
    index: int
    config: IntegrationConfig

    @property
    def key(self) -> str:
        """``receiver/kind/index``, unique in a configuration."""
        return f"{self.receiver}/{self.kind}/{self.index}"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named set of integrations."""

    name: str
    integrations: tuple[Integration, ...] = ()


def integration_key(receiver: str, kind: str, index: int) -> str:
    """The key of an integration, as outbox rows hold it."""
    return f"{receiver}/{kind}/{index}"
