"""The data folder, which holds the admin token and everything that is known."""

import os
import stat
from pathlib import Path

from eldonia_ops.model.errors import ConfigError, Diagnostic


def own_folder(path: Path) -> None:
    """Make the data folder, closed to others, or see that the one that is there is nobody else's.

    Raises:
        ConfigError: it cannot be made; or another user owns it or everybody may write there, so that token and state
            could be swapped.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = path.stat()
    except OSError as error:
        hint = "choose another folder with --data, or data in the settings"
        raise ConfigError(
            Diagnostic(f"the data folder cannot be made: {error.strerror}", str(path), hint=hint)
        ) from None
    if found.st_uid not in (os.geteuid(), 0):
        hint = "choose another folder with --data, or make it yours"
        raise ConfigError(Diagnostic("the data folder belongs to another user", str(path), hint=hint))
    if found.st_mode & stat.S_IWOTH:
        hint = f"close it: chmod o-w {path}"
        raise ConfigError(Diagnostic("everybody may write into the data folder", str(path), hint=hint))
