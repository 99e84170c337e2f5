"""``eldonia-ops incidents``: list, read, act."""

from pathlib import Path
from typing import Annotated, Any

import typer

from eldonia_ops.cli.client import ApiError, Client, part
from eldonia_ops.cli.editing import write_in_editor
from eldonia_ops.cli.local_times import local_instant
from eldonia_ops.cli.screen import readable
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Language,
    SinceDays,
    Token,
    Url,
    connect,
    console,
    print_json,
    print_table,
    shown_span,
    shown_time,
)

app = typer.Typer(help="Incidents: list, read, act.", no_args_is_help=False)
Reference = Annotated[str, typer.Argument(help="INC-12, 12, or the id.")]


@app.callback(invoke_without_command=True)
def _incidents(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_incidents(url, token, as_json)


@app.command("list")
def list_incidents(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Incidents, newest first."""
    found = connect(url, token).get("/incidents", limit=50)
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["reference"],
            item["severity"],
            item["status"],
            item["service"] or "-",
            shown_time(item["detected_at"]),
            item["assigned_to"] or "-",
            item["title"],
        )
        for item in found
    ]
    columns = ("incident", "severity", "status", "service", "detected", "assigned", "title")
    print_table(columns, rows, empty="No incidents yet.")


@app.command("show")
def show_incident(
    incident: Reference, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False, lang: Language = "en"
) -> None:
    """One incident with its timeline and checklist."""
    client = connect(url, token)
    whole = client.get(f"/incidents/{part(incident)}", lang=lang)
    if as_json:
        print_json(whole)
        return
    timeline, whole = whole["timeline"], whole["incident"]
    out = console()
    out.print(f"{whole['reference']}  {whole['title']}", style="bold")
    out.print(
        f"{whole['severity']} · {whole['status']} · {whole['service'] or '-'} · "
        f"detected {shown_time(whole['detected_at'])} · respond by {shown_time(whole['respond_by'])}"
    )
    out.print()
    rows = [(shown_time(entry["at"]), entry["text"]) for entry in timeline]
    print_table(("time", "what happened"), rows, empty="Nothing on the timeline.")
    out.print()
    steps = client.get(f"/incidents/{part(incident)}/runbook", lang=lang)
    shown = [("[x]" if step["done_at"] else "[ ]", step["key"], step["phase_title"], step["text"]) for step in steps]
    print_table(("", "key", "phase", "step"), shown, empty="No runbook.")


@app.command("ack")
def acknowledge(incident: Reference, url: Url = DEFAULT, token: Token = "") -> None:
    """Say: I am on it. Stops the escalation."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/acknowledge"))


@app.command("assign")
def assign(
    incident: Reference,
    to: Annotated[str, typer.Argument(help="Who works on it; an empty text takes the name away.")],
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Say who works on an incident."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/assign", {"to": to}))


@app.command("status")
def change_status(
    incident: Reference,
    status: Annotated[str, typer.Argument(help="open, investigating, escalated, resolved or closed.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Move an incident along."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/status", {"status": status, "note": note}))


@app.command("tick")
def tick(
    incident: Reference,
    key: Annotated[str, typer.Argument(help="The step's key, as `incidents show` lists it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take the tick back.")] = False,
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Tick a step of the runbook."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/checklist", {"key": key, "done": not undo}))


@app.command("note")
def note(incident: Reference, text: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Write on the timeline."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/notes", {"text": text}))


@app.command("open")
def open_incident(
    title: str,
    service: Annotated[str, typer.Option(help="What is concerned.")],
    severity: Annotated[str, typer.Option(help="critical, high, medium, low or info.")] = "medium",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Open an incident by hand."""
    _print_incident(connect(url, token).post("/incidents", {"title": title, "severity": severity, "service": service}))


@app.command("postmortem")
def postmortem(
    incident: Reference,
    url: Url = DEFAULT,
    token: Token = "",
    lang: Language = "en",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file.")] = None,
    edit: Annotated[bool, typer.Option("--edit", help="Write it in $VISUAL or $EDITOR, and save it.")] = False,
) -> None:
    """The postmortem as Markdown: what was saved, else a fresh draft."""
    client, path = connect(url, token), f"/incidents/{part(incident)}/postmortem"
    text, tag = client.get_text(path, lang=lang)
    if edit:
        _edit(client, path, text, tag)
    elif output is None:
        typer.echo(readable(text))
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"cannot write {output}: {error.strerror}") from None


def _edit(client: Client, path: str, text: str, tag: str) -> None:
    """Let a person write, and save it in place of the draft; a text that cannot be saved stays in its file."""
    written, file = write_in_editor(text, prefix="postmortem-")
    if written == text:
        console().print("nothing was changed", style="dim")
    else:
        try:
            saved = client.put_text(path, written, tag)
        except ApiError as error:
            hint = f"{error.hint}; your text is in {file}".removeprefix("; ")
            raise ApiError(str(error), error.status, hint) from None
        _print_incident(saved)
    file.unlink(missing_ok=True)


@app.command("metrics")
def metrics(
    since: SinceDays = "-30d",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """How fast incidents are detected, acknowledged and resolved; JSON has milliseconds."""
    found = connect(url, token).get("/incidents/metrics", since=local_instant(since))
    if as_json:
        print_json(found)
        return
    rows = [
        (
            name,
            group["incidents"],
            *(
                f"{shown_span(group[spread]['median'])} of {group[spread]['count']}" if group[spread]["count"] else "-"
                for spread in ("mttd", "mtta", "mttr")
            ),
            f"{group['targets_met']} of {known}" if (known := group["targets_met"] + group["targets_missed"]) else "-",
        )
        for name, group in {"all": found["all"], **found["by_severity"]}.items()
        if group["incidents"]
    ]
    columns = ("severity", "incidents", "median to detect", "to acknowledge", "to resolve", "targets met")
    print_table(columns, rows, empty="No incidents in that time.")


def _print_incident(incident: dict[str, Any]) -> None:
    console().print(f"{incident['reference']} is {incident['status']}: {incident['title']}")
