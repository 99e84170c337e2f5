"""The ``receivers`` section of ``alertmanager.yml``, and what ``global`` has for it.

Source: https://prometheus.io/docs/alerting/latest/configuration/#receiver-integration-settings
"""

import traceback
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, Final

from eldonia_ops.alerting.receivers import Integration, IntegrationConfig, Receiver, UndeliverableConfig
from eldonia_ops.model.errors import Level
from eldonia_ops.protocols.alertmanager.values import ConfigValues
from eldonia_ops.protocols.integration_kinds import IntegrationKind, IntegrationKinds
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.protocols.yaml_document import MappingReader, Problems, YamlNode, empty_mapping
from eldonia_ops.template import TemplateSet

_KNOWN_ELSEWHERE: Final = (
    "discord", "jira", "mattermost", "incidentio", "msteams", "msteamsv2", "opsgenie", "pushover", "rocketchat",
    "sns", "telegram", "victorops", "webex", "wechat",
)  # fmt: skip
"""Kinds that Alertmanager has. Of these, the ones that no notifier provides load and deliver nothing."""
_GLOBALS_ELSEWHERE: Final = (
    "opsgenie_api_url", "opsgenie_api_key", "opsgenie_api_key_file", "victorops_api_url", "victorops_api_key",
    "victorops_api_key_file", "wechat_api_url", "wechat_api_secret", "wechat_api_secret_file", "wechat_api_corp_id",
    "telegram_api_url", "telegram_bot_token", "telegram_bot_token_file", "webex_api_url", "smtp_auth_secret",
    "smtp_auth_secret_file", "smtp_auth_identity", "smtp_tls_config", "smtp_force_implicit_tls", "rocketchat_api_url",
    "rocketchat_token", "rocketchat_token_file", "rocketchat_token_id", "rocketchat_token_id_file", "jira_api_url",
    "mattermost_webhook_url", "mattermost_webhook_url_file",
)  # fmt: skip
"""The same for keys of ``global``."""
_NOT_DELIVERED: Final = "what is routed there is recorded as not delivered"


class ReceiverReader:
    """Reads receivers; knows the kinds of integrations, the templates that their texts may name and the environment
    of ``${NAME}``."""

    def __init__(
        self,
        problems: Problems,
        templates: TemplateSet,
        environment: Mapping[str, str] | None,
        relative: Callable[[str], str],
        kinds: IntegrationKinds,
    ) -> None:
        self.values = ConfigValues(problems, templates, environment, relative)
        self._problems = problems
        self._kinds = kinds
        self._defaults: dict[str, Any] = {}
        self._broken: dict[str, str] = {}

    def globals(self, node: YamlNode | None) -> int:
        """Read the ``global`` section; returns its ``resolve_timeout`` in ms."""
        section = SectionReader(node or empty_mapping(), self.values, "global")
        timeout = section.duration("resolve_timeout", 300_000)
        self.values.http_default = section.http()
        for kind in self._kinds.kinds:
            try:
                self._defaults[kind.name] = kind.read_globals(section)
            except (Exception, SystemExit) as error:
                if not kind.origin:
                    raise
                self._broken[kind.name] = _failure(kind, error)
        for key in _GLOBALS_ELSEWHERE:
            if section.was_asked(key):
                continue
            unused = section.get(key)
            if unused is not None and not (unused.is_scalar and not unused.text):
                section.warning(key, f"global: {key} is not used", "what it is for is not supported yet")
                inline = key.removesuffix("_file")
                if inline != key and section.get(inline) is not None:
                    section.fault(key, f"global has both {inline} and {key}", "keep one of them")
        section.done()
        return timeout

    def receivers(self, nodes: list[YamlNode]) -> dict[str, Receiver]:
        """All receivers by name."""
        found: dict[str, Receiver] = {}
        for node in nodes:
            reader = MappingReader(node, self._problems, "a receiver")
            name = reader.string("name", required=True)
            self.values.receiver = name
            if name in found:
                self._problems.add(reader.get("name"), f"receiver {name!r} is defined twice")
            integrations = [
                Integration(name, kind.name, index, self._read(kind, element, name))
                for kind in self._kinds.kinds
                for index, element in enumerate(reader.elements(f"{kind.name}_configs"))
            ]
            integrations += self._undeliverable(reader, name)
            reader.done()
            found[name] = Receiver(name, tuple(integrations))
        return found

    def _read(self, kind: IntegrationKind, node: YamlNode, receiver: str) -> IntegrationConfig:
        what = f"{kind.name}_configs of receiver {receiver!r}"
        if kind.name in self._broken:
            return self._dead(node, f"{what} cannot be used: {self._broken[kind.name]}")
        section = SectionReader(node, self.values, what, self._defaults[kind.name])
        try:
            config = kind.read(section)
            if kind.origin and not isinstance(config, kind.config):
                raise _OtherConfigError
        except (Exception, SystemExit) as error:
            if not kind.origin:
                raise
            return self._dead(node, f"{what} cannot be used: {_failure(kind, error)}")
        section.done()
        return config

    def _dead(self, node: YamlNode, reason: str) -> UndeliverableConfig:
        self._problems.add(node, reason, _NOT_DELIVERED, Level.WARNING)
        return UndeliverableConfig(reason)

    def _undeliverable(self, reader: MappingReader, receiver: str) -> list[Integration]:
        """Integrations of kinds that nothing here provides."""
        found: list[Integration] = []
        provided = {kind.name for kind in self._kinds.kinds}
        for name in dict.fromkeys([*_KNOWN_ELSEWHERE, *self._kinds.absent]):
            key = f"{name}_configs"
            if name in provided or not (elements := reader.elements(key)):
                continue
            if name in self._kinds.absent:
                reason = f"{key} of receiver {receiver!r} cannot be used: {self._kinds.absent[name]}"
                hint = _NOT_DELIVERED
            else:
                reason = f"{key} of receiver {receiver!r} is not supported yet"
                hint = f"{_NOT_DELIVERED}; use one of {', '.join(kind.name for kind in self._kinds.kinds)}"
            self._problems.add(reader.get(key), reason, hint, Level.WARNING)
            found += [Integration(receiver, name, index, UndeliverableConfig(reason)) for index in range(len(elements))]
        return found


class _OtherConfigError(Exception):
    """A plug-in's ``read`` gave something else than its configuration."""


def _failure(kind: IntegrationKind, error: BaseException) -> str:
    """What a plug-in did wrong, and where. Not the error's own words: they may quote a secret."""
    if isinstance(error, _OtherConfigError):
        return f"the plug-in {kind.origin} did not return its own configuration"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{PurePath(frame.filename).name}, line {frame.lineno}"
    return f"the plug-in {kind.origin} failed with {type(error).__name__} ({where})"
