"""Judges the facts of a machine. Pure."""

from collections.abc import Iterator
from typing import Final

from eldonia_ops.cli.doctor.findings import Finding, error, note, ok, warning
from eldonia_ops.cli.doctor.machine import Folder, Machine, Port

_MIB: Final = 1 << 20
_GIB: Final = 1 << 30
_NETWORK: Final = ("nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "fuse.glusterfs", "ceph", "fuse.s3fs", "afs")
_MEMORY: Final = ("tmpfs", "ramfs")
_LEAST_FILES: Final = 4096
_LEAST_MEMORY: Final = 600 * _MIB


def judge_machine(machine: Machine) -> Iterator[Finding]:
    """Findings about disk, clock, limits, permissions, versions and ports."""
    yield from _disk(machine.folder)
    yield from _clock(machine)
    yield from _limits(machine)
    yield from _permissions(machine)
    yield ok("versions", ", ".join(f"{name} {version}" for name, version in machine.versions.items()))
    for port in machine.ports:
        yield from _port(port, machine.process.pid if machine.process else 0)


def _disk(folder: Folder) -> Iterator[Finding]:
    free = folder.free / folder.total if folder.total else 0
    said = f"{_size(folder.free)} of {_size(folder.total)} are free ({free:.0%}) where {folder.path} is"
    if folder.free < 512 * _MIB or free < 0.03:
        means = "when it is full, telemetry is refused and alerts cannot be stored"
        yield error("disk", said, means, "make room, or write a shorter retention: in the settings")
    elif folder.free < 2 * _GIB or free < 0.10:
        yield warning("disk", said, "it may be full soon", "make room, or write a shorter retention: in the settings")
    else:
        yield ok("disk", said + (f"; {_size(folder.used)} are ours" if folder.exists else ""))
    if folder.inodes_free is not None and folder.inodes_free < 10_000:
        means = "no file can be made when none is left, whatever room there is"
        yield warning("disk", f"{folder.inodes_free} more files can be made on this disk", means, "remove small files")
    if folder.kind in _MEMORY:
        means = "everything is lost when the machine restarts"
        yield error("disk", f"{folder.path} is in memory ({folder.kind})", means, "choose another folder: data")
    elif folder.kind in _NETWORK:
        means = "SQLite and ClickHouse need locks and syncs that network file systems do not always keep"
        yield warning(
            "disk", f"{folder.path} is on a network ({folder.kind})", means, "choose a folder on a disk: data"
        )
    if folder.sync_ms is not None and folder.sync_ms > 100:
        means = "each batch of telemetry and each alert waits so long until it is on disk"
        said = f"a small synced write takes {folder.sync_ms:.0f} ms"
        if folder.rotating:
            said += "; the disk turns"
        yield warning("disk", said, means, "use an SSD, or find what else keeps the disk busy")
    elif folder.sync_ms is not None:
        yield ok("disk", f"a small synced write takes {folder.sync_ms:.1f} ms; file system {folder.kind or 'unknown'}")


def _clock(machine: Machine) -> Iterator[Finding]:
    if machine.folder.ahead_ms > 5_000:
        seconds = machine.folder.ahead_ms / 1000
        means = "the clock was set back: what was stored under the later clock is ahead of now"
        yield warning(
            "clock", f"a file in the data folder is {seconds:.0f} s ahead of the clock", means, "keep time by NTP"
        )
    clock = machine.clock
    if clock is None:
        yield note("clock", "the kernel does not say whether the clock is kept right", do="look at timedatectl")
    elif not clock.synchronised:
        means = "alerts, logs and traces of several machines do not fit together when clocks differ"
        do = "run chrony or systemd-timesyncd (in a container or a virtual machine: on its host)"
        yield warning("clock", "nothing keeps the clock right: it is not synchronised by NTP", means, do)
    else:
        yield ok("clock", f"synchronised; the kernel's bound on its error is {clock.largest_error_ms:.0f} ms")


def _limits(machine: Machine) -> Iterator[Finding]:
    process = machine.process
    limit = process.files_limit if process and process.files_limit is not None else machine.files_limit
    used = process.open_files if process else None
    said = f"{used} of {limit} file descriptors are in use" if used is not None else f"{limit} file descriptors"
    do = "ulimit -n 65536 before the start, or LimitNOFILE=65536 in the unit (install-service writes it)"
    if limit != -1 and used is not None and used > limit * 0.8:
        yield error("limits", said, "connections and files are refused when none is left", do)
    elif limit != -1 and limit < _LEAST_FILES:
        yield warning("limits", said, "many clients or log files at once need more", do)
    else:
        yield ok("limits", said)
    room = min(machine.memory_available, machine.memory_limit or machine.memory_available)
    if room < _LEAST_MEMORY and process is None:
        means = "the embedded database needs some 400 MB, and more for heavy queries"
        yield warning("limits", f"{_size(room)} of memory are free", means, "give the machine or the container more")
    elif machine.memory_limit is not None and machine.memory_limit < _GIB:
        means = "a heavy query may have the kernel end the platform"
        yield warning("limits", f"memory is bounded to {_size(machine.memory_limit)}", means, "give it 1 GiB or more")
    else:
        yield ok("limits", f"{_size(machine.memory_available)} of memory are free")


def _permissions(machine: Machine) -> Iterator[Finding]:
    folder = machine.folder
    if not folder.exists:
        yield note("permissions", f"{folder.path} is not there yet; the first start makes it")
    elif folder.mode & 0o002:
        means = "every user of this machine may replace tokens and alerts; the platform does not start so"
        yield error("permissions", f"everybody may write into {folder.path}", means, f"chmod o-w {folder.path}")
    elif folder.owner not in (machine.user, 0) and machine.user != 0:
        means = "the platform does not start as this user"
        yield error(
            "permissions",
            f"{folder.path} belongs to another user",
            means,
            "run it as that user, or choose another data",
        )
    elif folder.mode & 0o077:
        means = "other users may see names of files there; what is in them stays closed"
        yield note(
            "permissions", f"{folder.path} is open to others ({folder.mode:o})", means, f"chmod 700 {folder.path}"
        )
    else:
        yield ok("permissions", f"{folder.path} is closed to others")
    for file in machine.secret_files:
        if file.mode & 0o004:
            means = "every user of this machine can read the secrets in it"
            grave = error if file.is_key else warning
            said = f"{file.path} holds {file.what} and is open to all"
            yield grave("permissions", said, means, f"chmod o-rwx {file.path}")


def _port(port: Port, ours: int) -> Iterator[Finding]:
    if port.listener and port.pid and port.pid == ours:
        yield ok("ports", f"{port.name} listens on {port.address}")
    elif port.listener and not ours:
        who = f"{port.listener} (process {port.pid})" if port.pid else "another program"
        means = "the platform does not start: it takes all of its ports or none"
        yield error(
            "ports", f"{port.address} for {port.name} is taken by {who}", means, "stop that one, or change the port"
        )
    elif not port.listener and ours:
        means = "the settings were changed and not reloaded, or the listener could not be opened"
        yield warning("ports", f"nothing listens on {port.address} for {port.name}", means, "eldonia-ops reload")
    elif not port.listener:
        yield ok("ports", f"{port.address} for {port.name} is free")


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"
