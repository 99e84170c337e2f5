"""``eldonia-ops token``: access tokens."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from eldonia_ops.cli.client import part
from eldonia_ops.cli.nearby import settings_here
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Token,
    Url,
    connect,
    console,
    print_json,
    print_table,
    shown_time,
)

app = typer.Typer(help="Access tokens.", no_args_is_help=True)


@app.command("list")
def list_tokens(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Tokens, those included that were revoked or have expired; never their secrets."""
    found = connect(url, token).get("/tokens")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["name"],
            item["role"],
            item["owner_name"] or "-",
            shown_time(item["created_at"]),
            shown_time(item["last_used_at"]),
            shown_time(item["expires_at"]),
            shown_time(item["revoked_at"]),
        )
        for item in found
    ]
    print_table(("id", "name", "role", "owner", "created", "last used", "expires", "revoked"), rows, empty="No tokens.")


@app.command("create")
def create_token(
    name: str,
    role: Annotated[str, typer.Option(help="ingest, viewer, responder or admin.")] = "viewer",
    expires: Annotated[str, typer.Option(help="A lifetime such as 90d; without it, the token never expires.")] = "",
    owner: Annotated[
        str, typer.Option(help="The account that it belongs to; it never does more than that. Default: a program's.")
    ] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Create a token; its secret is printed this once."""
    made = connect(url, token).post("/tokens", {"name": name, "role": role, "expires": expires, "owner": owner})
    typer.echo(made["secret"])


@app.command("first")
def first_token(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Settings; default: those in this folder.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of the data, as for serve.")] = None,
) -> None:
    """Make the admin token of a data folder before its first start, for a platform that will listen beyond loopback.

    Where there is one already nothing changes. The token is in a file that its owner alone may read; it is not printed.
    """
    from eldonia_ops.app.first_token import make_first_token
    from eldonia_ops.settings import load_settings

    settings = load_settings(settings_here(config), os.environ)
    if data is not None:
        settings = settings.with_data(Path(os.path.abspath(data)))
    new, file = asyncio.run(make_first_token(settings))
    console().print(f"the admin token is in {file}" if new else f"there is a token already; the admin's is in {file}")


@app.command("revoke")
def revoke_token(id: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Make a token worthless from now on."""
    connect(url, token).delete(f"/tokens/{part(id)}")
    console().print(f"token {id} is revoked")
