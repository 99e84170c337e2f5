"""``eldonia-ops security``: findings and their report."""

from typing import Annotated

import typer

from eldonia_ops.cli.client import part
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    SinceDays,
    Token,
    Url,
    connect,
    console,
    print_json,
    print_table,
    shown_time,
)
from eldonia_ops.model.durations import format_duration

app = typer.Typer(help="Security findings.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def _security(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_findings(url, token, as_json)


@app.command("list")
def list_findings(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Findings, newest first."""
    found = connect(url, token).get("/security/findings", limit=50)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["severity"],
            item["status"],
            item["type"],
            item["source"],
            item["count"],
            f"{item['threshold']} in {format_duration(item['window_ms'])}",
            shown_time(item["last_event_at"]),
        )
        for item in found
    ]
    columns = ("id", "severity", "status", "type", "source", "events", "threshold", "last event")
    print_table(columns, rows, empty="No findings.")


@app.command("status")
def finding_status(
    id: str,
    status: Annotated[str, typer.Argument(help="open, investigating, resolved or false_positive.")],
    note: Annotated[str, typer.Option(help="What was found.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Judge a finding; resolved and false_positive end its alert."""
    changed = connect(url, token).post(f"/security/findings/{part(id)}/status", {"status": status, "note": note})
    console().print(f"{changed['type']} from {changed['source']} is {changed['status']}")


@app.command("report")
def security_report(
    since: SinceDays = "-30d",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """How many findings there were, by type, severity, status and source."""
    found = connect(url, token).get("/security/report", since=since)
    if as_json:
        print_json(found)
        return
    rows = [
        *(("type", name, one["findings"], one["events"]) for name, one in found["by_type"].items() if one["findings"]),
        *(("severity", name, count, "") for name, count in found["by_severity"].items() if count),
        *(("status", name, count, "") for name, count in found["by_status"].items() if count),
        *(("source", one["source"], one["findings"], one["events"]) for one in found["top_sources"]),
    ]
    print_table(("by", "", "findings", "events"), rows, empty="No findings.")
