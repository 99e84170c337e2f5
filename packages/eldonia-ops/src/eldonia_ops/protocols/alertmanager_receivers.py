"""The ``receivers`` section of ``alertmanager.yml``.

Source: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from eldonia_ops.alerting.http_config import NO_CREDENTIAL, PLAIN_HTTP, Credential, HttpConfig
from eldonia_ops.alerting.receivers import (
    DEFAULT_PAGERDUTY_DETAILS,
    EmailConfig,
    Integration,
    IntegrationConfig,
    PagerDutyConfig,
    PagerDutyImage,
    PagerDutyLink,
    Receiver,
    SlackAction,
    SlackConfig,
    SlackField,
    UndeliverableConfig,
    WebhookConfig,
)
from eldonia_ops.model.errors import Level
from eldonia_ops.model.secret import Secret
from eldonia_ops.protocols.alertmanager_http import HttpReader, is_http
from eldonia_ops.protocols.yaml_document import MappingReader, Place, Problems, YamlNode
from eldonia_ops.template import TemplateSet

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNSUPPORTED = (
    "discord", "jira", "mattermost", "incidentio", "msteams", "msteamsv2", "opsgenie", "pushover", "rocketchat",
    "sns", "telegram", "victorops", "webex", "wechat",
)  # fmt: skip
_UNUSED_GLOBALS = (
    "opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file", "victorops_api_url", "victorops_api_key",
    "victorops_api_key_file", "wechat_api_url", "wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id",
    "telegram_api_url", "telegram_bot_token", "telegram_bot_token_file", "webex_api_url", "smtp_auth_secret",
    "smtp_auth_secret_file", "smtp_auth_identity", "smtp_tls_config", "smtp_force_implicit_tls", "rocketchat_api_url",
    "rocketchat_token", "rocketchat_token_file", "rocketchat_token_id", "rocketchat_token_id_file", "jira_api_url",
    "mattermost_webhook_url", "mattermost_webhook_url_file",
)  # fmt: skip
_PAGERDUTY_URL = PagerDutyConfig().url
_SLACK_APP_URL = "https://slack.com/api/chat.postMessage"
_NONE = NO_CREDENTIAL
_PAGERDUTY_SEVERITIES = ("critical", "error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Globals:
    """What the ``global`` section offers to receivers."""

    slack_api_url: Credential = _NONE
    slack_app_token: Credential = _NONE
    slack_app_url: str = _SLACK_APP_URL
    pagerduty_url: str = _PAGERDUTY_URL
    smtp_from: str = ""
    smtp_smarthost: str = ""
    smtp_hello: str = "localhost"
    smtp_auth_username: str = ""
    smtp_auth_password: Credential = _NONE
    smtp_require_tls: bool = True
    http: HttpConfig = PLAIN_HTTP


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """A text of a receiver that is a template; ``what`` names it in messages."""

    receiver: str
    node: YamlNode
    text: str
    what: str

    def place(self, line: int, column: int) -> Place:
        """Where a line and column of the text (from 1) are in the file."""
        node = self.node
        in_first_line = line == 1 and not node.is_block_text
        return Place(
            node.line + (line if node.is_block_text else line - 1),
            node.column + node.is_quoted + column - 1 if in_first_line else 0,
        )


class ReceiverReader:
    """Reads receivers; knows the templates that their texts may name and the environment of ``${NAME}``."""

    def __init__(
        self,
        problems: Problems,
        templates: TemplateSet,
        environment: Mapping[str, str] | None,
        relative: Callable[[str], str],
    ) -> None:
        self.problems = problems
        self.templates = templates
        self.environment = environment
        self.relative = relative
        self.uses: list[TemplateUse] = []
        self._receiver = ""
        self._filled: set[int] = set()
        self._http = HttpReader(problems, self, relative)

    # --- values

    def expanded(self, node: YamlNode) -> tuple[str, str]:
        """A text with its ``${NAME}`` filled in, and the name of a variable that is not set ('' if none)."""
        self._filled.add(id(node))
        environment = self.environment
        if environment is None:
            return node.text, ""
        unset: list[str] = []

        def value(match: re.Match[str]) -> str:
            found = environment.get(match[1], "")
            if found:
                self.problems.concealed.add(found, match[0])
            else:
                unset.append(match[1])
            return found

        return _VARIABLE.sub(value, node.text), unset[0] if unset else ""

    def note_unfilled(self, document: YamlNode) -> None:
        """Warn of ``${NAME}`` where it stays as written. In templates it may be a group of ``reReplaceAll``."""
        for node in document.walk() if self.environment is not None else ():
            if node.is_scalar and id(node) not in self._filled and "{{" not in node.text:
                match = _VARIABLE.search(node.text)
                if match:
                    message = (
                        f"{match[0]} is not filled in here: only addresses and secrets take it from the environment"
                    )
                    self.problems.add(node, message, level=Level.WARNING)

    def credential(self, reader: MappingReader, key: str, file_key: str = "", *, url: bool = False) -> Credential:
        """A secret under ``key``, or the file under ``file_key`` that holds it."""
        node = reader.get(key)
        file = reader.string(file_key) if file_key else ""
        if node is not None and file:
            self.problems.add(node, f"{reader.what} has both {key} and {file_key}", "keep one of them")
        if file:
            return Credential(file=self.relative(file))
        if node is None:
            return Credential()
        return self.credential_of(node, key, reader.what, url=url)

    def credential_of(self, node: YamlNode, key: str, what: str, *, url: bool = False) -> Credential:
        """The secret that one value is; ``key`` and ``what`` are for messages."""
        if not node.is_scalar:
            self.problems.add(node, f"{key} must be a text, not {node.describe()}")
            return Credential()
        if not node.text:
            return Credential()  # as if it were not there: Alertmanager's zero value
        value, unset = self.expanded(node)
        if unset:
            self.unset(node, unset, what)
            return Credential(missing=f"the environment variable {unset} is not set")
        if url and not is_http(value) and "${" not in value:
            # The value itself may be half a secret: it is not shown.
            self.problems.add(node, f"{key} must be an http:// or https:// address")
        return Credential(Secret(value))

    def unset(self, node: YamlNode, name: str, what: str) -> None:
        """Note a variable that is missing: a warning, since all other receivers work."""
        message = f"the environment variable {name} is not set: {what} cannot deliver until it is"
        self.problems.add(node, message, level=Level.WARNING)

    def address(self, reader: MappingReader, key: str, default: str) -> str:
        """An HTTP address that is not secret."""
        node = reader.get(key)
        if node is None:
            return default
        value, unset = self.expanded(node)
        if unset:
            self.unset(node, unset, reader.what)
            return node.text
        if not is_http(value):
            self.problems.add(node, f"{key} must be an http:// or https:// address, not {node.describe()}")
        return value

    def template(self, reader: MappingReader, key: str, default: str = "") -> str:
        """A text that is a template; its syntax and what it refers to are checked."""
        node = reader.get(key)
        if node is None:
            return default
        text = reader.string(key, default)
        self.check_template(node, text, f"{key} of {reader.what}")
        return text

    def templates_of(self, reader: MappingReader, key: str) -> dict[str, str]:
        """A mapping of names to templates, each checked like :meth:`template`."""
        texts = reader.string_map(key)
        node = reader.get(key)
        for name, value in node.items() if node is not None else ():
            if value.is_scalar:
                self.check_template(value, value.text, f"{key}.{name.text} of {reader.what}")
        return texts

    def check_template(self, node: YamlNode, text: str, what: str) -> None:
        """Note what is wrong with a template at its place in the file."""
        use = TemplateUse(self._receiver, node, text, what)
        self.uses.append(use)
        for message, line, column in self.templates.check(text):
            self.problems.add(use.place(line, column), f"{what}: {message}")

    def http(self, reader: MappingReader, default: HttpConfig) -> HttpConfig:
        """``http_config`` of an integration, or ``default`` when it has none."""
        return self._http.http(reader, default)

    # --- the sections

    def globals(self, reader: MappingReader | None) -> tuple[Globals, int]:
        """The ``global`` section and its ``resolve_timeout`` in ms."""
        if reader is None:
            return Globals(), 300_000
        timeout = reader.duration("resolve_timeout", 300_000)
        found = Globals(
            slack_api_url=self.credential(reader, "slack_api_url", "slack_api_url_file", url=True),
            slack_app_token=self.credential(reader, "slack_app_token", "slack_app_token_file"),
            slack_app_url=self.address(reader, "slack_app_url", _SLACK_APP_URL),
            pagerduty_url=self.address(reader, "pagerduty_url", _PAGERDUTY_URL),
            smtp_from=reader.string("smtp_from"),
            smtp_smarthost=self.smarthost(reader, "smtp_smarthost", ""),
            smtp_hello=reader.string("smtp_hello", "localhost"),
            smtp_auth_username=reader.string("smtp_auth_username"),
            smtp_auth_password=self.credential(reader, "smtp_auth_password", "smtp_auth_password_file"),
            smtp_require_tls=reader.boolean("smtp_require_tls", True),
            http=self.http(reader, PLAIN_HTTP),
        )
        if found.slack_app_token and found.slack_api_url not in (_NONE, Credential(Secret(found.slack_app_url))):
            self.problems.add(reader.get("slack_app_token"), "global has both slack_app_token and slack_api_url")
        for key in _UNUSED_GLOBALS:
            node = reader.get(key)
            if node is not None and not (node.is_scalar and not node.text):
                self.problems.add(
                    node, f"global: {key} is not used", "what it is for is not supported yet", Level.WARNING
                )
                if key.endswith("_file") and reader.get(key.removesuffix("_file")) is not None:
                    self.problems.add(
                        node, f"global has both {key.removesuffix('_file')} and {key}", "keep one of them"
                    )
        reader.done()
        return found, timeout

    def receivers(self, nodes: list[YamlNode], defaults: Globals) -> dict[str, Receiver]:
        """All receivers by name."""
        found: dict[str, Receiver] = {}
        for node in nodes:
            reader = MappingReader(node, self.problems, "a receiver")
            name = reader.string("name", required=True)
            self._receiver = name
            if name in found:
                self.problems.add(reader.get("name"), f"receiver {name!r} is defined twice")
            integrations: list[Integration] = []
            readers: dict[str, Callable[[MappingReader, Globals], IntegrationConfig]] = {
                "slack": self.slack,
                "pagerduty": self.pagerduty,
                "webhook": self.webhook,
                "email": self.email,
            }
            for kind, read in readers.items():
                for index, element in enumerate(reader.elements(f"{kind}_configs")):
                    inner = MappingReader(element, self.problems, f"{kind}_configs of receiver {name!r}")
                    config = read(inner, defaults)
                    inner.done()
                    integrations.append(Integration(name, kind, index, config))
            for kind in _UNSUPPORTED:
                node_of_kind = reader.get(f"{kind}_configs")
                elements = reader.elements(f"{kind}_configs")
                if node_of_kind is not None and elements:
                    reason = f"{kind}_configs of receiver {name!r} is not supported yet"
                    hint = (
                        "what is routed there is recorded as not delivered; use one of slack, pagerduty, email, webhook"
                    )
                    self.problems.add(node_of_kind, reason, hint, Level.WARNING)
                    integrations += [
                        Integration(name, kind, index, UndeliverableConfig(reason)) for index in range(len(elements))
                    ]
            reader.done()
            found[name] = Receiver(name, tuple(integrations))
        return found

    def slack(self, reader: MappingReader, defaults: Globals) -> SlackConfig:
        """One element of ``slack_configs``."""
        http = self.http(reader, defaults.http)
        own_token = self.credential(reader, "app_token", "app_token_file")
        own_url = self.credential(reader, "api_url", "api_url_file", url=True)
        app_url = self.address(reader, "app_url", defaults.slack_app_url)
        if own_token and own_url:
            self.problems.add(
                reader.get("api_url"), f"{reader.what} has both app_token and api_url", "keep one of them"
            )
        token = own_token or (_NONE if own_url else defaults.slack_app_token)
        api_url = own_url or (Credential(Secret(app_url)) if token else defaults.slack_api_url)
        if token:
            http = replace(http, authorization_type="Bearer", authorization=token)
        if not api_url:
            self.problems.add(
                reader.node, f"{reader.what} has no Slack address", "set api_url, or slack_api_url in global"
            )
        texts = self.texts(reader, SlackConfig)
        return SlackConfig(
            api_url=api_url,
            send_resolved=reader.boolean("send_resolved"),
            short_fields=reader.boolean("short_fields"),
            link_names=reader.boolean("link_names"),
            mrkdwn_in=reader.text_list("mrkdwn_in") or ("fallback", "pretext", "text"),
            fields=tuple(self.slack_field(node) for node in reader.elements("fields")),
            actions=tuple(self.slack_action(node) for node in reader.elements("actions")),
            http=http,
            **texts,
        )

    def texts(self, reader: MappingReader, config: type[Any]) -> dict[str, str]:
        """The templated texts of an integration, with its defaults where the file has none."""
        defaults: dict[str, Any] = {item.name: item.default for item in fields(config)}
        return {name: self.template(reader, name.rstrip("_"), str(defaults[name])) for name in config.TEMPLATED}

    def slack_field(self, node: YamlNode) -> SlackField:
        """One element of ``fields``."""
        reader = MappingReader(node, self.problems, "a Slack field")
        short = reader.boolean("short") if reader.has("short") else None
        for key in ("title", "value"):
            reader.string(key, required=True)
        found = SlackField(self.template(reader, "title"), self.template(reader, "value"), short)
        reader.done()
        return found

    def slack_action(self, node: YamlNode) -> SlackAction:
        """One element of ``actions``."""
        reader = MappingReader(node, self.problems, "a Slack action")
        for key in ("type", "text"):
            reader.string(key, required=True)
        if not reader.has("url") and not reader.has("name"):
            self.problems.add(node, "a Slack action needs url or name")
        confirm = reader.get("confirm")
        if confirm is not None:
            self.problems.add(confirm, "confirm of a Slack action is not supported yet")
        found = SlackAction(
            **{name: self.template(reader, name) for name in ("type", "text", "url", "style", "name", "value")}
        )
        reader.done()
        return found

    def pagerduty(self, reader: MappingReader, defaults: Globals) -> PagerDutyConfig:
        """One element of ``pagerduty_configs``."""
        http = self.http(reader, defaults.http)
        for key in ("service_key", "service_key_file"):
            node = reader.get(key)
            if node is not None:
                reason = f"{key} (Events API v1) is not supported"
                hint = "use routing_key (Events API v2); until then nothing is delivered"
                self.problems.add(node, reason, hint, Level.WARNING)
                http = replace(http, unsupported=reason)
        routing_key = self.credential(reader, "routing_key", "routing_key_file")
        if not routing_key and not reader.has("service_key") and not reader.has("service_key_file"):
            self.problems.add(reader.node, f"{reader.what} needs routing_key or routing_key_file")
        texts = self.texts(reader, PagerDutyConfig)
        severity = texts["severity"]
        if "{{" not in severity and severity not in _PAGERDUTY_SEVERITIES:
            known = ", ".join(_PAGERDUTY_SEVERITIES)
            self.problems.add(reader.get("severity"), f"PagerDuty knows no severity {severity!r}", f"one of {known}")
        details = {**dict(DEFAULT_PAGERDUTY_DETAILS), **self.templates_of(reader, "details")}
        return PagerDutyConfig(
            routing_key=routing_key,
            url=self.address(reader, "url", defaults.pagerduty_url),
            send_resolved=reader.boolean("send_resolved", True),
            details=tuple(sorted(details.items())),
            images=tuple(
                PagerDutyImage(**self.small(node, "an image", ("src", "alt", "href")))
                for node in reader.elements("images")
            ),
            links=tuple(
                PagerDutyLink(**self.small(node, "a link", ("href", "text"))) for node in reader.elements("links")
            ),
            http=http,
            **texts,
        )

    def small(self, node: YamlNode, what: str, names: tuple[str, ...]) -> dict[str, str]:
        """A mapping of templated texts."""
        reader = MappingReader(node, self.problems, what)
        reader.string(names[0], required=True)
        found = {name: self.template(reader, name) for name in names}
        reader.done()
        return found

    def webhook(self, reader: MappingReader, defaults: Globals) -> WebhookConfig:
        """One element of ``webhook_configs``."""
        url = self.credential(reader, "url", "url_file", url=True)
        if not url:
            self.problems.add(reader.node, f"{reader.what} needs url or url_file")
        return WebhookConfig(
            url=url,
            send_resolved=reader.boolean("send_resolved", True),
            max_alerts=reader.integer("max_alerts", 0, minimum=0),
            timeout=reader.duration("timeout", 0),
            http=self.http(reader, defaults.http),
        )

    def smarthost(self, reader: MappingReader, key: str, default: str) -> str:
        """``host:port`` of a mail server."""
        node = reader.get(key)
        if node is None:
            return default
        value, unset = self.expanded(node)
        if unset:
            self.unset(node, unset, reader.what)
            return node.text
        host, colon, port = value.rpartition(":")
        if not host or not colon or not port.isdecimal() or not 0 < int(port) < 65_536:
            self.problems.add(node, f"{key} must be host:port, not {node.describe()}")
        return value

    def email(self, reader: MappingReader, defaults: Globals) -> EmailConfig:
        """One element of ``email_configs``."""
        reader.string("to", required=True)
        sender = self.template(reader, "from", defaults.smtp_from)
        if not sender:
            self.problems.add(reader.node, f"{reader.what} needs from, or smtp_from in global")
        smarthost = self.smarthost(reader, "smarthost", defaults.smtp_smarthost)
        if not smarthost:
            self.problems.add(reader.node, f"{reader.what} needs smarthost, or smtp_smarthost in global")
        for key in ("auth_secret", "auth_secret_file", "auth_identity", "tls_config", "threading"):
            node = reader.get(key)
            if node is not None and not (node.is_scalar and not node.text):
                hint = "mail is sent without it, with auth_username and auth_password"
                self.problems.add(node, f"{key} of {reader.what} is not used", hint, Level.WARNING)
        headers: dict[str, str] = {"Subject": '{{ template "email.default.subject" . }}'}
        for name, text in self.templates_of(reader, "headers").items():
            headers["-".join(part.capitalize() for part in name.split("-"))] = text
        return EmailConfig(
            to=self.template(reader, "to"),
            from_=sender,
            smarthost=smarthost,
            send_resolved=reader.boolean("send_resolved"),
            hello=reader.string("hello", defaults.smtp_hello),
            auth_username=reader.string("auth_username", defaults.smtp_auth_username),
            auth_password=self.credential(reader, "auth_password", "auth_password_file") or defaults.smtp_auth_password,
            require_tls=reader.boolean("require_tls", defaults.smtp_require_tls),
            html=self.template(reader, "html", '{{ template "email.default.html" . }}'),
            text=self.template(reader, "text"),
            headers=tuple(sorted(headers.items())),
        )
