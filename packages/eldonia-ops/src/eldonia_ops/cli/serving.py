"""``eldonia-ops serve`` and ``eldonia-ops check``: what starts the platform, and what says whether it would start."""

import asyncio
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler

from eldonia_ops import __version__
from eldonia_ops.cli.screen import OneLineFormatter, Screen
from eldonia_ops.cli.session import print_json
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME

if TYPE_CHECKING:
    from eldonia_ops.app.platform import RunningPlatform

Config = Annotated[
    Path | None, typer.Option("--config", "-c", help=f"Settings; default: {FILE_NAME} in this folder, if there is one.")
]


def serve(
    config: Config = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the data.")] = None,
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT instead of the configured one.")] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log more.")] = False,
) -> None:
    """Run the platform until Ctrl-C.

    Without any settings it watches this host, takes telemetry on 127.0.0.1:9600 and keeps its data in
    the user's data folder. A first start prints the admin token.
    """
    from eldonia_ops.app.platform import ADMIN_TOKEN_FILE
    from eldonia_ops.app.server import serve as serve_platform
    from eldonia_ops.settings import load_settings, parse_listen

    _log_to_stderr(verbose)
    if config is None and Path(FILE_NAME).is_file():
        config = Path(FILE_NAME)
        _refuse_strangers(config)
    settings = load_settings(config, os.environ)
    if data is not None:
        settings = settings.with_data(Path(os.path.abspath(data)))
    if listen:
        try:
            settings = replace(settings, listen=parse_listen(listen))
        except ValueError as error:
            raise ConfigError(Diagnostic(f"--listen: {error}")) from None

    def started(platform: "RunningPlatform", address: str) -> None:
        out = Screen(file=sys.stdout)
        out.print(f"Eldonia Ops {__version__} listens on {address}", style="bold")
        out.print(f"  data      {settings.data}")
        out.print(f"  settings  {settings.file or 'defaults (no file)'}")
        file = settings.data / ADMIN_TOKEN_FILE
        if platform.admin_secret is not None:
            out.print(f"  token     {platform.admin_secret}", style="green")
            out.print(
                f"            shown this once; also in {file} (readable by you alone)", style="dim", soft_wrap=True
            )
        else:
            out.print(f"  token     in {file}", style="dim")
        sys.stdout.flush()

    _run(serve_platform(settings, os.environ, started))


def _refuse_strangers(file: Path) -> None:
    """Settings name commands that are run: those that happen to lie in this folder must be the user's own, or root's.

    Raises:
        ConfigError: they belong to somebody else, or anybody may write them.
    """
    found = file.stat()
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & 0o002:
        hint = f"look at it, then name it: --config {file}"
        raise ConfigError(
            Diagnostic("settings of another user in this folder are not taken by themselves", str(file), hint=hint)
        )


def _run(work) -> None:
    try:
        import uvloop
    except ImportError:  # not built for this system
        asyncio.run(work)
    else:
        uvloop.run(work)


def _log_to_stderr(verbose: bool) -> None:
    level = logging.DEBUG if verbose else logging.INFO
    if sys.stderr.isatty():
        handler: logging.Handler = RichHandler(console=Screen(stderr=True), show_path=False, rich_tracebacks=False)
        handler.setFormatter(OneLineFormatter("%(message)s"))
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("eldonia_ops").setLevel(level)


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help=f"Files or folders; default: {FILE_NAME} here, with all it names.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Take every warning for an error: receivers that cannot be notified, unset variables, doubtful rules.",
        ),
    ] = False,
) -> None:
    """Check settings, rules, routing and templates, and how they fit together.

    Exit code 0: nothing wrong (warnings allowed, but for --strict). 1: errors. 2: no such file.
    """
    from eldonia_ops.lint import check_files, format_report
    from eldonia_ops.notifiers.registry import installed

    wanted = paths or [Path(FILE_NAME)]
    missing = [path for path in wanted if not path.exists()]
    if missing:
        hint = "name the files to check" if not paths else ""
        raise ConfigError(Diagnostic("there is no such file", str(missing[0]), hint=hint))
    found = check_files(wanted, os.environ, kinds=installed())
    if strict:
        found = [replace(item, level=Level.ERROR) for item in found]
    if as_json:
        print_json(
            [
                {
                    "file": item.file,
                    "line": item.line,
                    "column": item.column,
                    "level": item.level.value,
                    "message": item.message,
                    "hint": item.hint,
                }
                for item in found
            ]
        )
    else:
        typer.echo(format_report(found))
    if any(item.level is Level.ERROR for item in found):
        raise typer.Exit(1)
