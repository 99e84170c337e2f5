"""This host's CPU, memory, disks, filesystems, network and load under node_exporter's names.

Names and labels: https://github.com/prometheus/node_exporter (collectors cpu, meminfo, loadavg, filesystem,
diskstats, netdev, stat, vmstat, uname, filefd, time, boottime). Linux figures come from /proc, the others from psutil.
"""

import asyncio
import os
import platform
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from eldonia_ops.collectors.poll_loop import Reading
from eldonia_ops.model.samples import MetricMetadata, MetricType

_PROC: Final = Path("/proc")
# What the node exporter takes of /proc/vmstat unless asked for more.
_VMSTAT = ("oom_kill", "pgpg", "pswp")
_MEMINFO = re.compile(r"^([^:\n]+):[ \t]+(\d+)( kB)?$", re.MULTILINE)
_CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_PSEUDO_FILESYSTEMS = frozenset(
    (
        *("autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs"),
        *("efivarfs", "fuse.lxcfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "procfs", "pstore"),
        *("rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"),
        # Media that are full from the day they are made.
        *("erofs", "iso9660", "squashfs", "udf"),
    )
)
_REMOTE_FILESYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "fuse.sshfs", "fuse.s3fs", "afs", "ncpfs")
)
_SKIPPED_MOUNTS = ("/dev", "/proc", "/sys", "/run/credentials", "/var/lib/docker/", "/var/lib/containers/storage/")
# In memory and everybody's: a full one stops programs. The node exporter leaves it out with the rest of /dev.
_KEPT_MOUNTS = ("/dev/shm",)  # noqa: S108 - looked at, not written to
_DISK_PARTITION = re.compile(r"^(?:ram|loop|fd|(?:h|s|v|xv)d[a-z]+\d+$|nvme\d+n\d+p\d+$|mmcblk\d+p\d+$)")
_STAT_LINES = {
    "ctxt": "node_context_switches_total",
    "processes": "node_forks_total",
    "procs_running": "node_procs_running",
    "procs_blocked": "node_procs_blocked",
}

_HELP: Final = {
    "node_cpu_seconds_total": "CPU time used, by CPU and mode.",
    "node_memory_MemTotal_bytes": "Main memory that the kernel can use.",
    "node_memory_MemAvailable_bytes": "Main memory that programs could get without swapping.",
    "node_load1": "Average number of running or waiting tasks over 1 minute.",
    "node_load5": "Average number of running or waiting tasks over 5 minutes.",
    "node_load15": "Average number of running or waiting tasks over 15 minutes.",
    "node_filesystem_size_bytes": "How much a filesystem can hold.",
    "node_filesystem_free_bytes": "Room left on a filesystem, the part reserved for root included.",
    "node_filesystem_avail_bytes": "Room left on a filesystem for ordinary users.",
    "node_network_receive_bytes_total": "Bytes that came in over a network device.",
    "node_network_transmit_bytes_total": "Bytes that went out over a network device.",
    "node_disk_read_bytes_total": "Bytes read from a disk.",
    "node_disk_written_bytes_total": "Bytes written to a disk.",
    "node_disk_io_time_seconds_total": "Time during which a disk was busy.",
    "node_boot_time_seconds": "When the host was started, Unix time.",
    "node_time_seconds": "The host's clock, Unix time.",
    "node_uname_info": "Name and release of the kernel, in labels.",
    "node_context_switches_total": "Context switches since the start.",
    "node_forks_total": "Processes created since the start.",
    "node_vmstat_pgmajfault": "Page faults that had to read from disk since the start.",
    "node_vmstat_oom_kill": "Processes that the kernel ended for want of memory since the start.",
    "node_procs_running": "Tasks that could run now.",
    "node_procs_blocked": "Tasks that wait for I/O.",
    "node_scrape_collector_success": "Whether a part of the host's figures could be read.",
}


def _is_counter(name: str) -> bool:
    """Those of vmstat count, though their names do not say so."""
    return name.endswith("_total") or name.startswith("node_vmstat_")


METADATA: Final = tuple(
    MetricMetadata(name, MetricType.COUNTER if _is_counter(name) else MetricType.GAUGE, text)
    for name, text in _HELP.items()
)


class HostSource:
    """Reads this host. Implements :class:`~eldonia_ops.collectors.poll_loop.Source`."""

    async def measure(self) -> tuple[list[Reading], str]:
        """All readings, taken on a thread since a filesystem may be slow to answer; faults in words."""
        return await asyncio.to_thread(read_host)

    async def close(self) -> None:
        """Nothing is kept."""


def read_host() -> tuple[list[Reading], str]:
    """All readings. A part that cannot be read is named in the text; what of it was read before counts."""
    found: list[Reading] = []
    faults: list[str] = []
    for part in (_cpu, _memory, _load, _filesystems, _network, _disks, _stat, _vmstat, _system):
        name = part.__name__.strip("_")
        success = True
        try:
            for reading in part():
                found.append(reading)  # noqa: PERF402 - extend() would lose what came before a fault
        except Exception as error:  # noqa: BLE001 - whatever a kernel writes, the other parts are read
            success = False
            faults.append(f"{name}: {error}" if str(error) else f"{name}: {type(error).__name__}")
        found.append(("node_scrape_collector_success", {"collector": name}, float(success)))
    found.append(("up", {}, 1.0))
    return found, "; ".join(faults)


def _cpu() -> Iterator[Reading]:
    for number, times in enumerate(psutil.cpu_times(percpu=True)):
        for mode in _CPU_MODES:
            seconds = getattr(times, mode, None)
            if seconds is not None:
                yield "node_cpu_seconds_total", {"cpu": str(number), "mode": mode}, seconds


def _memory() -> Iterator[Reading]:
    try:
        text = (_PROC / "meminfo").read_text()
    except FileNotFoundError:
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        yield "node_memory_MemTotal_bytes", {}, memory.total
        yield "node_memory_MemAvailable_bytes", {}, memory.available
        yield "node_memory_MemFree_bytes", {}, memory.free
        yield "node_memory_SwapTotal_bytes", {}, swap.total
        yield "node_memory_SwapFree_bytes", {}, swap.free
        return
    for key, value, kilobytes in _MEMINFO.findall(text):
        name = re.sub(r"[^A-Za-z0-9_]+", "_", key).strip("_")
        yield f"node_memory_{name}{'_bytes' if kilobytes else ''}", {}, int(value) * (1024 if kilobytes else 1)


def _load() -> Iterator[Reading]:
    for name, value in zip(("node_load1", "node_load5", "node_load15"), os.getloadavg(), strict=True):
        yield name, {}, value


def _filesystems() -> Iterator[Reading]:
    seen: set[str] = set()
    for part in psutil.disk_partitions(all=True):
        mount = part.mountpoint
        # A remote filesystem may hang for minutes; it is not this host's own anyway.
        if part.fstype in _PSEUDO_FILESYSTEMS or part.fstype in _REMOTE_FILESYSTEMS or mount in seen:
            continue
        if mount not in _KEPT_MOUNTS and any(
            mount == skipped.rstrip("/") or mount.startswith(f"{skipped.rstrip('/')}/") for skipped in _SKIPPED_MOUNTS
        ):
            continue
        seen.add(mount)
        labels = {"device": part.device, "fstype": part.fstype, "mountpoint": mount}
        try:
            usage = os.statvfs(mount)
        except OSError:
            yield "node_filesystem_device_error", labels, 1.0
            continue
        if not usage.f_blocks:
            continue
        yield "node_filesystem_size_bytes", labels, usage.f_blocks * usage.f_frsize
        yield "node_filesystem_free_bytes", labels, usage.f_bfree * usage.f_frsize
        yield "node_filesystem_avail_bytes", labels, usage.f_bavail * usage.f_frsize
        yield "node_filesystem_files", labels, usage.f_files
        yield "node_filesystem_files_free", labels, usage.f_ffree
        yield "node_filesystem_readonly", labels, float("ro" in part.opts.split(","))
        yield "node_filesystem_device_error", labels, 0.0


def _network() -> Iterator[Reading]:
    for device, count in psutil.net_io_counters(pernic=True).items():
        labels = {"device": device}
        yield "node_network_receive_bytes_total", labels, count.bytes_recv
        yield "node_network_transmit_bytes_total", labels, count.bytes_sent
        yield "node_network_receive_packets_total", labels, count.packets_recv
        yield "node_network_transmit_packets_total", labels, count.packets_sent
        yield "node_network_receive_errs_total", labels, count.errin
        yield "node_network_transmit_errs_total", labels, count.errout
        yield "node_network_receive_drop_total", labels, count.dropin
        yield "node_network_transmit_drop_total", labels, count.dropout
    for device, state in psutil.net_if_stats().items():
        yield "node_network_up", {"device": device}, float(state.isup)


def _disks() -> Iterator[Reading]:
    for device, count in (psutil.disk_io_counters(perdisk=True) or {}).items():
        if _DISK_PARTITION.match(device):
            continue
        labels = {"device": device}
        yield "node_disk_reads_completed_total", labels, count.read_count
        yield "node_disk_writes_completed_total", labels, count.write_count
        yield "node_disk_read_bytes_total", labels, count.read_bytes
        yield "node_disk_written_bytes_total", labels, count.write_bytes
        yield "node_disk_read_time_seconds_total", labels, count.read_time / 1000
        yield "node_disk_write_time_seconds_total", labels, count.write_time / 1000
        busy = getattr(count, "busy_time", None)
        if busy is not None:
            yield "node_disk_io_time_seconds_total", labels, busy / 1000


def _stat() -> Iterator[Reading]:
    if not (_PROC / "stat").exists():
        return
    allocated, _, maximum = (_PROC / "sys/fs/file-nr").read_text().split()
    yield "node_filefd_allocated", {}, float(allocated)
    yield "node_filefd_maximum", {}, float(maximum)
    for line in (_PROC / "stat").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name in _STAT_LINES:
            yield _STAT_LINES[name], {}, float(rest)
        elif name == "intr":
            yield "node_intr_total", {}, float(rest.split(" ", 1)[0])


def _vmstat() -> Iterator[Reading]:
    if not (_PROC / "vmstat").exists():
        return
    for line in (_PROC / "vmstat").read_text().splitlines():
        name, _, value = line.partition(" ")
        if name.startswith(_VMSTAT) or (name.startswith("pg") and name.endswith("fault")):
            yield f"node_vmstat_{name}", {}, float(value)


def _system() -> Iterator[Reading]:
    yield "node_boot_time_seconds", {}, psutil.boot_time()
    yield "node_time_seconds", {}, time.time()
    name = platform.uname()
    labels = {
        "sysname": name.system,
        "release": name.release,
        "version": name.version,
        "machine": name.machine,
        "nodename": name.node,
        "domainname": _domain(),
    }
    yield "node_uname_info", labels, 1.0


def _domain() -> str:
    try:
        return (_PROC / "sys/kernel/domainname").read_text().strip()
    except OSError:
        return "(none)"
