"""``eldonia-ops alertmanager``: the router alone, under Alertmanager's own flags."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from eldonia_ops import __version__
from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.serve import log_to_stderr, run
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.errors import ConfigError, Diagnostic


def alertmanager(
    config: Annotated[Path, typer.Option("--config.file", help="Routing, receivers and templates.")] = Path(
        "alertmanager.yml"
    ),
    listen: Annotated[
        str, typer.Option("--web.listen-address", help="HOST:PORT; beyond this machine only with --web.config.file.")
    ] = "127.0.0.1:9093",
    storage: Annotated[Path, typer.Option("--storage.path", help="Folder of alerts, silences and the outbox.")] = Path(
        "data"
    ),
    web_config: Annotated[
        Path | None,
        typer.Option("--web.config.file", help="Prometheus' web configuration: basic_auth_users, tls_server_config."),
    ] = None,
    external_url: Annotated[
        str, typer.Option("--web.external-url", help="How people reach it; for links in messages.")
    ] = "",
    retention: Annotated[str, typer.Option("--data.retention", help="How long what is over is kept.")] = "120h",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Route alerts as Alertmanager does: its configuration, its API v2, no telemetry and no incidents.

    No token is needed on a loopback address. SIGHUP or POST /-/reload reads the files anew.
    """
    from eldonia_ops.app.hangup import pass_over_hangups

    pass_over_hangups()  # what else it takes to start loads for a while
    from eldonia_ops.app.alertmanager import RouterOptions, serve_router
    from eldonia_ops.settings import parse_listen

    log_to_stderr(verbose)
    try:
        address = parse_listen(listen)
    except ValueError as error:
        raise ConfigError(Diagnostic(f"--web.listen-address: {error}")) from None
    try:
        kept = parse_duration(retention)
    except ValueError as error:
        raise ConfigError(Diagnostic(f"--data.retention: {error}")) from None
    options = RouterOptions(
        Path(os.path.abspath(config)),
        Path(os.path.abspath(storage)),
        address,
        external_url,
        kept,
        None if web_config is None else Path(os.path.abspath(web_config)),
    )

    def started(address: str) -> None:
        out = Screen(file=sys.stdout)
        out.print(f"Eldonia Ops {__version__} routes alerts on {address}", style="bold")
        out.print(f"  routing   {options.config}")
        out.print(f"  storage   {options.storage}")
        sys.stdout.flush()

    run(serve_router(options, os.environ, started))
