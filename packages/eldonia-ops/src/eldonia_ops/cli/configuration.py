"""``eldonia-ops reload``: the configuration of a running platform, read anew."""

import typer

from eldonia_ops.cli.session import DEFAULT, AsJson, Token, Url, connect, print_json
from eldonia_ops.model.errors import Diagnostic, Level


def reload(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Have the platform read its files anew, without a restart; needs an admin token.

    If anything is wrong with them, nothing changes. Exit code 0: what the files say is in force. 1: it is not.
    """
    from eldonia_ops.lint import format_report

    found = connect(url, token).post("/reload")
    if as_json:
        print_json(found)
    else:
        diagnostics = [Diagnostic(**{**item, "level": Level(item["level"])}) for item in found["diagnostics"]]
        if diagnostics:
            typer.echo(format_report(diagnostics))
        if found["successful"]:
            typer.echo(f"reloaded in {found['seconds']:.2f} s")
            for name in found["needs_restart"]:
                typer.echo(f"{name} takes effect with the next start")
        else:
            typer.echo("nothing has changed", err=True)
    if not found["successful"]:
        raise typer.Exit(1)
