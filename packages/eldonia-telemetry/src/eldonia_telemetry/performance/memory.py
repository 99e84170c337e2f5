"""How much memory there really is for this process, and how much of it is in use.

The limit is the smallest of the control group's, its parents' (version 2: ``memory.max``, version 1:
``memory.limit_in_bytes``; https://docs.kernel.org/admin-guide/cgroup-v2.html) and the machine's own
memory. In a limited group it is the whole group that runs into the limit, so its use is what
counts: several workers fill one container together. As Kubernetes does, page cache that can be given
back at once (``inactive_file``) is not counted as used.
"""

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from eldonia_telemetry import process

_LOOK_EVERY: Final = 1.0
"""Seconds for which a measurement is good enough."""
_FIND_EVERY: Final = 60.0
_UNLIMITED: Final = 1 << 60
"""Version 1 says "no limit" by a number near 2**63."""


@dataclass(frozen=True, slots=True)
class MemoryLimit:
    """``limit_bytes`` and where it comes from (``cgroup v2``, ``cgroup v1``, ``physical``, ``none``).

    ``usage`` and ``stat`` are the group's files, None where the limit is the machine's.
    """

    limit_bytes: int
    source: str
    usage: Path | None = None
    stat: Path | None = None


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes in use, the limit, and the share of it (0 when there is no limit)."""

    used_bytes: int
    limit_bytes: int
    share: float
    source: str


def find_limit(
    groups: str = "/proc/self/cgroup", root: str = "/sys/fs/cgroup", physical: int | None = None
) -> MemoryLimit:
    """The limit that applies to this process. Files that cannot be read count as no limit."""
    if physical is None:
        physical = _physical()
    best = MemoryLimit(physical, "physical") if physical else MemoryLimit(0, "none")
    for line in _read(Path(groups)).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers == "":
            names, base = ("cgroup v2", "memory.max", "memory.current"), Path(root)
        elif "memory" in controllers.split(","):
            names, base = ("cgroup v1", "memory.limit_in_bytes", "memory.usage_in_bytes"), Path(root, "memory")
        else:
            continue
        source, maximum, usage = names
        # Inside a container the path may be that of the host, which is not there: the root is the group then.
        inner = PurePosixPath(*(part for part in PurePosixPath(path).parts if part not in {"/", ".."}))
        for folder in (inner, *inner.parents):
            text = _read(base / folder / maximum).strip()
            if text.isdigit() and 0 < int(text) < _UNLIMITED and (int(text) < best.limit_bytes or not best.limit_bytes):
                best = MemoryLimit(int(text), source, base / folder / usage, base / folder / "memory.stat")
    return best


def measure(limit: MemoryLimit) -> MemoryUse:
    """How much of the limit is in use now."""
    text = _read(limit.usage).strip() if limit.usage else ""
    used = int(text) - _inactive(limit) if text.isdigit() else process.resident_bytes()
    share = used / limit.limit_bytes if limit.limit_bytes else 0.0
    return MemoryUse(used, limit.limit_bytes, share, limit.source)


_lock = threading.Lock()
_limit = MemoryLimit(0, "none")
_use = MemoryUse(0, 0, 0.0, "none")
_find_at = 0.0
_look_at = 0.0


def current() -> MemoryUse:
    """The use of memory, at most a second old."""
    global _limit, _use, _find_at, _look_at  # noqa: PLW0603
    now = time.monotonic()
    if now >= _look_at and _lock.acquire(blocking=False):
        try:
            if now >= _find_at:
                _limit = find_limit()
                _find_at = now + _FIND_EVERY
            _use = measure(_limit)
            _look_at = now + _LOOK_EVERY
        finally:
            _lock.release()
    return _use


def after_fork() -> None:
    """Another thread may have been measuring when the process forked."""
    global _lock, _look_at  # noqa: PLW0603
    _lock = threading.Lock()
    _look_at = 0.0


def _inactive(limit: MemoryLimit) -> int:
    wanted = "inactive_file" if limit.source == "cgroup v2" else "total_inactive_file"
    for line in _read(limit.stat).splitlines() if limit.stat else ():
        name, _, value = line.partition(" ")
        if name == wanted and value.isdigit():
            return int(value)
    return 0


def _physical() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return 0


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
