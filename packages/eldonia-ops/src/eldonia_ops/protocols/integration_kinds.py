"""What reading a routing file needs to know of the kinds of integrations (slack, webhook, …) that there are."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from eldonia_ops.alerting.receivers import IntegrationConfig
from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.protocols.section_reader import SectionReader


class IntegrationKind(Protocol):
    """One kind, written in the file as ``<name>_configs``."""

    @property
    def name(self) -> str:
        """Lower-case letters and digits, such as ``slack``."""
        ...

    @property
    def config(self) -> type[IntegrationConfig]:
        """A frozen dataclass."""
        ...

    @property
    def templates(self) -> str:
        """Definitions of the default templates, each under a name that begins with the kind's and a dot."""
        ...

    @property
    def origin(self) -> str:
        """The distribution of a plug-in, with its version; '' for a kind that is built in."""
        ...

    def read_globals(self, section: SectionReader) -> Any:
        """What the section ``global`` has for this kind; given back as ``section.defaults``."""
        ...

    def read(self, section: SectionReader) -> IntegrationConfig:
        """One element of the list."""
        ...


class IntegrationKinds(Protocol):
    """The kinds that there are."""

    @property
    def kinds(self) -> Sequence[IntegrationKind]:
        """In the order in which a receiver's integrations are notified."""
        ...

    @property
    def absent(self) -> Mapping[str, str]:
        """Kinds that a plug-in has announced and not provided, with the reasons."""
        ...

    @property
    def faults(self) -> Sequence[Diagnostic]:
        """What is wrong with plug-ins."""
        ...
