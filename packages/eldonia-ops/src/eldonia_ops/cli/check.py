"""``eldonia-ops check``: say whether the files are right before they matter."""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eldonia_ops.cli.session import print_json
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level
from eldonia_ops.model.places import FILE_NAME

if TYPE_CHECKING:
    pass


def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(help=f"Files or folders; default: {FILE_NAME} here, with all it names.")
    ] = None,
    prometheus: Annotated[
        Path | None, typer.Option("--prometheus.config.file", help="A prometheus.yml: what of it is taken, what not.")
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

    # Alone it is a file like any other; beside settings it is read along with them, as serve does.
    wanted = paths or ([prometheus] if prometheus is not None else [Path(FILE_NAME)])
    alone = prometheus is None or wanted == [prometheus]
    missing = [path for path in wanted if not path.exists()]
    if missing:
        hint = "name the files to check" if not paths else ""
        raise ConfigError(Diagnostic("there is no such file", str(missing[0]), hint=hint))
    taken: dict[str, tuple[str, ...]] = {}
    along = None if alone else prometheus
    found = check_files(wanted, os.environ, kinds=installed(), prometheus=along, taken=taken)
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
        for file, words in taken.items():
            typer.echo(f"{file}: taken: {'; '.join(words) or 'nothing'}")
        typer.echo(format_report(found))
    if any(item.level is Level.ERROR for item in found):
        raise typer.Exit(1)
