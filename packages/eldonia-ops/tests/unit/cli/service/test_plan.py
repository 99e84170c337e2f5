from pathlib import Path

from eldonia_ops.cli.service.plan import Command, Present, RemoveFile, WriteFile, installing, removing
from eldonia_ops.cli.service.unit import MARK, Service, unit_text

SERVICE = Service(("/opt/ops/bin/eldonia-ops",), Path("/etc/eldonia-ops/eldonia-ops.yml"))


def values(text):
    pairs = [line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return {name: value for name, _, value in pairs}


def test_the_unit_is_hardened_and_says_how_it_is():
    unit = values(unit_text(SERVICE))
    assert unit["ExecStart"] == (
        "/opt/ops/bin/eldonia-ops serve --config /etc/eldonia-ops/eldonia-ops.yml --data /var/lib/eldonia-ops"
    )
    assert (unit["Type"], unit["ExecReload"]) == ("notify", "/bin/kill -HUP $MAINPID")
    assert (unit["NoNewPrivileges"], unit["ProtectSystem"], unit["ProtectHome"]) == ("yes", "strict", "yes")
    assert (unit["StateDirectory"], unit["LimitNOFILE"]) == ("eldonia-ops", "65536")
    assert unit["CapabilityBoundingSet"] == ""
    assert int(unit["WatchdogSec"]) > 0


def test_the_unit_follows_the_settings():
    service = Service(
        ("/home/me/my ops/python", "-m", "eldonia_ops"),
        Path("/srv/100%/ops.yml"),
        data=Path("/srv/data"),
        groups=("adm",),
        low_ports=True,
        keeps_processes=True,
    )
    unit = values(unit_text(service))
    assert unit["ExecStart"].startswith('"/home/me/my ops/python" -m eldonia_ops serve --config /srv/100%%/ops.yml')
    assert "--data" not in unit["ExecStart"]  # the settings name it
    assert unit["ReadWritePaths"] == "/srv/data"
    assert "StateDirectory" not in unit
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == "CAP_NET_BIND_SERVICE"
    assert (unit["KillMode"], unit["ProtectHome"], unit["SupplementaryGroups"]) == ("process", "read-only", "adm")


def test_a_first_installation_and_an_upgrade():
    first = list(installing(SERVICE, Present(user=False, systemd=True, settings="language: en\n", verifier=True)))
    words = [step.words[:2] for step in first if isinstance(step, Command)]
    assert words == [
        ("useradd", "--system"),
        ("systemd-analyze", "verify"),
        ("systemctl", "daemon-reload"),
        ("systemctl", "enable"),
        ("systemctl", "restart"),
    ]
    files = {str(step.path): step for step in first if isinstance(step, WriteFile)}
    assert files["/etc/eldonia-ops/environment"].mode == 0o600
    assert files["/etc/eldonia-ops/eldonia-ops.yml"].mode == 0o640
    assert files["/etc/systemd/system/eldonia-ops.service"].text.startswith(MARK)
    again = list(installing(SERVICE, Present(user=True, systemd=True, environment=True)))
    assert [str(step.path) for step in again if isinstance(step, WriteFile)] == [
        "/etc/systemd/system/eldonia-ops.service"
    ]


def test_where_systemd_does_not_run_nothing_is_started():
    steps = list(installing(SERVICE, Present(user=True, systemd=False)))
    assert not any(isinstance(step, Command) for step in steps)


def test_removing_leaves_settings_and_data():
    steps = list(removing(Present(user=True, systemd=True)))
    assert [str(step.path) for step in steps if isinstance(step, RemoveFile)] == [
        "/etc/systemd/system/eldonia-ops.service"
    ]
