"""The section ``journal`` of the settings."""

from dataclasses import dataclass
from typing import Annotated, Final

from eldonia_ops.settings.containers import Section, Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag
from eldonia_ops.settings.texts import Text


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Whether, and of what, systemd's journal is followed."""

    enabled: Annotated[
        bool, Setting(Flag(), "Follows the journal by `journalctl`, from now on and after a restart from where it was.")
    ] = False
    units: Annotated[tuple[str, ...], Setting(Texts(), "Only entries of these units, such as `nginx.service`.")] = ()
    directory: Annotated[
        str, Setting(Text(), "The folder of another journal, such as that of the host in a container.")
    ] = ""


SECTION: Final = Setting(Section(JournalSettings), "systemd's journal.")
