"""``eldonia-ops log-metrics``: counters, gauges and histograms that are made of log records."""

import json
from typing import Annotated, Any

import typer

from eldonia_ops.cli.local_times import local_instant, local_zone
from eldonia_ops.cli.log_tables import print_log_table
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Since,
    Token,
    Until,
    Url,
    connect,
    console,
    print_json,
    print_table,
)

app = typer.Typer(help="Metrics that are made of log records.", no_args_is_help=True)


@app.command("list")
def list_metrics(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """All of them, and what was counted since the start or since they were defined."""
    found = connect(url, token).get("/logs/metrics")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            *(one["name"], one["type"], one["search"] or "*", ", ".join(one["labels"]) or "-"),
            *(f"{one['series']}/{one['max_series']}", one["records"], one["overflow"], one["skipped"]),
        )
        for one in found
    ]
    columns = ("name", "type", "search", "labels", "series", "records", "(other)", "no number")
    print_table(columns, rows, empty="No metric is made of logs: write log_metrics in the settings.")


@app.command("preview")
def preview(
    search: Annotated[str, typer.Argument(help="Such as: service:checkout level:error")],
    value: Annotated[str, typer.Option(help="The field with the number, such as performance.duration.")] = "",
    label: Annotated[list[str] | None, typer.Option(help="A field that becomes a label; repeatable.")] = None,
    name: Annotated[str, typer.Option(help="What the metric would be called.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    since: Since = "-1h",
    until: Until = "now",
) -> None:
    """What a metric would have counted of the records that are stored: a row is a series. Nothing is changed."""
    numbers = f", count({value}) as with_number, sum({value}) as sum, p95({value}) as p95" if value else ""
    by = f" by {', '.join(label)}" if label else ""
    query = f"{search} | stats count() as records{numbers}{by} | sort -records"
    table = connect(url, token).get(
        "/logs/table", query=query, since=local_instant(since), until=local_instant(until, end=True), tz=local_zone()
    )
    print_log_table(table, as_json=as_json)
    if not as_json:
        console().print(f"{table['groups']} series. In the settings:", style="dim")
        console().print(_settings(name, search, value, label or []), highlight=False)


def _settings(name: str, search: str, value: str, labels: list[str]) -> str:
    """The metric as eldonia-ops.yml has it. JSON texts are YAML, too."""
    entry: dict[str, Any] = {"name": name or ("log_values" if value else "log_records_total"), "search": search}
    if value:
        entry |= {"type": "histogram", "value": value}
    if labels:
        entry["labels"] = labels
    lines = [f"{key}: {json.dumps(text, ensure_ascii=False)}" for key, text in entry.items()]
    return "log_metrics:\n  - " + "\n    ".join(lines)
