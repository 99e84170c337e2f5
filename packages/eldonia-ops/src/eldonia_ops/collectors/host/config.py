"""The section ``host`` of the settings."""

from dataclasses import dataclass
from typing import Annotated, Final

from eldonia_ops.settings.containers import Section
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Flag, Period
from eldonia_ops.settings.units import SECOND


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Whether, and how often, this machine's own CPU, memory, disks and network are read."""

    enabled: Annotated[bool, Setting(Flag(), 'Reads this machine, under node_exporter\'s names, as `job="node"`.')] = (
        True
    )
    interval: Annotated[int, Setting(Period(minimum=SECOND), "Time from one reading to the next.")] = 15 * SECOND


SECTION: Final = Setting(Section(HostSettings), "This machine.")
