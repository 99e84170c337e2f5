"""``eldonia-ops token``: access tokens."""

from typing import Annotated

import typer

from eldonia_ops.cli.client import part
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
            shown_time(item["created_at"]),
            shown_time(item["last_used_at"]),
            shown_time(item["expires_at"]),
            shown_time(item["revoked_at"]),
        )
        for item in found
    ]
    print_table(("id", "name", "role", "created", "last used", "expires", "revoked"), rows, empty="No tokens.")


@app.command("create")
def create_token(
    name: str,
    role: Annotated[str, typer.Option(help="ingest, viewer, responder or admin.")] = "viewer",
    expires: Annotated[str, typer.Option(help="A lifetime such as 90d; without it, the token never expires.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Create a token; its secret is printed this once."""
    made = connect(url, token).post("/tokens", {"name": name, "role": role, "expires": expires})
    typer.echo(made["secret"])


@app.command("revoke")
def revoke_token(id: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Make a token worthless from now on."""
    connect(url, token).delete(f"/tokens/{part(id)}")
    console().print(f"token {id} is revoked")
