"""The unit of systemd (systemd.service(5), systemd.exec(5)) as text. Pure."""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

NAME: Final = "eldonia-ops.service"
USER: Final = "eldonia-ops"
MARK: Final = "# Written by `eldonia-ops install-service`."
STATE: Final = Path("/var/lib/eldonia-ops")


@dataclass(frozen=True, slots=True)
class Service:
    """What the unit depends on. ``program`` are the words that begin the command; ``low_ports`` says that a listener
    has a port below 1024, ``keeps_processes`` that recovery starts programs that outlive the platform."""

    program: tuple[str, ...]
    config: Path
    data: Path = STATE
    groups: tuple[str, ...] = ()
    low_ports: bool = False
    keeps_processes: bool = False


def unit_text(service: Service) -> str:
    """The unit. It may write to its own folder alone; what recovery restarts needs more, by a drop-in."""
    command = (*service.program, "serve", "--config", str(service.config))
    if service.data == STATE:
        command += ("--data", str(STATE))  # the usual folder of root, where commands look for the token
    homes = any(PurePath(word).parts[1:2] in (("home",), ("root",)) for word in (*service.program, str(service.config)))
    lines = [
        MARK,
        "# It is written anew by an upgrade; put changes of yours into a drop-in: systemctl edit eldonia-ops",
        "[Unit]",
        "Description=Eldonia Ops: metrics, logs, traces, alerts, incidents",
        "Wants=network-online.target",
        "After=network-online.target postgresql.service redis-server.service",
        "StartLimitIntervalSec=0",
        "",
        "[Service]",
        "# It says when it is ready, and is started again when its event loop hangs.",
        "Type=notify",
        "NotifyAccess=main",
        "WatchdogSec=60",
        f"ExecStart={' '.join(_word(word) for word in command)}",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "Restart=always",
        "RestartSec=2",
        "# A first start, or one after a crash, may read a long write-ahead log.",
        "TimeoutStartSec=10min",
        "TimeoutStopSec=60",
        f"User={USER}",
        f"Group={USER}",
    ]
    if service.groups:
        lines += ["# To read log files.", f"SupplementaryGroups={' '.join(service.groups)}"]
    if service.data == STATE:
        lines += ["StateDirectory=eldonia-ops", "StateDirectoryMode=0700"]
    else:
        lines += [f"ReadWritePaths={_word(str(service.data))}"]
    lines += ["UMask=0077", "LimitNOFILE=65536"]
    if service.keeps_processes:
        lines += ["# Programs that recovery starts outlive the platform.", "KillMode=process"]
    capabilities = "CAP_NET_BIND_SERVICE" if service.low_ports else ""
    lines += [
        "",
        "# EnvironmentFile holds what ${NAME} in the settings means: passwords, webhook addresses.",
        "EnvironmentFile=-/etc/eldonia-ops/environment",
        "",
        f"AmbientCapabilities={capabilities}",
        f"CapabilityBoundingSet={capabilities}",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        f"ProtectHome={'read-only' if homes else 'yes'}",
        "PrivateTmp=yes",
        "PrivateDevices=yes",
        "ProtectClock=yes",
        "ProtectHostname=yes",
        "ProtectKernelTunables=yes",
        "ProtectKernelModules=yes",
        "ProtectKernelLogs=yes",
        "ProtectControlGroups=yes",
        "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK",
        "RestrictNamespaces=yes",
        "RestrictRealtime=yes",
        "RestrictSUIDSGID=yes",
        "LockPersonality=yes",
        "RemoveIPC=yes",
        "SystemCallArchitectures=native",
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    """A word of a command or path as systemd reads it: specifiers and variables are taken as they are."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(char.isspace() or char in "\"'\\;" for char in text) else escaped
