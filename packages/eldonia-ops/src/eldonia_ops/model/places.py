"""Default places of files and folders."""

import ipaddress
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FILE_NAME: Final = "eldonia-ops.yml"


def default_data(env: Mapping[str, str], home: Path, *, root: bool | None = None) -> Path:
    """The default data folder: /var/lib for root, else the XDG data folder."""
    if root is None:
        root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        return Path("/var/lib/eldonia-ops")
    base = env.get("XDG_DATA_HOME", "")
    # The specification says to ignore a relative value.
    return (Path(base) if os.path.isabs(base) else home / ".local" / "share") / "eldonia-ops"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host. A name other than localhost counts as reachable."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
