"""What the figures were taken on: enough to judge them, nothing that names the machine or its folders."""

import os
import platform
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from benchmarks.postgresql import programs as postgresql_programs
from benchmarks.prometheus import PROGRAM as PROMETHEUS

_PACKAGES = (
    "eldonia-ops",
    "eldonia-telemetry",
    "chdb-core",
    "fastapi",
    "msgspec",
    "numpy",
    "orjson",
    "prometheus-client",
    "prometheus-fastapi-instrumentator",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation-fastapi",
    "protobuf",
    "SQLAlchemy",
    "structlog",
)


def machine_line() -> str:
    """Processor, cores, memory, system, and the file system that the data lay on."""
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return (
        f"{_processor()}, {psutil.cpu_count()} cores, {memory:.0f} GiB memory, {platform.system()} "
        f"{platform.machine()}, data on {_file_system()}; load average when it began: {load}"
    )


def versions_line() -> str:
    """Python and what is compared, with versions; what is not installed is left out."""
    found = [f"{platform.python_implementation()} {platform.python_version()}"]
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    if PROMETHEUS is not None:
        found.append(f"Prometheus {_said([PROMETHEUS, '--version'], 2)}")
    if (programs := postgresql_programs()) is not None:
        found.append(f"PostgreSQL {_said([str(programs / 'postgres'), '--version'], 2)}")
    return ", ".join(found)


def _said(command: list[str], word: int) -> str:
    try:
        notified = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
        return (notified.stdout or notified.stderr).split()[word]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "(version unknown)"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown processor"


def _file_system() -> str:
    folder = os.path.realpath(tempfile.gettempdir())
    mounts = [item for item in psutil.disk_partitions(all=True) if _below(folder, item.mountpoint)]
    return max(mounts, key=lambda item: len(item.mountpoint)).fstype if mounts else "an unknown file system"


def _below(folder: str, mount: str) -> bool:
    return folder == mount or folder.startswith(mount.rstrip("/") + "/")
