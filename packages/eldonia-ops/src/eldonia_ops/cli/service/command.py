"""``eldonia-ops install-service`` and ``uninstall-service``."""

import asyncio
import grp
import os
import pwd
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eldonia_ops.cli.nearby import INSTALLED
from eldonia_ops.cli.screen import Screen
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level

if TYPE_CHECKING:
    from eldonia_ops.cli.service.plan import Present
    from eldonia_ops.cli.service.unit import Service

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the steps and files, and change nothing.")]
Root = Annotated[
    Path, typer.Option("--root", help="Write files below this folder and run nothing, for an image.", hidden=True)
]


def install_service(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Settings of the service; proposed as init does where missing.")
    ] = INSTALLED,
    dry_run: DryRun = False,
    root: Root = Path("/"),
) -> None:
    """Run the platform as a service of systemd: unit, user, folders. Needs root; the same command again upgrades it.

    The unit is hardened: no new privileges, its own data folder alone writable, 65536 files, a watchdog. Reload with
    systemctl reload eldonia-ops. Changes of yours belong into a drop-in (systemctl edit eldonia-ops).
    """
    from eldonia_ops.cli.service.perform import perform, show
    from eldonia_ops.cli.service.plan import installing

    out = Screen(file=sys.stdout, soft_wrap=True)
    service, present = _service(Path(os.path.abspath(config)), root)
    steps = list(installing(service, present))
    if dry_run:
        show(steps, out)
        return
    _require_root(root)
    perform(steps, out, root)
    if not present.systemd:
        out.print("systemd does not run here: enable the unit where it does", style="yellow")
    else:
        out.print(f"it runs; the admin token is in {service.data}/admin.token", style="green")


def uninstall_service(dry_run: DryRun = False, root: Root = Path("/")) -> None:
    """Stop the service and remove its unit. Settings, data and the user stay; the last lines say where."""
    from eldonia_ops.cli.service.perform import perform, show
    from eldonia_ops.cli.service.plan import removing
    from eldonia_ops.cli.service.unit import STATE, USER

    out = Screen(file=sys.stdout, soft_wrap=True)
    steps = list(removing(_present(Path("/"), root)))
    if dry_run:
        show(steps, out)
        return
    _require_root(root)
    perform(steps, out, root)
    out.print(f"settings stay in {INSTALLED.parent}, data in {STATE}, and the user {USER}")


def _service(config: Path, root: Path) -> "tuple[Service, Present]":
    from eldonia_ops.cli.service.unit import Service
    from eldonia_ops.protocols.text_file import read_text_file
    from eldonia_ops.settings import examine_settings
    from eldonia_ops.settings.recovery import ProcessAction

    present = _present(config, root)
    place = root / config.relative_to("/")
    text = present.settings or read_text_file(place)
    # As the service will see it: root's default folder, no variables of this shell.
    settings, found = examine_settings(text, config, {"HOME": "/root", **os.environ}, missing=Level.WARNING)
    if wrong := [item for item in found if item.level is Level.ERROR]:
        raise ConfigError(wrong)
    ports = [settings.listen.port, *(one.listen.port for one in settings.listeners.values())]
    data = settings.data if "data:" in text else Path("/var/lib/eldonia-ops")
    return (
        Service(
            program=_program(),
            config=config,
            data=data,
            groups=tuple(name for name in ("adm",) if _has_group(name)),
            low_ports=any(0 < port < 1024 for port in ports),
            keeps_processes=any(isinstance(one.action, ProcessAction) for one in settings.recovery),
        ),
        present,
    )


def _present(config: Path, root: Path) -> "Present":
    from eldonia_ops.cli.service.plan import SETTINGS, Present
    from eldonia_ops.discovery.services_of_host import has_systemd

    place = root / config.relative_to("/")
    return Present(
        user=_has_user(),
        systemd=root == Path("/") and has_systemd(),
        settings="" if place.exists() else _proposed(),
        environment=(root / SETTINGS.relative_to("/") / "environment").exists(),
        verifier=root == Path("/") and shutil.which("systemd-analyze") is not None,
    )


def _proposed() -> str:
    from eldonia_ops.discovery import gather, propose, settings_text

    return settings_text(propose(asyncio.run(gather())))


def _program() -> tuple[str, ...]:
    """How to start this very installation: its own script, else the interpreter with the module."""
    script = Path(sys.executable).with_name("eldonia-ops")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "eldonia_ops")


def _has_user() -> bool:
    from eldonia_ops.cli.service.unit import USER

    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True


def _has_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def _require_root(root: Path) -> None:
    if root == Path("/") and os.geteuid() != 0:
        raise ConfigError(
            Diagnostic("installing a service needs root", hint="run it with sudo, or look with --dry-run")
        )
