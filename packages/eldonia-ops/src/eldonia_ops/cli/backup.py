"""``eldonia-ops backup`` and ``restore``."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from eldonia_ops.cli.client import ApiError, Client, find_token
from eldonia_ops.cli.nearby import nearby, settings_here
from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.session import DEFAULT, Token, Url, shown_time
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.plurals import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from eldonia_ops.settings import Settings

Config = Annotated[Path | None, typer.Option("--config", "-c", help="Settings; default: those in this folder.")]
DataFolder = Annotated[Path | None, typer.Option("--data", help="Folder of the data, as for serve.")]
_LONGEST_READ = 600.0


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write, such as ops-2026-11-30.tar.")],
    config: Config = None,
    data: DataFolder = None,
    url: Url = DEFAULT,
    token: Token = "",
    force: Annotated[bool, typer.Option("--force", help="Replace an archive of this name.")] = False,
) -> None:
    """Write everything that is stored into one file, while the platform runs or while it does not.

    Holds all that was acknowledged before the call: logs, metrics, traces, alerts, incidents, tokens. A running
    platform is asked for it (admin token); without one the data folder is read. The file is verified, and has its name
    only when it is whole. Settings, rules and routing are files of yours and are not in it.
    """
    if file.exists() and not force:
        raise ConfigError(Diagnostic("there is such a file already", str(file), hint="--force replaces it"))
    out = Screen(stderr=True, soft_wrap=True)
    part = file.with_name(f"{file.name}.partial")
    here = nearby()
    client = Client(url or here.url, find_token(token, here.data, url or here.url), timeout_seconds=_LONGEST_READ)
    try:
        with _written(part) as write:
            try:
                if data is not None:
                    raise ApiError("the folder is named", 0)
                _from_platform(client, write, out)
            except ApiError as error:
                if error.status or url:
                    raise  # it runs and refuses, or was meant
                _from_folder(_settings(config, data), write, out)
        manifest = _verified(part, out)
        os.replace(part, file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    finally:
        client.close()
    size = file.stat().st_size
    out.print(f"{file}: {counted(len(manifest.files), 'file')}, {size / 1e6:.1f} MB, verified", style="green")
    if "not in this archive" in str(manifest.about.get("telemetry", "")):
        out.print("telemetry is on a ClickHouse server: back that up by its own means", style="yellow")


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that backup wrote.")],
    config: Config = None,
    data: DataFolder = None,
    force: Annotated[
        bool, typer.Option("--force", help="Into a folder with data; what was there is kept beside it.")
    ] = False,
) -> None:
    """Put a backup in the place of the data folder. The platform must be stopped.

    The archive is verified and unpacked first; the folder changes only when all of it is there. Exit code 2: nothing
    was changed.
    """
    from eldonia_ops.app.restoring import restore as put_back

    out = Screen(stderr=True, soft_wrap=True)
    if not file.is_file():
        raise ConfigError(Diagnostic("there is no such file", str(file)))
    settings = _settings(config, data)
    with _bar(out, "restoring", file.stat().st_size) as advance:
        manifest, kept = put_back(file, settings, force=force, progress=advance)
    made = shown_time(manifest.about.get("made_at", 0))
    out.print(f"{settings.data} is as it was at {made}: {counted(len(manifest.files), 'file')}", style="green")
    if kept is not None:
        out.print(f"what was there before is in {kept}; remove it when all is well")


def _settings(config: Path | None, data: Path | None) -> "Settings":
    from eldonia_ops.settings import load_settings

    settings = load_settings(settings_here(config), os.environ)
    return settings if data is None else settings.with_data(Path(os.path.abspath(data)))


def _from_platform(client: Client, write: "Callable[[bytes], object]", out: Screen) -> None:
    with client.stream("/backup") as answer, _bar(out, "backup", answer.size) as advance:
        for piece in answer.pieces:
            write(piece)
            advance(len(piece))


def _from_folder(settings: "Settings", write: "Callable[[bytes], object]", out: Screen) -> None:
    from eldonia_ops.app.offline_backup import folder_files
    from eldonia_ops.protocols.backup_archive import archive, archive_size

    if not settings.data.is_dir():
        hint = "start the platform once, or name the folder with --data"
        raise ConfigError(Diagnostic("no platform answers, and there is no data folder", str(settings.data), hint=hint))
    out.print(f"no platform answers: reading {settings.data}", style="dim")
    with folder_files(settings) as (files, about), _bar(out, "backup", archive_size(files)) as advance:
        for piece in archive(files, about):
            write(piece)
            advance(len(piece))


def _verified(part: Path, out: Screen) -> Any:
    from eldonia_ops.protocols.backup_archive import read_archive

    with _bar(out, "verifying", part.stat().st_size) as advance:
        return read_archive(part, progress=advance)


@contextlib.contextmanager
def _written(path: Path) -> "Iterator[Callable[[bytes], object]]":
    """A new file that this user alone may read, durable when the context is left in order."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(Diagnostic(f"cannot be written: {error.strerror or error}", str(path))) from None


@contextlib.contextmanager
def _bar(out: Screen, name: str, size: int) -> "Iterator[Callable[[int], None]]":
    """A bar on a terminal, nothing elsewhere; its value takes the bytes that were done."""
    columns = (TextColumn("{task.description:10}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        task = progress.add_task(name, total=max(1, size))
        yield lambda count: progress.advance(task, count)
