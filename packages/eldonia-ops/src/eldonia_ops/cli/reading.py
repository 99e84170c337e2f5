"""Commands that only look: query, logs, traces, alerts, targets, slo."""

import time
from typing import Annotated, Any

import typer
from rich.text import Text

from eldonia_ops.cli.client import Client, part
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Token,
    Url,
    coloured,
    connect,
    console,
    print_json,
    print_json_line,
    print_table,
    shown_time,
)
from eldonia_ops.model.durations import format_duration

_MOST_LOGS = 1_000
_MOST_VALUES = 20

Since = Annotated[str, typer.Option("--since", help="RFC 3339, Unix ms, or relative: -15m.")]
Until = Annotated[str, typer.Option("--until", help="The same for the end.")]


def query(
    expression: Annotated[str, typer.Argument(help="PromQL, such as: sum by (job) (rate(http_requests_total[5m]))")],
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    start: Annotated[str, typer.Option(help="Start of a range, such as -1h; without it, one instant.")] = "",
    step: Annotated[str, typer.Option(help="Step of a range.")] = "15s",
) -> None:
    """Evaluate PromQL; of a range the last 20 values are shown, all of them with --json."""
    client = connect(url, token)
    if start:
        result = client.get("/query_range", query=expression, start=start, step=step)
    else:
        result = client.get("/query", query=expression)
    if as_json:
        print_json(result)
        return
    if result["type"] == "string":
        console().print(result["text"])
        return
    rows = [
        (_series_name(series["labels"]), " ".join(_value(value) for _, value in series["points"][-_MOST_VALUES:]))
        for series in result["series"]
    ]
    print_table(("series", "value"), rows, empty="No series has a value there.")


def _value(value: float | str) -> str:
    """Six digits tell values apart; ``--json`` has them whole."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _series_name(labels: dict[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    return labels.get("__name__", "") + (f"{{{inner}}}" if inner or "__name__" not in labels else "")


Where = Annotated[
    list[str] | None,
    typer.Option(help="A condition on a field or attribute, such as user.id=42 or 'duration>=500'; repeatable."),
]


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
    found = client.get("/traces", since=since, until=until, **wanted, where=where or [], limit=limit)
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


def alerts(
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    why: Annotated[
        str, typer.Option("--why", help="Show why people were, or were not, told about this alert (name).")
    ] = "",
) -> None:
    """Alerts that are pending, firing or suppressed; or, with --why, the ledger of one."""
    client = connect(url, token)
    if why:
        lines = client.get("/alerts/explain", alertname=why)
        if as_json:
            print_json(lines)
            return
        rows = [(shown_time(line["at"]), line["receiver"], line["verdict"], line["reason"]) for line in reversed(lines)]
        print_table(("time", "receiver", "verdict", "reason"), rows, empty=f"The ledger has nothing about {why}.")
        return
    found = client.get("/alerts")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["state"],
            item["labels"].get("severity", "-"),
            item["name"],
            item["labels"].get("service", "-"),
            shown_time(item["starts_at"]),
            item["incident_reference"] or "-",
            item["annotations"].get("summary", ""),
        )
        for item in found
    ]
    columns = ("state", "severity", "alert", "service", "since", "incident", "summary")
    print_table(columns, rows, empty="No alert is pending or firing.")


def targets(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """What is scraped, tailed and probed, and whether it works."""
    found = connect(url, token).get("/targets")
    if as_json:
        print_json(found)
        return
    rows = [
        (item["health"], item["kind"], item["name"], item["url"], shown_time(item["last_at"]), item["error"])
        for item in found
    ]
    print_table(("health", "kind", "name", "where", "last", "error"), rows, empty="Nothing is configured.")


def slo(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Objectives with their error budgets."""
    found = connect(url, token).get("/objectives")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["name"],
            item["service"],
            f"{item['target'] * 100:g} %",
            _percent(item["availability"]),
            format_duration(round(item["measured_seconds"]) * 1000),
            _percent(item["budget_remaining"]),
            "-" if item["burn_rate"] is None else f"{item['burn_rate']:.2f}",
        )
        for item in found
    ]
    columns = ("objective", "service", "target", "availability", "measured for", "budget left", "burn rate")
    print_table(columns, rows, empty="No objectives are configured (key objectives).")


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio * 100:.3f} %"
