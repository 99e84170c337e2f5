"""``eldonia-ops serve``: run the platform."""

import asyncio
import gc
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler

from eldonia_ops import __version__
from eldonia_ops.cli.nearby import is_trusted
from eldonia_ops.cli.screen import OneLineFormatter, Screen
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import FILE_NAME

if TYPE_CHECKING:
    from eldonia_ops.app.configuration import Configuration
    from eldonia_ops.app.platform import RunningPlatform
    from eldonia_ops.lint.sources import Override
    from eldonia_ops.services.api import ListenerView

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help=f"Settings; default: {FILE_NAME} in this folder, if there is one.")
]


def serve(
    config: Config = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the data.")] = None,
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT instead of the configured one.")] = "",
    prometheus: Annotated[
        Path | None,
        typer.Option("--prometheus.config.file", help="A prometheus.yml: its scrape jobs and rule files are taken."),
    ] = None,
    routing: Annotated[
        Path | None, typer.Option("--alertmanager.config.file", help="An alertmanager.yml, instead of the settings'.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the platform until Ctrl-C.

    Without any settings it watches this host, takes telemetry on 127.0.0.1:9600 and keeps its data in
    the user's data folder. A first start prints the admin token on a terminal.
    """
    from eldonia_ops.app.hangup import pass_over_hangups

    pass_over_hangups()  # what else it takes to start loads for a while
    from eldonia_ops.app.loader import load_configuration
    from eldonia_ops.app.platform import ADMIN_TOKEN_FILE
    from eldonia_ops.app.server import serve as serve_platform
    from eldonia_ops.settings import AlertmanagerSettings, Settings, parse_listen

    log_to_stderr(verbose)
    try:
        address = parse_listen(listen) if listen else None
    except ValueError as error:
        raise ConfigError(Diagnostic(f"--listen: {error}")) from None

    def load(last_word: "Override" = lambda settings: settings, /, *, managed: str | None = None) -> "Configuration":
        def override(settings: Settings) -> Settings:
            if data is not None:
                settings = settings.with_data(Path(os.path.abspath(data)))
            if routing is not None:
                settings = replace(settings, alertmanager=AlertmanagerSettings(Path(os.path.abspath(routing))))
            return last_word(settings if address is None else replace(settings, listen=address))

        if by_itself and config is not None:
            _refuse_strangers(config)
        return load_configuration(config, os.environ, override=override, managed=managed, prometheus=prometheus)

    by_itself = config is None and Path(FILE_NAME).is_file()
    if by_itself:
        config = Path(os.path.abspath(FILE_NAME))
    configuration = load()
    settings = configuration.settings

    def started(platform: "RunningPlatform", listeners: "tuple[ListenerView, ...]") -> None:
        out = Screen(file=sys.stdout)
        main, *others = listeners
        out.print(f"Eldonia Ops {__version__} listens on {main.address}", style="bold")
        for one in others:
            out.print(f"  listener  {one.name} at {one.address}")
        out.print(f"  data      {settings.data}")
        out.print(f"  settings  {settings.file or 'defaults (no file)'}")
        if prometheus is not None:
            out.print(f"  taken     {'; '.join(configuration.taken) or 'nothing'} of {prometheus}", soft_wrap=True)
        file = settings.data / ADMIN_TOKEN_FILE
        # What is written anywhere but to a terminal is kept, in a journal for one, which others read: this platform
        # itself may take it in, and show it to everybody who may search.
        if platform.admin_secret is not None and sys.stdout.isatty():
            out.print(f"  token     {platform.admin_secret}", style="green")
            out.print(
                f"            shown this once; also in {file} (readable by you alone)", style="dim", soft_wrap=True
            )
        else:
            out.print(f"  token     in {file}", style="dim", soft_wrap=True)
        sys.stdout.flush()

    run(serve_platform(configuration, os.environ, started, load))


def _refuse_strangers(file: Path) -> None:
    """Settings name commands that are run: those that happen to lie in this folder must be the user's own, or root's.

    Raises:
        ConfigError: they belong to another user, or every user may write them.
    """
    if not is_trusted(file):
        hint = f"look at it, then name it: --config {file}"
        raise ConfigError(
            Diagnostic("settings of another user in this folder are not taken by themselves", str(file), hint=hint)
        )


def run(work) -> None:
    """Run a coroutine until it ends, on uvloop where there is one. What was made so far is not searched for cycles."""
    gc.freeze()
    try:
        import uvloop
    except ImportError:  # not built for this system
        asyncio.run(work)
    else:
        uvloop.run(work)


def log_to_stderr(verbose: bool) -> None:
    """Let what the platform logs appear on standard error."""
    level = logging.DEBUG if verbose else logging.INFO
    if sys.stderr.isatty():
        handler: logging.Handler = RichHandler(console=Screen(stderr=True), show_path=False, rich_tracebacks=False)
        handler.setFormatter(OneLineFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("eldonia_ops").setLevel(level)
