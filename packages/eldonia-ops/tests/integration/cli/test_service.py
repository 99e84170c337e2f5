"""The unit as systemd reads it, installed below a folder; and a platform that says how it is."""

import socket
import subprocess
import sys

import pytest
from required_tools import requires_tool, tool
from serving import run_command, serving

from eldonia_ops.cli.service.unit import NAME


@requires_tool("systemd-analyze")
@pytest.mark.parametrize("settings", ["", "listen: 127.0.0.1:80\ndata: /srv/data\n"])
def test_systemd_reads_the_unit_without_a_fault(tmp_path, settings):
    root = tmp_path / "root"
    if settings:
        (root / "etc/eldonia-ops").mkdir(parents=True)
        (root / "etc/eldonia-ops/eldonia-ops.yml").write_text(settings)
    made = run_command(tmp_path, "install-service", "--root", str(root))
    assert made.returncode == 0, made.stderr
    unit = root / "etc/systemd/system" / NAME
    verified = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    ours = [line for line in verified.stderr.splitlines() if NAME in line]
    assert (verified.returncode, ours) == (0, [])
    assert (root / "etc/eldonia-ops/environment").stat().st_mode & 0o077 == 0
    file = root / "etc/eldonia-ops/eldonia-ops.yml"
    assert run_command(tmp_path, "check", str(file)).returncode == 0
    if settings:
        assert file.read_text() == settings  # what a person wrote is never replaced
    again = run_command(tmp_path, "install-service", "--root", str(root))
    assert again.returncode == 0
    gone = run_command(tmp_path, "uninstall-service", "--root", str(root))
    assert gone.returncode == 0
    assert not unit.exists()
    assert file.exists()


def test_a_dry_run_shows_all_and_changes_nothing(tmp_path):
    shown = run_command(tmp_path, "install-service", "--dry-run", "--root", str(tmp_path / "root"))
    assert shown.returncode == 0, shown.stderr
    assert "NoNewPrivileges=yes" in shown.stdout
    assert f"ExecStart={sys.executable.rpartition('/')[0]}/eldonia-ops serve" in shown.stdout
    assert not (tmp_path / "root").exists()


def test_settings_with_a_fault_are_not_installed(tmp_path):
    root = tmp_path / "root"
    (root / "etc/eldonia-ops").mkdir(parents=True)
    (root / "etc/eldonia-ops/eldonia-ops.yml").write_text("lissen: 127.0.0.1:80\n")
    refused = run_command(tmp_path, "install-service", "--root", str(root))
    assert refused.returncode == 2
    assert "lissen" in refused.stderr
    assert not (root / "etc/systemd").exists()


def test_a_platform_says_when_it_is_ready_alive_and_stopping(tmp_path):
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        environment = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "1200000"}
        with serving(tmp_path / "a", environment=environment):
            said = [manager.recv(100) for _ in range(4)]
            assert said[0] == b"READY=1"
            assert set(said[1:]) == {b"WATCHDOG=1"}
        while (last := manager.recv(100)) == b"WATCHDOG=1":
            pass
        assert last == b"STOPPING=1"
