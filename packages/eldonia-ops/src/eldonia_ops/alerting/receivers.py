"""Receivers and their integrations, as configured.

What an integration sends, and where to, is known to its notifier alone; here only what routing asks for.
"""

from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Protocol

from eldonia_ops.alerting.http_config import Credential, HttpConfig


class IntegrationConfig(Protocol):
    """The configuration of one integration: a frozen dataclass of its notifier, whose secrets are of the types
    ``Credential`` and ``Secret``, which are never shown."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def send_resolved(self) -> bool:
        """Whether the receiver wants to know that alerts have ended."""
        ...


@dataclass(frozen=True, slots=True)
class UndeliverableConfig:
    """An integration that a file names and this program lacks: what is routed to it is recorded as not delivered."""

    reason: str
    send_resolved: bool = True


def obstacle(config: IntegrationConfig) -> str:
    """Why nothing can be delivered with a configuration as it is: a kind or setting that this program lacks, or an
    environment variable that is not set. '' when there is none."""
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
