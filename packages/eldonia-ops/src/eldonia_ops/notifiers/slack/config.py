"""``slack_configs``.

Fields and defaults: https://prometheus.io/docs/alerting/latest/configuration/#slack_config
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, Credential, HttpConfig
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols import integration_fields as declare
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.protocols.yaml_document import YamlNode

_APP_URL: Final = "https://slack.com/api/chat.postMessage"


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

    KIND: ClassVar = "slack"

    api_url: Credential = NO_CREDENTIAL
    channel: str = declare.template()
    send_resolved: bool = declare.boolean()
    username: str = declare.template('{{ template "slack.default.username" . }}')
    color: str = declare.template('{{ if eq .Status "firing" }}danger{{ else }}good{{ end }}')
    title: str = declare.template('{{ template "slack.default.title" . }}')
    title_link: str = declare.template('{{ template "slack.default.titlelink" . }}')
    pretext: str = declare.template('{{ template "slack.default.pretext" . }}')
    text: str = declare.template('{{ template "slack.default.text" . }}')
    fallback: str = declare.template('{{ template "slack.default.fallback" . }}')
    callback_id: str = declare.template('{{ template "slack.default.callbackid" . }}')
    footer: str = declare.template('{{ template "slack.default.footer" . }}')
    icon_emoji: str = declare.template('{{ template "slack.default.iconemoji" . }}')
    icon_url: str = declare.template('{{ template "slack.default.iconurl" . }}')
    image_url: str = declare.template()
    thumb_url: str = declare.template()
    short_fields: bool = declare.boolean()
    link_names: bool = declare.boolean()
    mrkdwn_in: tuple[str, ...] = declare.texts(("fallback", "pretext", "text"))
    fields: tuple[SlackField, ...] = ()
    actions: tuple[SlackAction, ...] = ()
    http: HttpConfig = declare.http()


@dataclass(frozen=True, slots=True)
class SlackGlobals:
    """What the ``global`` section has for Slack."""

    api_url: Credential = NO_CREDENTIAL
    app_token: Credential = NO_CREDENTIAL
    app_url: str = _APP_URL


def read_globals(section: SectionReader) -> SlackGlobals:
    """Take ``slack_*`` of the ``global`` section."""
    found = SlackGlobals(
        api_url=section.credential("slack_api_url", "slack_api_url_file", url=True),
        app_token=section.credential("slack_app_token", "slack_app_token_file"),
        app_url=section.address("slack_app_url", _APP_URL),
    )
    if found.app_token and found.api_url not in (NO_CREDENTIAL, Credential(Secret(found.app_url))):
        section.fault("slack_app_token", "global has both slack_app_token and slack_api_url")
    return found


def read(section: SectionReader) -> SlackConfig:
    """One element of ``slack_configs``."""
    defaults: SlackGlobals = section.defaults
    values: dict[str, Any] = section.declared(SlackConfig)
    own_token = section.credential("app_token", "app_token_file")
    own_url = section.credential("api_url", "api_url_file", url=True)
    app_url = section.address("app_url", defaults.app_url)
    if own_token and own_url:
        section.fault("api_url", f"{section.what} has both app_token and api_url", "keep one of them")
    token = own_token or (NO_CREDENTIAL if own_url else defaults.app_token)
    api_url = own_url or (Credential(Secret(app_url)) if token else defaults.api_url)
    if token:
        values["http"] = replace(values["http"], authorization_type="Bearer", authorization=token)
    if not api_url:
        section.problems.add(
            section.node, f"{section.what} has no Slack address", "set api_url, or slack_api_url in global"
        )
    return SlackConfig(
        api_url=api_url,
        fields=tuple(_field(section, node) for node in section.elements("fields")),
        actions=tuple(_action(section, node) for node in section.elements("actions")),
        **values,
    )


def _field(section: SectionReader, node: YamlNode) -> SlackField:
    reader = section.nested(node, "a Slack field")
    short = reader.boolean("short") if reader.has("short") else None
    for key in ("title", "value"):
        reader.string(key, required=True)
    found = SlackField(reader.template("title"), reader.template("value"), short)
    reader.done()
    return found


def _action(section: SectionReader, node: YamlNode) -> SlackAction:
    reader = section.nested(node, "a Slack action")
    for key in ("type", "text"):
        reader.string(key, required=True)
    if not reader.has("url") and not reader.has("name"):
        reader.problems.add(node, "a Slack action needs url or name")
    if reader.get("confirm") is not None:
        reader.fault("confirm", "confirm of a Slack action is not supported yet")
    found = SlackAction(**{name: reader.template(name) for name in ("type", "text", "url", "style", "name", "value")})
    reader.done()
    return found
