"""What this machine's kernel says: who listens where, which log files are open or were written to lately."""

import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from eldonia_ops.discovery.facts import Listener, Program, SeenLog
from eldonia_ops.discovery.log_files import is_left_out

LOG_FOLDER: Final = Path("/var/log")
_MOST_LISTENERS: Final = 200
_MOST_LOGS: Final = 200
_MOST_FOLDERS: Final = 200
_DEPTH: Final = 2
_RECENT_SECONDS: Final = 7 * 86_400
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}  # noqa: S104 - what is read, not what is bound
_ROTATED: Final = (".gz", ".bz2", ".xz", ".zst", ".1", ".0", ".old")


def programs_by_pid() -> dict[int, Program]:
    """Every process that this user may see, by its id."""
    found: dict[int, Program] = {}
    for process in psutil.process_iter():
        try:
            found[process.pid] = Program(process.name(), tuple(process.cmdline()[:50]), _unit(process.pid))
        except (psutil.Error, OSError):
            continue  # it has ended
    return found


def _unit(pid: int) -> str:
    """The systemd unit of a process, by its control group; empty without one."""
    try:
        text = Path(f"/proc/{pid}/cgroup").read_text("utf-8", "replace")
    except OSError:
        return ""
    parts = [part for line in text.splitlines() for part in line.rpartition(":")[2].split("/")]
    return next((part for part in reversed(parts) if part.endswith(".service")), "")


def listeners(programs: dict[int, Program]) -> tuple[list[Listener], list[str]]:
    """TCP ports that are listened on, each once, by port; and what could not be seen."""
    try:
        connections = psutil.net_connections("tcp")
    except (psutil.Error, OSError) as error:
        return [], [f"which ports are listened on ({error})"]
    found: dict[int, Listener] = {}
    hidden = 0
    for one in connections:
        if one.status != psutil.CONN_LISTEN or not one.laddr:
            continue
        host, port = str(one.laddr[0]), int(one.laddr[1])
        program = programs.get(one.pid or 0, Program())
        hidden += not program.name and port not in found
        listener = Listener(_ANY.get(host, host), port, program)
        known = found.get(port)
        # Loopback is reachable for us alone, so it is the address to look at where there is one.
        if known is None or (_is_loopback(listener.host) and not _is_loopback(known.host)):
            found[port] = listener
    ports = f"the program behind {hidden} port{'' if hidden == 1 else 's'}"
    # Root sees every process of this system; what is left belongs to the kernel or to a container.
    reason = (
        "it is in a container or in the kernel" if os.geteuid() == 0 else "this user may not see it; run init with sudo"
    )
    said = [f"{ports}, since {reason}"] if hidden else []
    if len(found) > _MOST_LISTENERS:
        said.append(f"{len(found) - _MOST_LISTENERS} of {len(found)} ports, since there are so many")
    return sorted(found.values(), key=lambda one: one.port)[:_MOST_LISTENERS], said


def _is_loopback(host: str) -> bool:
    return host.startswith("127.") or host == "::1"


def sockets_of_postgresql() -> tuple[str, ...]:
    """Paths of Unix sockets that PostgreSQL listens on."""
    try:
        found = {str(one.laddr) for one in psutil.net_connections("unix")}
    except (psutil.Error, OSError):
        return ()
    return tuple(sorted(path for path in found if Path(path).name.startswith(".s.PGSQL.")))


def logs(programs: dict[int, Program], folder: Path = LOG_FOLDER) -> tuple[list[SeenLog], list[str]]:
    """Log files that programs have open to write, and those in the folder that were written to in the last week."""
    now = time.time()
    found: dict[str, SeenLog] = {}
    said: list[str] = []
    for pid, program in programs.items():
        if pid == os.getpid():
            continue
        try:
            opened = psutil.Process(pid).open_files()
        except (psutil.Error, OSError):
            continue  # of another user
        for file in opened:
            path = Path(file.path)
            written = getattr(file, "mode", "") in ("w", "a", "a+", "r+", "w+")
            if written and path.suffix == ".log" and not is_left_out(str(path), str(folder)):
                found.setdefault(str(path), SeenLog(str(path), os.access(path, os.R_OK), program))
    for path in _walk(folder, said):
        if str(path) not in found and not path.name.endswith(_ROTATED) and not is_left_out(str(path), str(folder)):
            try:
                status = path.stat()
            except OSError:
                continue
            recent = status.st_size and now - status.st_mtime < _RECENT_SECONDS
            if stat.S_ISREG(status.st_mode) and recent and _is_log(path):
                found[str(path)] = SeenLog(str(path), os.access(path, os.R_OK))
    if len(found) > _MOST_LOGS:
        said.append(f"{len(found) - _MOST_LOGS} of {len(found)} log files, since there are so many")
    return sorted(found.values(), key=lambda one: one.path)[:_MOST_LOGS], said


def _is_log(path: Path) -> bool:
    return path.suffix in (".log", ".err", ".json", ".jsonl") or path.name in ("syslog", "messages", "secure")


def _walk(folder: Path, said: list[str]) -> Iterator[Path]:
    """Files in a folder and the folders below, in bounds."""
    waiting = [(folder, 0)]
    seen = 0
    while waiting and seen < _MOST_FOLDERS:
        here, depth = waiting.pop()
        seen += 1
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            said.append(f"{here} ({(error.strerror or str(error)).lower()})")
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if depth < _DEPTH and not is_left_out(f"{entry.path}/x", str(folder)):
                    waiting.append((Path(entry.path), depth + 1))
            else:
                yield Path(entry.path)


def hostname() -> str:
    """The name of this machine."""
    return socket.gethostname()
