"""``eldonia-ops accounts``: the people who sign in."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from eldonia_ops.cli.client import ApiError, part
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

app = typer.Typer(help="The people who sign in.", no_args_is_help=True)

Role = Annotated[str, typer.Option(help="viewer, responder or admin.")]
DisplayName = Annotated[str, typer.Option("--display-name", help="What others see; default: the name.")]
Mail = Annotated[str, typer.Option(help="Mail address.")]


@app.command("list")
def list_accounts(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Everybody who has an account."""
    found = connect(url, token).get("/accounts")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["name"],
            item["display_name"],
            item["role"],
            _state(item),
            shown_time(item["signed_in_at"]),
            item["mail"],
            item["issuer"],
        )
        for item in found
    ]
    columns = ("name", "display name", "role", "state", "signed in", "mail", "provider")
    print_table(columns, rows, empty="No accounts: people sign in with tokens.")


@app.command("create")
def create_account(
    name: str,
    role: Role = "viewer",
    display_name: DisplayName = "",
    mail: Mail = "",
    offline: Annotated[
        bool, typer.Option("--offline", help="In the data folder itself, while no platform runs: for the first admin.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="With --offline: settings; default: those in this folder.")
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="With --offline: folder of the data.")] = None,
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Make an account with a password, which is asked for; in a pipe it is the first line of the input.

    It cannot be given as an option: what is on a command line is seen by others on the machine.
    """
    if config is not None or data is not None:
        offline = True
    if offline:
        password = _password()
        account = _made_offline(config, data, name, role, display_name, mail, password)
        console().print(f"{account.name} can sign in as {account.role} once the platform runs")
        return
    client = connect(url, token)
    client.get("/me")  # before anybody types a password: does it answer, and let us in?
    body = {"name": name, "role": role, "display_name": display_name, "mail": mail, "password": _password()}
    made = client.post("/accounts", body)["account"]
    console().print(f"{made['name']} can sign in as {made['role']}")


@app.command("invite")
def invite(
    name: str,
    role: Role = "viewer",
    display_name: DisplayName = "",
    mail: Mail = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Make an account and print the link by which its person sets a password; for one who is invited already, a new
    link."""
    client = connect(url, token)
    body = {"name": name, "role": role, "display_name": display_name, "mail": mail}
    try:
        made = client.post("/accounts", body)
    except ApiError as error:
        known = _known(client, name) if error.status == 409 else None
        if known is None or not known["waiting"]:
            raise
        made = client.post(f"/accounts/{part(known['id'])}/link")
    _print_link(made)


@app.command("reset-password")
def reset_password(name: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Print a link by which a person sets another password; the old one works until then."""
    _print_link(connect(url, token).post(f"/accounts/{part(name)}/link"))


@app.command("set-role")
def set_role(name: str, role: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Give somebody another role, from now on."""
    changed = connect(url, token).patch(f"/accounts/{part(name)}", {"role": role})
    console().print(f"{changed['name']} is {changed['role']}")


@app.command("disable")
def disable(name: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Sign somebody out everywhere and let them in no more; their tokens stop too."""
    changed = connect(url, token).patch(f"/accounts/{part(name)}", {"disabled": True})
    console().print(f"{changed['name']} is disabled; undo it with eldonia-ops accounts enable {changed['name']}")


@app.command("enable")
def enable(name: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Let somebody in again."""
    changed = connect(url, token).patch(f"/accounts/{part(name)}", {"disabled": False})
    console().print(f"{changed['name']} can sign in again")


@app.command("delete")
def delete(name: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Delete an account that was never used, such as an invitation to a wrong name."""
    gone = connect(url, token).delete(f"/accounts/{part(name)}")
    console().print(f"{gone['name']} is deleted")


@app.command("sessions")
def sessions(
    name: Annotated[str, typer.Argument(help="Whose; default: everybody's.")] = "all",
    end: Annotated[str, typer.Option(help="End the session with this id, or all of these.", metavar="ID|all")] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Where people are signed in with a browser, and an end to it."""
    client = connect(url, token)
    if end:
        gone = client.delete(f"/sessions?account={part(name)}" if end == "all" else f"/sessions/{part(end)}")
        console().print(f"{gone['ended']} sessions have ended" if gone["ended"] != 1 else "1 session has ended")
        return
    found = client.get("/sessions", account=name)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["who"],
            item["method"],
            item["client"] or "-",
            item["address"],
            shown_time(item["created_at"]),
            shown_time(item["last_seen_at"]),
        )
        for item in found
    ]
    print_table(("id", "who", "by", "browser", "address", "since", "last seen"), rows, empty="No sessions.")


def _made_offline(
    config: Path | None, data: Path | None, name: str, role: str, display: str, mail: str, password: str
) -> Any:
    from eldonia_ops.access import AccessError, parse_role
    from eldonia_ops.app.first_account import make_account
    from eldonia_ops.services.api import RefusedError
    from eldonia_ops.settings import load_settings

    settings = load_settings(settings_here(config), os.environ)
    if data is not None:
        settings = settings.with_data(Path(os.path.abspath(data)))
    try:
        made = make_account(settings, name, parse_role(role), display=display, mail=mail, password=password)
        return asyncio.run(made)[0]
    except AccessError as error:
        raise typer.BadParameter(str(error)) from None
    except RefusedError as error:
        raise ApiError(str(error), 409) from None


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise typer.BadParameter("no password came in: pipe it in as one line, or run this on a terminal")
    return password


def _known(client: Any, name: str) -> Any:
    return next((one for one in client.get("/accounts") if one["name"] == name.strip().lower()), None)


def _state(account: Any) -> str:
    return "disabled" if account["disabled"] else "invited" if account["waiting"] else "active"


def _print_link(made: Any) -> None:
    link = made["link"]
    typer.echo(link["url"])
    note = f"for {made['account']['name']}; works once, until {shown_time(link['expires_at'])}"
    typer.echo(note, err=True)
