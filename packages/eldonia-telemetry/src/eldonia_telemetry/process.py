"""This process's CPU time, memory and descriptors, from ``/proc`` where there is one."""

import os
import resource
import sys
import time
from dataclasses import dataclass

_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
_imported_at = time.time()


@dataclass(frozen=True, slots=True)
class ProcessUsage:
    """Seconds and bytes; None where the system does not report them."""

    cpu_seconds: float
    resident_bytes: int
    virtual_bytes: int | None
    start_time: float
    open_fds: int | None
    max_fds: int
    threads: int | None


def usage() -> ProcessUsage:
    """Measure now. Takes some 20 µs on Linux."""
    times = os.times()
    soft_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    try:
        with open("/proc/self/stat", "rb") as file:
            # The second field, the command, may hold spaces and parentheses: count from its end (proc(5)).
            parts = file.read().rpartition(b")")[2].split()
        return ProcessUsage(
            times.user + times.system,
            int(parts[21]) * _PAGE,
            int(parts[20]),
            _boot_time() + int(parts[19]) / _TICKS,
            len(os.listdir("/proc/self/fd")),
            soft_limit,
            int(parts[17]),
        )
    except (OSError, IndexError, ValueError):
        return ProcessUsage(
            times.user + times.system, peak_resident_bytes(), None, _imported_at, None, soft_limit, None
        )


def resident_bytes() -> int:
    """Memory of this process that is in RAM; where ``/proc`` is missing, the most there ever was."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return peak_resident_bytes()


def peak_resident_bytes() -> int:
    """The largest resident size so far (``ru_maxrss`` is kilobytes on Linux, bytes on macOS)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


_boot: list[float] = []


def _boot_time() -> float:
    if not _boot:
        with open("/proc/stat", "rb") as file:
            for line in file:
                if line.startswith(b"btime "):
                    _boot.append(float(line.split()[1]))
                    break
            else:
                raise OSError("no btime in /proc/stat")
    return _boot[0]
