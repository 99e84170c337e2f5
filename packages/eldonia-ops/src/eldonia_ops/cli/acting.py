"""Commands by which people act: incidents, silences, security findings, recovery, tokens."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from eldonia_ops.cli.client import ApiError, Client, part
from eldonia_ops.cli.editing import write_in_editor
from eldonia_ops.cli.screen import readable
from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Language,
    Token,
    Url,
    connect,
    console,
    print_json,
    print_table,
    shown_span,
    shown_time,
)
from eldonia_ops.model.durations import format_duration, parse_duration

incidents = typer.Typer(help="Incidents: list, read, act.", no_args_is_help=False)
silence = typer.Typer(help="Keep alerts quiet for a while.", no_args_is_help=True)
security = typer.Typer(help="Security findings.", no_args_is_help=False)
recovery = typer.Typer(help="Automatic recovery, and its brake.", no_args_is_help=False)
token_app = typer.Typer(help="Access tokens.", no_args_is_help=True)

Reference = Annotated[str, typer.Argument(help="INC-12, 12, or the id.")]
Since = Annotated[str, typer.Option("--since", help="Since when, such as -30d.")]


@incidents.callback(invoke_without_command=True)
def _incidents(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_incidents(url, token, as_json)


@incidents.command("list")
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


@incidents.command("show")
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


@incidents.command("ack")
def acknowledge(incident: Reference, url: Url = DEFAULT, token: Token = "") -> None:
    """Say: I am on it. Stops the escalation."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/acknowledge"))


@incidents.command("assign")
def assign(
    incident: Reference,
    to: Annotated[str, typer.Argument(help="Who works on it; an empty text takes the name away.")],
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Say who works on an incident."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/assign", {"to": to}))


@incidents.command("status")
def change_status(
    incident: Reference,
    status: Annotated[str, typer.Argument(help="open, investigating, escalated, resolved or closed.")],
    note: Annotated[str, typer.Option(help="Why.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Move an incident along."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/status", {"status": status, "note": note}))


@incidents.command("tick")
def tick(
    incident: Reference,
    key: Annotated[str, typer.Argument(help="The step's key, as `incidents show` lists it.")],
    undo: Annotated[bool, typer.Option("--undo", help="Take the tick back.")] = False,
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Tick a step of the runbook."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/checklist", {"key": key, "done": not undo}))


@incidents.command("note")
def note(incident: Reference, text: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Write on the timeline."""
    _print_incident(connect(url, token).post(f"/incidents/{part(incident)}/notes", {"text": text}))


@incidents.command("open")
def open_incident(
    title: str,
    service: Annotated[str, typer.Option(help="What is concerned.")],
    severity: Annotated[str, typer.Option(help="critical, high, medium, low or info.")] = "medium",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Open an incident by hand."""
    _print_incident(connect(url, token).post("/incidents", {"title": title, "severity": severity, "service": service}))


@incidents.command("postmortem")
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
    """Let a person write, and save it in place of what he was given; a text that cannot be saved stays in its file."""
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


@incidents.command("metrics")
def metrics(
    since: Since = "-30d",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """How fast incidents are detected, acknowledged and resolved; JSON has milliseconds."""
    found = connect(url, token).get("/incidents/metrics", since=since)
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


@silence.command("list")
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


@silence.command("add")
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


@silence.command("expire")
def expire_silence(id: str, url: Url = DEFAULT, token: Token = "") -> None:
    """End a silence now."""
    connect(url, token).delete(f"/silences/{part(id)}")
    console().print(f"silence {id} has ended")


@security.callback(invoke_without_command=True)
def _security(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_findings(url, token, as_json)


@security.command("list")
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


@security.command("status")
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


@security.command("report")
def security_report(
    since: Since = "-30d",
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


@recovery.callback(invoke_without_command=True)
def _recovery(context: typer.Context, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        recovery_status(url, token, as_json)


@recovery.command("status")
def recovery_status(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """How recovery of each service stands."""
    found = connect(url, token).get("/recovery")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["service"],
            item["state"] + (" (maintenance)" if item["maintenance"] else ""),
            f"{item['attempts']} of {item['max_attempts']}",
            shown_time(item["last_change_at"]),
            item["last_detail"],
        )
        for item in found
    ]
    columns = ("service", "state", "attempts", "since", "detail")
    print_table(columns, rows, empty="Nothing may be restarted (key recovery).")


@recovery.command("maintenance")
def maintenance(
    service: str,
    switch: Annotated[str, typer.Argument(help="on or off.")],
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Keep hands off a service while people work on it."""
    if switch not in ("on", "off"):
        raise typer.BadParameter("write on or off")
    view = connect(url, token).post(f"/recovery/{part(service)}/maintenance", {"on": switch == "on"})
    console().print(f"{view['service']}: maintenance {switch}")


@recovery.command("reset")
def reset(service: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Give a service its restarts back."""
    view = connect(url, token).post(f"/recovery/{part(service)}/reset")
    console().print(f"{view['service']} is {view['state']}, attempts {view['attempts']} of {view['max_attempts']}")


@token_app.command("list")
def list_tokens(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Tokens, those included that were revoked or have expired; never their secrets."""
    found = connect(url, token).get("/tokens")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["id"],
            item["name"],
            item["role"],
            shown_time(item["created_at"]),
            shown_time(item["last_used_at"]),
            shown_time(item["expires_at"]),
            shown_time(item["revoked_at"]),
        )
        for item in found
    ]
    print_table(("id", "name", "role", "created", "last used", "expires", "revoked"), rows, empty="No tokens.")


@token_app.command("create")
def create_token(
    name: str,
    role: Annotated[str, typer.Option(help="ingest, viewer, responder or admin.")] = "viewer",
    expires: Annotated[str, typer.Option(help="A lifetime such as 90d; without it, the token never expires.")] = "",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Create a token; its secret is printed this once."""
    made = connect(url, token).post("/tokens", {"name": name, "role": role, "expires": expires})
    typer.echo(made["secret"])


@token_app.command("revoke")
def revoke_token(id: str, url: Url = DEFAULT, token: Token = "") -> None:
    """Make a token worthless from now on."""
    connect(url, token).delete(f"/tokens/{part(id)}")
    console().print(f"token {id} is revoked")
