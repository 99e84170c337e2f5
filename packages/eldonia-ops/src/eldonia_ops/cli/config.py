"""``eldonia-ops config``: what the settings can say, and what they say."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import FILE_NAME

app = typer.Typer(help="Settings: what applies, and a schema for editors.", no_args_is_help=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of eldonia-ops.yml, for editors.

    Save it, and name it in the first line of the file: # yaml-language-server: $schema=eldonia-ops.schema.json
    """
    from eldonia_ops.settings.schema import settings_schema

    typer.echo(json.dumps(settings_schema(), indent=2, ensure_ascii=False))


@app.command()
def show(
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help=f"Settings; default: {FILE_NAME} in this folder, if there is one."),
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the data, as for serve.")] = None,
    listen: Annotated[str, typer.Option("--listen", help="HOST:PORT, as for serve.")] = "",
) -> None:
    """Print all settings that apply, with defaults and the environment filled in, as YAML. Secrets are masked."""
    from eldonia_ops.settings import load_settings, parse_listen
    from eldonia_ops.settings.show import effective_settings

    if config is None and Path(FILE_NAME).is_file():
        config = Path(FILE_NAME)
    settings = load_settings(config, os.environ, None if data is None else Path(os.path.abspath(data)))
    if listen:
        try:
            settings = replace(settings, listen=parse_listen(listen))
        except ValueError as error:
            raise ConfigError(Diagnostic(f"--listen: {error}")) from None
    also = f" and {settings.parts.file}" if settings.parts.file else ""
    typer.echo(f"# from {settings.file or 'the defaults alone'}{also}")
    typer.echo(effective_settings(settings), nl=False)
