"""``eldonia-ops traces``: list traces, or show one."""

from typing import Annotated, Any

import typer
from rich.text import Text

from eldonia_ops.cli.client import Client, part
from eldonia_ops.cli.local_times import local_instant
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Since,
    Token,
    Until,
    Url,
    Where,
    connect,
    print_json,
    print_table,
    shown_time,
)


def traces(
    trace_id: Annotated[str, typer.Argument(help="Show the spans of one trace.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    since: Since = "-1h",
    until: Until = "now",
    service: Annotated[str, typer.Option(help="Only traces that touch this service.")] = "",
    min_duration: Annotated[str, typer.Option(help="At least so long, such as 200ms.")] = "",
    errors: Annotated[bool, typer.Option("--errors", help="Only traces with a failed span.")] = False,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 20,
) -> None:
    """List traces, or show one."""
    client = connect(url, token)
    if trace_id:
        _show_trace(client, trace_id, as_json=as_json)
        return
    wanted: dict[str, Any] = {"service": service, "min_duration": min_duration, "errors": errors}
    start, end = local_instant(since), local_instant(until, end=True)
    found = client.get("/traces", since=start, until=end, **wanted, where=where or [], limit=limit)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            shown_time(int(item["start_ns"]) // 1_000_000),
            item["trace_id"],
            item["service"],
            item["root"],
            f"{item['duration_ns'] / 1e6:.1f} ms",
            item["spans"],
            Text(str(item["errors"]), style="red" if item["errors"] else "dim"),
        )
        for item in found
    ]
    print_table(("start", "trace", "service", "root", "duration", "spans", "errors"), rows, empty="No traces there.")


def _show_trace(client: Client, trace_id: str, *, as_json: bool) -> None:
    spans = client.get(f"/traces/{part(trace_id)}")
    if as_json:
        print_json(spans)
        return
    total = max((span["offset_ns"] + span["duration_ns"] for span in spans), default=1) or 1
    depth: dict[str, int] = {}
    rows = []
    for span in spans:
        depth[span["span_id"]] = level = depth.get(span["parent_span_id"], -1) + 1
        width = 30
        left = int(span["offset_ns"] / total * width)
        bar = " " * left + "█" * max(1, int(span["duration_ns"] / total * width))
        name = f"{'  ' * level}{span['service']}: {span['name']}"
        style = "red" if span["status"] == "error" else "cyan"
        rows.append((name, Text(bar, style=style), f"{span['duration_ns'] / 1e6:.2f} ms"))
    print_table(("span", "", "duration"), rows, empty="No spans.")
