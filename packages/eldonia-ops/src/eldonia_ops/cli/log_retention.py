"""``eldonia-ops log-retention``: rules by which log records go, and what each would delete now."""

from typing import Annotated, Any

import typer

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
from eldonia_ops.model.durations import format_duration
from eldonia_ops.model.plurals import counted

app = typer.Typer(help="Rules by which log records go sooner.", no_args_is_help=True)
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_rules(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Every rule: what there is of its records, what it would delete now, and what it deleted. Nothing is deleted."""
    found = connect(url, token).get("/logs/retention")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            *(one["name"], one["search"] or "*", _bounds(one), one["records"], shown_bytes(one["bytes"])),
            shown_time(one["oldest_at"]) if one["oldest_at"] else "-",
            f"{one['due_records']} ({shown_bytes(one['due_bytes'])})" if one["due_records"] else "-",
            one["deleted_records"],
        )
        for one in found
    ]
    columns = ("rule", "search", "keeps", "records", "about", "oldest", "due now", "deleted")
    print_table(columns, rows, empty="No rule: all logs are kept for retention.logs.")


@app.command("apply")
def apply(yes: Yes = False, url: Url = DEFAULT, token: Token = "") -> None:
    """Delete what is due now, and free its room. It happens by itself once an hour. Needs the role admin."""
    client = connect(url, token)
    due = sum(one["due_records"] for one in client.get("/logs/retention"))
    if due and not yes and not typer.confirm(f"Delete {counted(due, 'record')}?", default=False, err=True):
        raise typer.Exit(1)
    console().print(f"{counted(client.post('/logs/retention/apply', {})['deleted'], 'record')} deleted")


def _bounds(rule: dict[str, Any]) -> str:
    found = [format_duration(rule["keep_ms"])] if rule["keep_ms"] else []
    return " or ".join([*found, *([shown_bytes(rule["max_size"])] if rule["max_size"] else [])])


def shown_bytes(size: float) -> str:
    """A size with three digits."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} TiB"
