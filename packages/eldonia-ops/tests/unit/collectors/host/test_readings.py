import os
import socket
import sys

import psutil
import pytest
from collector_loops import Rows, loop_of, plans_of, settings_of
from required_tools import requires_host

from eldonia_ops.collectors.host import COLLECTOR
from eldonia_ops.collectors.host import readings as host
from eldonia_ops.collectors.status import TargetHealth


def find(readings, name, **labels):
    return [value for found, own, value in readings if found == name and labels.items() <= dict(own).items()]


def test_the_figures_are_this_hosts_own():
    readings, problem = host.read_host()
    assert problem == ""
    assert find(readings, "node_memory_MemTotal_bytes")[0] == pytest.approx(psutil.virtual_memory().total, rel=0.01)
    assert len(find(readings, "node_cpu_seconds_total", mode="idle")) == psutil.cpu_count()
    assert find(readings, "node_load1")[0] == pytest.approx(os.getloadavg()[0], abs=1)
    assert find(readings, "node_boot_time_seconds")[0] == pytest.approx(psutil.boot_time(), abs=2)
    assert find(readings, "node_uname_info", nodename=os.uname().nodename) == [1.0]
    assert find(readings, "node_network_receive_bytes_total", device="lo")
    sizes = {dict(own)["mountpoint"]: value for name, own, value in readings if name == "node_filesystem_size_bytes"}
    root = os.statvfs("/")
    if "/" in sizes:
        assert sizes["/"] == root.f_blocks * root.f_frsize
    for name, own, _ in readings:
        if name == "node_filesystem_avail_bytes":
            assert set(own) == {"device", "fstype", "mountpoint"}
    keys = [(name, tuple(sorted(own.items()))) for name, own, _ in readings]
    assert len(keys) == len(set(keys))


@requires_host(sys.platform == "linux", "/proc is Linux' own")
def test_memory_names(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal:       1024 kB\nActive(anon):   2 kB\nHugePages_Total:   3\n")
    monkeypatch.setattr(host, "_PROC", tmp_path)
    assert list(host._memory()) == [
        ("node_memory_MemTotal_bytes", {}, 1_048_576),
        ("node_memory_Active_anon_bytes", {}, 2_048),
        ("node_memory_HugePages_Total", {}, 3),
    ]


def test_without_proc_psutil_answers(tmp_path, monkeypatch):
    monkeypatch.setattr(host, "_PROC", tmp_path)
    assert {name: value for name, _, value in host._memory()}["node_memory_MemTotal_bytes"] > 0
    assert list(host._stat()) == []


def test_a_part_that_fails_is_named_and_the_rest_is_there(monkeypatch):
    def broken():
        raise PermissionError("no")

    monkeypatch.setattr(psutil, "net_io_counters", lambda **_: broken())
    readings, problem = host.read_host()
    assert problem == "network: no"
    assert find(readings, "node_scrape_collector_success", collector="network") == [0.0]
    assert find(readings, "node_scrape_collector_success", collector="disks") == [1.0]
    assert find(readings, "node_network_receive_bytes_total") == []
    assert find(readings, "node_load1")


async def test_the_loop_hands_over_rows_and_metadata_once():
    sink = Rows()
    rows = sink.collected
    [plan] = plans_of(COLLECTOR, settings_of(""))
    loop = loop_of(plan, sink.store)
    await loop.measure_once(1_000)
    await loop.measure_once(16_000)
    assert {labels["job"] for labels in rows[0].row.labels} == {"node"}
    assert {labels["instance"] for labels in rows[0].row.labels} == {socket.gethostname()}
    assert rows[0].metadata
    assert rows[1].metadata == ()
    assert rows[1].row.timestamp_ms == 16_000
    assert loop.status.health is TargetHealth.UP


def test_one_device_that_cannot_be_read_takes_no_figure_of_the_others_away(monkeypatch):
    def broken():
        raise IndexError

    monkeypatch.setattr(psutil, "net_if_stats", broken)
    readings, problem = host.read_host()
    assert problem == "network: IndexError"
    assert find(readings, "node_scrape_collector_success", collector="network") == [0.0]
    assert find(readings, "node_network_receive_bytes_total", device="lo")
    assert find(readings, "node_load1")


@requires_host(sys.platform == "linux", "/proc is Linux' own")
def test_a_filesystem_that_does_not_answer_is_named_beside_the_others(monkeypatch):
    real = os.statvfs

    def statvfs(path):
        if path == bad:
            raise OSError(5, "Input/output error")
        return real(path)

    parts = [part for part in psutil.disk_partitions(all=True) if part.mountpoint == "/"]
    parts += [type(parts[0])(device="/dev/bad", mountpoint="/bad", fstype="ext4", opts="rw")]
    bad = "/bad"
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [parts[1], parts[0]])
    monkeypatch.setattr(os, "statvfs", statvfs)
    monkeypatch.setattr(host, "_PSEUDO_FILESYSTEMS", frozenset())
    readings, problem = host.read_host()
    assert problem == ""
    assert find(readings, "node_filesystem_device_error", mountpoint="/bad") == [1.0]
    assert find(readings, "node_filesystem_device_error", mountpoint="/") == [0.0]


def test_it_can_be_switched_off():
    assert plans_of(COLLECTOR, settings_of("host: {enabled: false}")) == []
