"""Typed settings from eldonia-ops.yml."""

from eldonia_ops.settings.document import LimitSettings, Retention, Settings
from eldonia_ops.settings.incidents import IncidentSettings
from eldonia_ops.settings.listen import Listen, parse_listen
from eldonia_ops.settings.listeners import ListenerSettings
from eldonia_ops.settings.load import examine_settings, load_settings, managed_text_of, parse_settings
from eldonia_ops.settings.maintenance import MaintenanceWindow
from eldonia_ops.settings.noticing import AlertmanagerSettings, ObjectiveSettings, RuleSettings, SecuritySettings
from eldonia_ops.settings.recovery import (
    CommandAction,
    DockerAction,
    ProcessAction,
    RecoveryAction,
    RecoverySettings,
    SystemdAction,
    WebhookAction,
)
from eldonia_ops.settings.shipped_rules import NO_DEFAULT_RULES, DefaultRules
from eldonia_ops.settings.sign_on import OidcSettings, ProxySettings, SessionSettings, SignOnSettings

__all__ = [
    "NO_DEFAULT_RULES",
    "AlertmanagerSettings",
    "CommandAction",
    "DefaultRules",
    "DockerAction",
    "IncidentSettings",
    "LimitSettings",
    "Listen",
    "ListenerSettings",
    "MaintenanceWindow",
    "ObjectiveSettings",
    "OidcSettings",
    "ProcessAction",
    "ProxySettings",
    "RecoveryAction",
    "RecoverySettings",
    "Retention",
    "RuleSettings",
    "SecuritySettings",
    "SessionSettings",
    "Settings",
    "SignOnSettings",
    "SystemdAction",
    "WebhookAction",
    "examine_settings",
    "load_settings",
    "managed_text_of",
    "parse_listen",
    "parse_settings",
]
