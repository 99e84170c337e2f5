"""``eldonia-ops recovery``: automatic restarts, and their brake."""

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

app = typer.Typer(help="Automatic recovery, and its brake.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def _recovery(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        recovery_status(url, token, as_json)


@app.command("status")
def recovery_status(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """The recovery state of each service."""
    found = connect(url, token).get("/recovery")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["service"],
            item["state"] + (" (maintenance)" if item["maintenance"] else ""),
            f"{item['attempts']} of {item['max_attempts']}",
            shown_time(item["last_change_at"]),
            item["last_detail"],
        )
        for item in found
    ]
    columns = ("service", "state", "attempts", "since", "detail")
    print_table(columns, rows, empty="Nothing may be restarted (key recovery).")


@app.command("maintenance")
def maintenance(
    service: str,
    switch: Annotated[str, typer.Argument(help="on or off.")],
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Keep hands off a service while people work on it."""
    if switch not in ("on", "off"):
        raise typer.BadParameter("write on or off")
    view = connect(url, token).post(f"/recovery/{part(service)}/maintenance", {"on": switch == "on"})
    console().print(f"{view['service']}: maintenance {switch}")


@app.command("reset")
def reset(service: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Give a service its restarts back."""
    view = connect(url, token).post(f"/recovery/{part(service)}/reset")
    console().print(f"{view['service']} is {view['state']}, attempts {view['attempts']} of {view['max_attempts']}")
