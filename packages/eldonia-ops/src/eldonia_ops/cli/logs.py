"""``eldonia-ops logs``: search, and follow."""

import time
from typing import Annotated, Any

import typer
from rich.text import Text

from eldonia_ops.cli.client import Client
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Since,
    Token,
    Until,
    Url,
    Where,
    coloured,
    connect,
    console,
    print_json_line,
    shown_time,
)

_MOST_LOGS = 1_000


def logs(
    text: Annotated[str, typer.Argument(help="Words that must all occur.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    since: Since = "-1h",
    until: Until = "now",
    level: Annotated[list[str] | None, typer.Option(help="error, warn, info or debug; repeatable.")] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; repeatable.")] = None,
    trace: Annotated[str, typer.Option(help="Only records of this trace.")] = "",
    where: Where = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as records arrive; Ctrl-C ends it.")] = False,
) -> None:
    """Search logs: the newest that match, in the order of their time."""
    if follow and until != "now":
        raise typer.BadParameter("--follow goes on as time does; leave --until out")
    client = connect(url, token)
    wanted: dict[str, Any] = {"q": text, "level": level or [], "service": service or []}
    wanted |= {"trace_id": trace, "where": where or [], "limit": limit}
    page = client.get("/logs", since=since, until=until, **wanted)
    _print_logs(page["records"], as_json=as_json)
    if not page["records"] and not follow and not as_json:
        console().print("Nothing matches. Widen the time, or drop a word.", style="dim")
    cursor = page["records"][0]["cursor"] if page["records"] else ""
    while follow:
        time.sleep(1.0)
        records = _newer(client, wanted, since, cursor)
        _print_logs(records, as_json=as_json)
        cursor = records[0]["cursor"] if records else cursor


def _newer(client: Client, wanted: dict[str, Any], since: str, cursor: str) -> list[dict[str, Any]]:
    """All that has come after a cursor, newest first, in as many answers as it takes: none is left out."""
    records: list[dict[str, Any]] = []
    before = None
    while True:
        page = client.get(
            "/logs",
            **wanted | {"limit": _MOST_LOGS},
            since=since if cursor else "-5m",
            after=cursor or None,
            before=before,
        )
        records += page["records"]
        if not (page["more"] and page["records"]):
            return records
        before = page["records"][-1]["cursor"]


def _print_logs(records: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        for record in reversed(records):
            print_json_line(record)
        return
    out = console()
    for record in reversed(records):
        line = Text.assemble(
            (shown_time(int(record["timestampNs"]) // 1_000_000), "dim"),
            " ",
            coloured(f"{record['level']:5}".rstrip()),
            " " * (6 - len(record["level"])),
            (f"{record.get('service', '-')} ", "cyan"),
            record["message"],
        )
        out.print(line)
