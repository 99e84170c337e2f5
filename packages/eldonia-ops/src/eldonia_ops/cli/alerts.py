"""``eldonia-ops alerts``: what fires, and why a message was sent or not."""

from typing import Annotated, Any

import typer

from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Token,
    Url,
    connect,
    print_json,
    print_table,
    shown_time,
)


def alerts(
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
    why: Annotated[
        str, typer.Option("--why", help="Show why receivers were, or were not, notified of this alert (name).")
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
            _state(item),
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


def _state(item: dict[str, Any]) -> str:
    """The state; of an alert whose condition has ended, until when it is kept firing."""
    until = item["evidence"].get("held_until", 0) if item["state"] == "firing" else 0
    return f"recovered, watched until {shown_time(until)}" if until else str(item["state"])
