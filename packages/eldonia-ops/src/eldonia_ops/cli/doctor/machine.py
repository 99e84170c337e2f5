"""Facts of this machine and of the data folder, for reading alone but for one file that measures the disk."""

import contextlib
import ctypes
import errno
import importlib.metadata
import os
import platform
import resource
import socket
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from eldonia_ops import __version__
from eldonia_ops.app.data_directory import LOCK_FILE

_SYNCS: Final = 5
SECRETS: Final = "secrets"
"""What files of settings may hold."""
_ADMIN: Final = "the admin token"
_MOST_FILES: Final = 20_000


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder and its disk. ``kind`` is the file system, ``rotating`` whether the disk turns (None: unknown);
    ``sync_ms`` the median time of a small synced write, None where nothing may be written. ``ahead_ms`` is by how much
    the newest file in it is ahead of the clock."""

    path: Path
    exists: bool
    owner: int = 0
    mode: int = 0
    total: int = 0
    free: int = 0
    inodes_free: int | None = None
    kind: str = ""
    rotating: bool | None = None
    sync_ms: float | None = None
    used: int = 0
    ahead_ms: int = 0


@dataclass(frozen=True, slots=True)
class KernelClock:
    """What the kernel says of its clock (adjtimex(2)): whether something keeps it right, and the largest error (ms)."""

    synchronised: bool
    largest_error_ms: float


@dataclass(frozen=True, slots=True)
class Process:
    """The platform's process, as the lock of the data folder names it. Limits are -1 without one."""

    pid: int
    open_files: int | None = None
    files_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Port:
    """A port of the settings: who listens on it, ``''`` for no one; ``?`` where that cannot be seen."""

    name: str
    address: str
    listener: str
    pid: int = 0


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file with secrets, and its mode. ``is_key``: who reads it may do what the platform may."""

    path: Path
    mode: int
    what: str
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything of this machine. Sizes are bytes."""

    folder: Folder
    clock: KernelClock | None
    memory_available: int
    memory_limit: int | None
    files_limit: int
    versions: dict[str, str]
    process: Process | None = None
    ports: tuple[Port, ...] = ()
    secret_files: tuple[SecretFile, ...] = ()
    user: int = field(default_factory=os.geteuid)


def look(data: Path, addresses: dict[str, tuple[str, int]], secret_files: dict[Path, str]) -> Machine:
    """Gather the facts. ``addresses`` are ports of the settings by name, ``secret_files`` files by what they hold."""
    return Machine(
        folder=folder_facts(data),
        clock=kernel_clock(),
        memory_available=psutil.virtual_memory().available,
        memory_limit=_memory_limit(),
        files_limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0],
        versions=versions(),
        process=running_process(data),
        ports=tuple(_ports(addresses)),
        secret_files=tuple(_modes({data / "admin.token": _ADMIN, **secret_files})),
    )


def folder_facts(path: Path) -> Folder:
    """The folder, or the nearest one above it that exists."""
    there = path
    while not there.exists() and there != there.parent:
        there = there.parent
    space = os.statvfs(there)
    kind, rotating = _disk(there)
    common = {
        "total": space.f_frsize * space.f_blocks,
        "free": space.f_frsize * space.f_bavail,
        "inodes_free": space.f_favail if space.f_files else None,
        "kind": kind,
        "rotating": rotating,
    }
    if there != path:
        return Folder(path, exists=False, **common)
    status = path.stat()
    used, newest = _files(path)
    return Folder(
        path,
        exists=True,
        owner=status.st_uid,
        mode=status.st_mode & 0o7777,
        sync_ms=_sync_ms(path),
        used=used,
        ahead_ms=max(0, round((newest - time.time()) * 1000)),
        **common,
    )


def _files(path: Path) -> tuple[int, float]:
    """Bytes in a folder, and when the newest file in it was written (Unix seconds); in bounds."""
    used, newest, seen = 0, 0.0, 0
    for folder, _, names in os.walk(path):
        for name in names:
            seen += 1
            if seen > _MOST_FILES:
                return used, newest
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(folder, name))
                used += status.st_blocks * 512
                newest = max(newest, status.st_mtime)
    return used, newest


def _disk(path: Path) -> tuple[str, bool | None]:
    """The file system of a path, and whether its disk turns."""
    device = path.stat().st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    kind = ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text("utf-8", "replace").splitlines():
            fields, _, rest = line.partition(" - ")
            if fields.split()[2] == name:
                kind = rest.split()[0]
    turning = None
    for place in (f"/sys/dev/block/{name}/queue/rotational", f"/sys/dev/block/{name}/../queue/rotational"):
        with contextlib.suppress(OSError):
            turning = Path(place).read_text().strip() == "1"
            break
    return kind, turning


def _sync_ms(path: Path) -> float | None:
    """The median time of some small synced writes, as each batch of telemetry takes one; None without the right."""
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            times: list[float] = []
            for _ in range(_SYNCS):
                os.write(file.fileno(), b"\0" * 4096)
                begun = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - begun) * 1000)
            return statistics.median(times)
    except OSError:
        return None


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2), as far as it is read; the rest is room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("room", ctypes.c_char * 512),
    )


_UNSYNCHRONISED: Final = 0x0040  # STA_UNSYNC


def kernel_clock() -> KernelClock | None:
    """What the kernel says of its clock; None where it may not be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        answer = _Timex()
        if libc.adjtimex(ctypes.byref(answer)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return KernelClock(not answer.status & _UNSYNCHRONISED, answer.maxerror / 1000)


def _memory_limit() -> int | None:
    """What the control group of this process may take, None without a bound."""
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            limit = int(Path(place).read_text().strip())
            return limit if limit < 1 << 60 else None
    return None


def versions() -> dict[str, str]:
    """Versions of what the platform rests on."""
    found = {
        "eldonia-ops": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "kernel": platform.release(),
    }
    with contextlib.suppress(ValueError, OSError):
        found["glibc"] = (os.confstr("CS_GNU_LIBC_VERSION") or "").removeprefix("glibc ")
    for name in ("chdb", "chdb-core", "psycopg", "redis"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def running_process(data: Path) -> Process | None:
    """The process that holds the data folder; None where no one does."""
    try:
        pid = int((data / LOCK_FILE).read_text().strip())
        process = psutil.Process(pid)
        if "eldonia" not in " ".join(process.cmdline()):
            return None  # it has ended, and its number was given to another
    except (OSError, ValueError, psutil.Error):
        return None
    files = limit = None
    with contextlib.suppress(psutil.Error, OSError):
        files = process.num_fds()
        limit = process.rlimit(psutil.RLIMIT_NOFILE)[0]
    return Process(pid, files, limit)


def _ports(addresses: dict[str, tuple[str, int]]) -> Iterator[Port]:
    try:
        listening = {
            int(one.laddr[1]): one.pid or 0
            for one in psutil.net_connections("tcp")
            if one.status == psutil.CONN_LISTEN and one.laddr
        }
    except (psutil.Error, OSError):
        listening = {}
    for name, (host, port) in addresses.items():
        shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if port in listening:
            pid = listening[port]
            try:
                yield Port(name, shown, psutil.Process(pid).name() if pid else "?", pid)
            except psutil.Error:
                yield Port(name, shown, "?")
        elif port:
            yield Port(name, shown, "" if _is_free(host, port) else "?")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as fault:
        return fault.errno != errno.EADDRINUSE
    return True


def _modes(files: dict[Path, str]) -> Iterator[SecretFile]:
    for path, what in files.items():
        with contextlib.suppress(OSError):
            yield SecretFile(path, path.stat().st_mode & 0o7777, what, is_key=what != SECRETS)
