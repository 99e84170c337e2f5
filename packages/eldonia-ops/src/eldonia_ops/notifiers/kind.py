"""What a notifier is: the one class that a folder of a notifier, or a plug-in, provides."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib import resources
from typing import Any, Generic, TypeVar

import httpx

from eldonia_ops.alerting.receivers import IntegrationConfig
from eldonia_ops.notifiers.message import Message
from eldonia_ops.ports import Notifier
from eldonia_ops.protocols.section_reader import SectionReader
from eldonia_ops.template import NotificationData, TemplateSet

C = TypeVar("C", bound=IntegrationConfig)


class NotifierKind(ABC, Generic[C]):
    """One kind of notifier: how it is configured, what it sends and how it delivers.

    An object of it has no state. Rendering happens inside the transaction that decides to notify, so it does no input
    or output; delivering happens later, once or more often, from the payload alone.
    """

    name: str
    """Lower-case letters and digits; the routing file has the configuration under ``<name>_configs``."""
    title: str
    """What pages call it."""
    config: type[Any]
    """A frozen dataclass of declared fields (:mod:`eldonia_ops.protocols.integration_fields`)."""
    templates: str = ""
    """Definitions of default templates, each under a name that begins with the kind's name and a dot."""
    origin: str = ""
    """The distribution of a plug-in; set when it is loaded."""

    def read_globals(self, section: SectionReader) -> Any:
        """Take what the section ``global`` has for this kind; :meth:`read` finds it as ``section.defaults``."""
        return None

    def read(self, section: SectionReader) -> C:
        """The configuration from one element of ``<name>_configs``. What is wrong is noted in the section."""
        return self.config(**section.declared(self.config))

    @abstractmethod
    def render(self, config: C, data: NotificationData, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a notification about a group of alerts, for the outbox: JSON-able, and without secrets.

        A template that fails must not cost the message (:class:`~eldonia_ops.notifiers.expansion.Expansion`).
        """

    @abstractmethod
    def render_message(self, config: C, message: Message, templates: TemplateSet) -> dict[str, Any]:
        """The payload of a message that is not about a group of alerts: an escalation, a recovery, a status."""

    @abstractmethod
    def notifier(self, config: C, client: httpx.AsyncClient) -> Notifier:
        """What delivers payloads. ``client`` is shared by all receivers and kept open."""

    def subject(self, payload: Mapping[str, Any]) -> str:
        """What a payload is about, in one line for the pages; '' when it does not say."""
        return ""


def packaged_templates(package: str) -> str:
    """The text of ``default.tmpl`` in the folder of a notifier."""
    return resources.files(package).joinpath("default.tmpl").read_text("utf-8")
