from dataclasses import replace
from pathlib import Path

import pytest

from eldonia_ops.cli.doctor.findings import Gravity
from eldonia_ops.cli.doctor.judge_machine import judge_machine
from eldonia_ops.cli.doctor.machine import Folder, KernelClock, Machine, Port, Process, SecretFile

GIB = 1 << 30
FOLDER = Folder(
    Path("/var/lib/eldonia-ops"),
    exists=True,
    owner=100,
    mode=0o700,
    total=100 * GIB,
    free=50 * GIB,
    inodes_free=1_000_000,
    kind="ext4",
    rotating=False,
    sync_ms=1.0,
)
WELL = Machine(
    FOLDER,
    KernelClock(True, 12.0),
    memory_available=4 * GIB,
    memory_limit=None,
    files_limit=65_536,
    versions={"Python": "3.11.2"},
    user=100,
)


def grave(machine):
    return [(one.gravity, one.topic) for one in judge_machine(machine) if one.gravity < Gravity.OK]


def test_a_machine_that_is_well_has_no_findings():
    assert grave(WELL) == []


def of_folder(**changes):
    return replace(WELL, folder=replace(FOLDER, **changes))


@pytest.mark.parametrize(
    ("machine", "gravity", "topic", "word"),
    [
        (of_folder(free=GIB // 4), Gravity.ERROR, "disk", "256 MiB of 100 GiB"),
        (of_folder(free=6 * GIB), Gravity.WARNING, "disk", "6%"),
        (of_folder(inodes_free=500), Gravity.WARNING, "disk", "500 more files"),
        (of_folder(kind="tmpfs"), Gravity.ERROR, "disk", "in memory"),
        (of_folder(kind="nfs4"), Gravity.WARNING, "disk", "network"),
        (of_folder(sync_ms=250.0, rotating=True), Gravity.WARNING, "disk", "turns"),
        (of_folder(ahead_ms=3_600_000), Gravity.WARNING, "clock", "3600 s ahead"),
        (replace(WELL, clock=KernelClock(False, 16_000.0)), Gravity.WARNING, "clock", "NTP"),
        (replace(WELL, clock=None), Gravity.NOTE, "clock", "does not say"),
        (replace(WELL, files_limit=1024), Gravity.WARNING, "limits", "1024 file descriptors"),
        (replace(WELL, process=Process(7, 900, 1024)), Gravity.ERROR, "limits", "900 of 1024"),
        (replace(WELL, memory_available=GIB // 4), Gravity.WARNING, "limits", "256 MiB of memory"),
        (replace(WELL, memory_limit=GIB // 2, process=Process(7)), Gravity.WARNING, "limits", "512 MiB"),
        (of_folder(mode=0o777), Gravity.ERROR, "permissions", "everybody may write"),
        (of_folder(mode=0o755), Gravity.NOTE, "permissions", "755"),
        (of_folder(owner=200), Gravity.ERROR, "permissions", "another user"),
        (
            replace(WELL, secret_files=(SecretFile(Path("/etc/a.yml"), 0o644, "secrets"),)),
            Gravity.WARNING,
            "permissions",
            "/etc/a.yml holds secrets",
        ),
        (
            replace(WELL, secret_files=(SecretFile(Path("/d/admin.token"), 0o644, "the admin token", is_key=True),)),
            Gravity.ERROR,
            "permissions",
            "/d/admin.token",
        ),
        (replace(WELL, ports=(Port("pages", "127.0.0.1:9600", "nginx", 4),)), Gravity.ERROR, "ports", "taken by nginx"),
        (
            replace(WELL, ports=(Port("jaeger", "127.0.0.1:16686", ""),), process=Process(7)),
            Gravity.WARNING,
            "ports",
            "nothing listens",
        ),
    ],
)
def test_what_is_wrong_is_found_with_what_it_means_and_what_to_do(machine, gravity, topic, word):
    [found] = [one for one in judge_machine(machine) if one.gravity < Gravity.OK]
    assert (found.gravity, found.topic) == (gravity, topic)
    assert word in found.what
    assert found.do


def test_a_secret_that_a_group_may_read_is_no_fault():
    assert grave(replace(WELL, secret_files=(SecretFile(Path("/etc/a.yml"), 0o640, "secrets"),))) == []


def test_our_own_port_is_not_taken_by_another():
    assert grave(replace(WELL, ports=(Port("pages", "127.0.0.1:9600", "python3", 7),), process=Process(7))) == []
