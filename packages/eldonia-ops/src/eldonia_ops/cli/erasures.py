"""``eldonia-ops erasures``: all records of one person go, from every file of the store."""

import time
from typing import Annotated, Any

import typer

from eldonia_ops.cli.client import Client, part
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
from eldonia_ops.model.plurals import counted

app = typer.Typer(help="Erase the log records of one person.", no_args_is_help=True)
Search = Annotated[str, typer.Argument(help="Whose records: user_id:alice, or any search.")]
_POLL_SECONDS = 1.0


@app.command("preview")
def preview(search: Search, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """How many records would go, of which services, and where is not looked. Nothing is deleted."""
    found = connect(url, token).post("/logs/erasures/preview", {"query": search})
    if as_json:
        print_json(found)
        return
    _print_preview(found)


@app.command("run")
def run(
    search: Search,
    reason: Annotated[str, typer.Option(help="Why, such as the number of a request. The audit log keeps it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is done; it goes on in any case.")] = True,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Erase all records that a search finds, and wait for the proof. Needs the role admin."""
    client = connect(url, token)
    if not yes:
        found = client.post("/logs/erasures/preview", {"query": search})
        _print_preview(found)
        if not typer.confirm(f"Erase {counted(found['records'], 'record')} for good?", default=False, err=True):
            raise typer.Exit(1)
    made = client.post("/logs/erasures", {"query": search, "reason": reason})
    if wait:
        made = _awaited(client, made)
    if as_json:
        print_json(made)
    else:
        _print_erasure(made)
    if wait and (made["found_after"] or made["stage"] != "done"):
        raise typer.Exit(1)


@app.command("list")
def list_erasures(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """All erasures, the oldest first."""
    found = connect(url, token).get("/logs/erasures")
    if as_json:
        print_json(found)
        return
    rows = [
        (one["id"], shown_time(one["asked_at"]), one["actor"], one["reason"] or "-", one["stage"], one["deleted"])
        for one in found
    ]
    print_table(("id", "asked", "by", "reason", "stage", "records"), rows, empty="Nothing was erased.")


@app.command("show")
def show(
    id: Annotated[str, typer.Argument(help="As `erasures list` shows it.")],
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """One erasure: how far it is, and when it is done, what was removed where."""
    found = connect(url, token).get(f"/logs/erasures/{part(id)}")
    if as_json:
        print_json(found)
    else:
        _print_erasure(found)


def _awaited(client: Client, made: dict[str, Any]) -> dict[str, Any]:
    failed = ""
    while made["stage"] != "done":
        if made["error"] and made["error"] != failed:
            failed = made["error"]
            console().print(f"not done yet, it is tried again: {failed}", style="yellow")
        time.sleep(_POLL_SECONDS)
        made = client.get(f"/logs/erasures/{part(made['id'])}")
    return made


def _print_preview(found: dict[str, Any]) -> None:
    out = console()
    out.print(f"{counted(found['records'], 'record')} match {found['search']}")
    for one in found["services"]:
        out.print(f"  {one['count']:>10} {one['value'] or '-'}")
    _print_left(found["not_covered"])


def _print_erasure(one: dict[str, Any]) -> None:
    out = console()
    out.print(f"erasure {one['id']}: {one['stage']}")
    out.print(f"  records: {one['matched']} found, {one['deleted']} deleted, {one['found_after']} found after it")
    if one["stage"] == "done":
        out.print(
            f"  files: {counted(one['parts'], 'part')} written anew, {counted(one['old_parts'], 'old part')} removed, "
            f"{counted(one['log_segments'], 'segment')} of the write-ahead log removed, "
            f"{counted(one['refused_rows'], 'refused row')} removed"
        )
        if one["newer"]:
            out.print(f"  {counted(one['newer'], 'record')} came in since: erase again", style="yellow")
        _print_left(one["not_covered"])
    elif one["error"]:
        out.print(f"  the last attempt failed, it is tried again: {one['error']}", style="yellow")


def _print_left(places: list[str]) -> None:
    console().print("Not covered:", style="dim")
    for one in places:
        console().print(f"  - {one}", style="dim")
