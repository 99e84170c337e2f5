"""``eldonia-ops logs``: search, and follow."""

import shlex
import time
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.text import Text

from eldonia_ops.cli.client import ApiError, Client
from eldonia_ops.cli.local_times import local_instant, local_zone
from eldonia_ops.cli.log_tables import FORMATS, download, print_log_table
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
    shown_day,
    shown_time,
)
from eldonia_ops.model.conditions import ConditionOp
from eldonia_ops.model.log_levels import fold_level
from eldonia_ops.model.plurals import counted
from eldonia_ops.search.tree import SEVERITY, LevelTest

_MOST_LOGS = 1_000


def logs(
    query: Annotated[
        str,
        typer.Argument(help="""Such as: user_id:alice level>=error "timed out" -path:/health (docs/search.md)."""),
    ] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    since: Since = "-1h",
    until: Until = "now",
    level: Annotated[
        list[str] | None, typer.Option(help="Only this level; warn+ for warnings and above; repeatable.")
    ] = None,
    service: Annotated[list[str] | None, typer.Option(help="Only this service; repeatable.")] = None,
    trace: Annotated[str, typer.Option(help="Only records of this trace.")] = "",
    where: Where = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as records arrive; Ctrl-C ends it.")] = False,
    cursors: Annotated[bool, typer.Option("--cursors", help="Print the cursor of each record, for --around.")] = False,
    around: Annotated[
        str, typer.Option(metavar="CURSOR", help="The records before and after this one, from the same place.")
    ] = "",
    format: Annotated[
        str, typer.Option("--format", metavar="ndjson|csv", help="All that is found, as it is read.")
    ] = "",
) -> None:
    """Search logs: the newest that match, in the order of their time; with pipes, a table of what comes out.

    eldonia-ops logs 'error | stats count(), p95(duration) by service | sort -count'

    logs patterns shows which messages there are, logs new which of them are new: each has its --help.
    """
    if follow and until != "now":
        raise typer.BadParameter("--follow goes on as time does; leave --until out")
    if format and (format not in FORMATS or follow or around or as_json):
        raise typer.BadParameter("--format is ndjson or csv, without --json, --follow and --around")
    client = connect(url, token)
    if around:
        found = client.get("/logs/around", cursor=around, limit=min(limit, 500))
        _print_logs(found["records"], as_json=as_json, cursors=cursors, marked=around)
        return
    levels = [name for text in level or [] for name in _levels(text)]
    wanted: dict[str, Any] = {"query": query, "level": levels, "service": service or []}
    wanted |= {"trace_id": trace, "where": where or [], "limit": limit}
    start, end = local_instant(since), local_instant(until, end=True)
    try:
        if format:
            download(client, format, {**wanted, "limit": None, "since": start, "until": end, "tz": local_zone()})
            return
        if "|" in query:
            table = client.get("/logs/table", since=start, until=end, tz=local_zone(), **wanted)
            if table["shape"] != "search":
                if follow:
                    raise typer.BadParameter("--follow is for searches without pipes")
                print_log_table(table, as_json=as_json)
                return
        page = client.get("/logs", since=start, until=end, **wanted)
    except ApiError as error:
        if error.position < 0 or where:
            raise
        raise ApiError(_with_place(error, query), error.status) from None
    _print_logs(page["records"], as_json=as_json, cursors=cursors)
    if not page["records"] and not follow and not as_json:
        _print_nothing_found(client, {**wanted, "since": start, "until": end}, since, until)
    cursor = page["records"][0]["cursor"] if page["records"] else ""
    while follow:
        time.sleep(1.0)
        records = _newer(client, wanted, start, cursor)
        _print_logs(records, as_json=as_json, cursors=cursors)
        cursor = records[0]["cursor"] if records else cursor


def _levels(text: str) -> tuple[str, ...]:
    """The levels that an option names: ``warning`` one of them, ``warn+`` this one and those above."""
    level = fold_level(text.removesuffix("+"))
    if level is None:
        raise typer.BadParameter(f"there is no level {text!r}; the levels are {', '.join(SEVERITY)}")
    return LevelTest(ConditionOp.GREATER_OR_EQUAL, level).levels if text.endswith("+") else (level,)


def _with_place(error: ApiError, query: str) -> str:
    """What is wrong with a query, with a mark below its place."""
    shown = query.replace("\n", " ").replace("\t", " ")
    return f"{error}\n  {shown}\n  {' ' * cell_len(shown[: error.position])}^ {error.hint}"


def _print_nothing_found(client: Client, wanted: dict[str, Any], since: str, until: str) -> None:
    console().print("Nothing matches. Widen the time, or drop a word.", style="dim")
    for unknown in client.get("/logs/unknown-fields", **wanted):
        meant = f"; did you mean {unknown['near']}?" if unknown["near"] else ""
        console().print(f"No record of this time has the field {unknown['name']}{meant}")
    for found in client.get("/logs/suggestion", **wanted, tz=local_zone()):
        times = {"--since": since, "--until": until}
        if found["since"] is not None:
            times = {"--since": shown_day(found["since"]), "--until": shown_day(found["until"] - 1)}
        chosen = [f" {name} {shlex.quote(text)}" for name, text in times.items() if text not in ("-1h", "now")]
        command = f"eldonia-ops logs {shlex.quote(found['query'])}{''.join(chosen)}"
        console().print(f"Did you mean this? It finds {counted(found['count'], 'record')}:\n  {command}")


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


def _indented(message: str) -> str:
    """A message whose further lines cannot be taken for records of their own."""
    return message if "\n" not in message else message.replace("\n", "\n    ")


def _print_logs(records: list[dict[str, Any]], *, as_json: bool, cursors: bool = False, marked: str = "") -> None:
    if as_json:
        for record in reversed(records):
            print_json_line(record)
        return
    out = console()
    for record in reversed(records):
        line = Text.assemble(
            ("> " if record["cursor"] == marked else "  ") if marked else "",
            (f"{record['cursor']} ", "dim") if cursors else "",
            (shown_time(int(record["timestampNs"]) // 1_000_000), "dim"),
            " ",
            coloured(f"{record['level']:5}".rstrip()),
            " " * (6 - len(record["level"])),
            (f"{record.get('service', '-')} ", "cyan"),
            _indented(record["message"]),
        )
        out.print(line)
