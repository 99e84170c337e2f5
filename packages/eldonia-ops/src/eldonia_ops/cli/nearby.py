"""The settings that a command is run beside: where the platform that they describe listens, and where its data is."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eldonia_ops.cli.client import DEFAULT_URL
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.model.places import FILE_NAME, default_data

INSTALLED: Final = Path("/etc/eldonia-ops") / FILE_NAME
"""Where ``install-service`` puts the settings."""
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what is read, not what is bound


@dataclass(frozen=True, slots=True)
class Nearby:
    """A platform by its settings. ``file`` is None for the defaults alone; ``passed_over`` says why a file that lies
    here was not used."""

    url: str
    data: Path
    file: Path | None = None
    passed_over: str = ""


def settings_here(given: Path | None = None) -> Path | None:
    """The settings to use: those given, eldonia-ops.yml in this folder, or those of the installed service."""
    if given is not None:
        return given
    here = Path(os.path.abspath(FILE_NAME))
    if here.is_file():
        return here
    try:
        return INSTALLED if INSTALLED.is_file() else None
    except OSError:  # closed to this user
        return None


def is_trusted(file: Path) -> bool:
    """Whether a file that merely lies here may say where tokens are sent and what is run: it is this user's or
    root's, and not open for all to write."""
    try:
        found = file.stat()
    except OSError:
        return True  # reading it says why
    return found.st_uid in (os.geteuid(), 0) and not found.st_mode & 0o002


def nearby() -> Nearby:
    """The platform that belongs to this folder, or the default one."""
    data = default_data(os.environ, Path(os.environ.get("HOME") or os.path.expanduser("~")))
    file = settings_here()
    if file is None:
        return Nearby(DEFAULT_URL, data)
    if not is_trusted(file):
        return Nearby(DEFAULT_URL, data, passed_over=f"{file} is not used: another user may write it")
    from eldonia_ops.protocols.text_file import read_text_file
    from eldonia_ops.settings import examine_settings

    try:
        settings, _ = examine_settings(read_text_file(file), file, os.environ, missing=Level.WARNING)
    except ConfigError as error:
        return Nearby(DEFAULT_URL, data, passed_over=f"{file} is not used: {error.diagnostics[0].message}")
    host = _EVERY_ADDRESS.get(settings.listen.host, settings.listen.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    if settings.tls.enabled:
        return Nearby(settings.address, settings.data, file)
    return Nearby(f"http://{host}:{settings.listen.port}", settings.data, file)
