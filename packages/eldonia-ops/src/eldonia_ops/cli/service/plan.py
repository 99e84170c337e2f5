"""The steps of installing and removing the service, as values. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eldonia_ops.cli.service.unit import NAME, USER, Service, unit_text

UNITS: Final = Path("/etc/systemd/system")
SETTINGS: Final = Path("/etc/eldonia-ops")


@dataclass(frozen=True, slots=True)
class Command:
    """A program to run. ``needed`` says whether a failure ends the installation."""

    words: tuple[str, ...]
    why: str
    needed: bool = True


@dataclass(frozen=True, slots=True)
class WriteFile:
    """A file to write, with its mode and the group that may read it (``""``: root's)."""

    path: Path
    text: str
    mode: int
    why: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class MakeFolder:
    """A folder to make."""

    path: Path
    mode: int
    why: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class RemoveFile:
    """A file to remove."""

    path: Path
    why: str


Step = Command | WriteFile | MakeFolder | RemoveFile


@dataclass(frozen=True, slots=True)
class Present:
    """What there is already. ``settings`` is the text for a new file of settings, empty where there is one."""

    user: bool
    systemd: bool
    settings: str = ""
    environment: bool = False
    verifier: bool = False


def installing(service: Service, present: Present) -> Iterator[Step]:
    """The steps, in their order. Every step may be done twice, so an upgrade is the same command again."""
    if not present.user:
        words = ("useradd", "--system", "--home-dir", str(service.data), "--no-create-home", "--user-group")
        yield Command((*words, "--shell", "/usr/sbin/nologin", USER), "a user of its own, who cannot sign in")
    yield MakeFolder(service.config.parent, 0o750, "settings", USER)
    if present.settings:
        yield WriteFile(service.config, present.settings, 0o640, "what init proposes for this machine", USER)
    if not present.environment:
        text = "# NAME=value lines for ${NAME} in the settings. Readable by root alone: systemd hands them on.\n"
        yield WriteFile(SETTINGS / "environment", text, 0o600, "secrets")
    yield WriteFile(UNITS / NAME, unit_text(service), 0o644, "the unit")
    if present.verifier:
        yield Command(("systemd-analyze", "verify", str(UNITS / NAME)), "systemd reads it without a fault")
    if present.systemd:
        yield Command(("systemctl", "daemon-reload"), "systemd reads the unit")
        yield Command(("systemctl", "enable", NAME), "it starts with the machine")
        yield Command(("systemctl", "restart", NAME), "it starts now")


def removing(present: Present) -> Iterator[Step]:
    """The steps back. Settings, data and the user stay."""
    if present.systemd:
        yield Command(("systemctl", "disable", "--now", NAME), "it stops, now and for good", needed=False)
    yield RemoveFile(UNITS / NAME, "the unit")
    if present.systemd:
        yield Command(("systemctl", "daemon-reload"), "systemd forgets the unit")
