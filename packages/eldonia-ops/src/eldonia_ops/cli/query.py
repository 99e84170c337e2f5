"""``eldonia-ops query``: PromQL."""

from typing import Annotated

import typer

from eldonia_ops.cli.local_times import local_instant
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

_MOST_VALUES = 20


def query(
    expression: Annotated[str, typer.Argument(help="PromQL, such as: sum by (job) (rate(http_requests_total[5m]))")],
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    at: Annotated[str, typer.Option(help="The instant, such as 1h (ago), yesterday or 2026-11-30T08:00.")] = "",
    start: Annotated[
        str, typer.Option(help="Start of a range, such as 1h or yesterday; without it, one instant.")
    ] = "",
    step: Annotated[str, typer.Option(help="Step of a range.")] = "15s",
) -> None:
    """Evaluate PromQL: values with their times; of a range the last 20 of each series, all of them with --json."""
    if at and start:
        raise typer.BadParameter("--at is one instant, --start begins a range: give one of them")
    client = connect(url, token)
    if start:
        result = client.get("/query_range", query=expression, start=local_instant(start), step=step)
    else:
        result = client.get("/query", query=expression, **({"time": local_instant(at)} if at else {}))
    if as_json:
        print_json(result)
        return
    if result["type"] == "string":
        console().print(result["text"])
        return
    rows = [
        (_series_name(series["labels"]), _value(value), shown_time(at))
        for series in result["series"]
        for at, value in series["points"][-_MOST_VALUES:]
    ]
    print_table(("series", "value", "time"), rows, empty="No series has a value there.")


def _value(value: float | str) -> str:
    """Six digits are enough to compare values; ``--json`` has them whole."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _series_name(labels: dict[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return labels.get("__name__", "") + (f"{{{inner}}}" if inner or "__name__" not in labels else "")
