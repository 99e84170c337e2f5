"""``eldonia-ops silence``: keep alerts quiet for a while."""

import time
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
from eldonia_ops.model.durations import parse_duration

app = typer.Typer(help="Keep alerts quiet for a while.", no_args_is_help=True)


@app.command("list")
def list_silences(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Silences, those that end last first."""
    found = connect(url, token).get("/silences")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["state"],
            ", ".join(f'{one["name"]}{one["op"]}"{one["value"]}"' for one in item["matchers"]),
            shown_time(item["ends_at"]),
            item["created_by"],
            item["comment"],
        )
        for item in found
    ]
    print_table(("id", "state", "matchers", "ends", "by", "comment"), rows, empty="No silences.")


@app.command("add")
def add_silence(
    matchers: Annotated[list[str], typer.Argument(help="Conditions such as alertname=HighCPUUsage service=~'shop.*'")],
    comment: Annotated[str, typer.Option(help="Why; the next person on duty will ask.")],
    duration: Annotated[str, typer.Option("--for", help="How long, such as 30m or 2h.")] = "1h",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Silence matching alerts for a while."""
    conditions = [_condition(text) for text in matchers]
    try:
        ends_at = int(time.time() * 1000) + parse_duration(duration)
    except ValueError as error:
        raise typer.BadParameter(f"--for: {error}") from None
    made = connect(url, token).post("/silences", {"matchers": conditions, "ends_at": ends_at, "comment": comment})
    out = console()
    out.print(f"silence {made['id']} holds until {shown_time(made['ends_at'])}")
    out.print(f"to undo it: eldonia-ops silence expire {made['id']}", style="dim")


def _condition(text: str) -> dict[str, str]:
    for op in ("=~", "!~", "!=", "="):
        name, found, value = text.partition(op)
        if found and name.strip():
            return {"name": name.strip(), "op": op, "value": value.strip().strip("\"'")}
    raise typer.BadParameter(f"{text!r} is no condition; write name=value, name!=value, name=~regex or name!~regex")


@app.command("expire")
def expire_silence(id: str, url: Url = DEFAULT, token: Token = "") -> None:
    """End a silence now."""
    connect(url, token).delete(f"/silences/{part(id)}")
    console().print(f"silence {id} has ended")
