"""Services, and which of them depend on which."""

from dataclasses import dataclass
from typing import Annotated

from eldonia_ops.alerting.causes import services_of
from eldonia_ops.settings.containers import Texts
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.reader import SettingsReader
from eldonia_ops.settings.texts import Text


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """A service by the name that alerts have in their label ``service``."""

    name: Annotated[str, Setting(Text(), "The value of the label `service` of its alerts.")]
    depends_on: Annotated[
        tuple[str, ...],
        Setting(Texts(), "Services without which it does not work. While one of them is down its alerts are not sent."),
    ] = ()


def check_services(readers: list[SettingsReader], found: tuple[ServiceSettings, ...]) -> None:
    """Note a circle of services that depend on each other."""
    try:
        services_of({one.name: one.depends_on for one in found})
    except ValueError as error:
        readers[0].problems.add(readers[0].node, str(error), "leave out one of them")
