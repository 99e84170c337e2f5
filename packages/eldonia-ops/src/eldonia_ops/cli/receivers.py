"""``eldonia-ops receivers``: who can be notified, tests of it, and where an alert would go."""

from typing import Annotated

import typer

from eldonia_ops.cli.client import part
from eldonia_ops.cli.session import DEFAULT, AsJson, Token, Url, connect, print_json, print_table
from eldonia_ops.model.durations import format_duration

app = typer.Typer(help="Who can be notified, tests of it, and where an alert would go.", no_args_is_help=True)


@app.command("list")
def list_receivers(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """The receivers with their integrations, and what keeps one from delivering."""
    found = connect(url, token).get("/alerts/integrations")
    if as_json:
        print_json(found)
        return
    rows = [(one["receiver"], one["title"], one["obstacle"]) for one in found]
    print_table(("receiver", "through", "cannot deliver because"), rows, empty="No receiver has an integration.")


@app.command("test")
def send_test(
    receiver: Annotated[str, typer.Argument(help="The receiver's name in the routing.")],
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Send a test through every integration of a receiver now. Exit code 1 if one of them did not get through."""
    found = connect(url, token).post(f"/alerts/receivers/{part(receiver)}/test", {})
    if as_json:
        print_json(found)
    else:
        rows = [(one["title"], "delivered" if one["delivered"] else "FAILED", one["detail"]) for one in found]
        print_table(("through", "result", "detail"), rows, empty=f"{receiver} has no integration: it notifies no one.")
    if not found or not all(one["delivered"] for one in found):
        raise typer.Exit(1)


@app.command()
def route(
    labels: Annotated[list[str], typer.Argument(help="Labels such as severity=critical service=shop.")],
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Which receivers an alert with these labels would go to."""
    given: dict[str, str] = {}
    for one in labels:
        name, equals, value = one.partition("=")
        if not equals or not name:
            raise typer.BadParameter(f"write a label as name=value, not {one!r}")
        given[name] = value
    found = connect(url, token).post("/alerts/route", {"labels": given})
    if as_json:
        print_json(found)
        return
    rows = [
        (
            one["receiver"],
            one["line"] or "",
            ", ".join(f"{name}={value}" for name, value in one["group"].items()),
            format_duration(one["group_wait"]),
            one["muted"],
        )
        for one in found
    ]
    print_table(("receiver", "line", "group", "waits", "quiet now"), rows, empty="No route takes it.")
