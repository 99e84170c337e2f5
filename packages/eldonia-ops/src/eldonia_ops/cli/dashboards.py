"""``eldonia-ops dashboards``: those of a running platform, and files of dashboards."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eldonia_ops.cli.client import part
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
    shown_time,
)
from eldonia_ops.model.errors import ConfigError, Diagnostic, Level

if TYPE_CHECKING:
    from eldonia_ops.protocols.grafana import Note

app = typer.Typer(help="Dashboards of a running platform, and files of them.", no_args_is_help=True)

Uid = Annotated[str, typer.Argument(help="The dashboard's uid, as list shows it.")]


@app.command("list")
def list_dashboards(
    search: Annotated[str, typer.Argument(help="Words in the title, uid, folder, tags or description.")] = "",
    folder: Annotated[str, typer.Option(help="Those of this folder.")] = "",
    tag: Annotated[str, typer.Option(help="Those with this tag.")] = "",
    language: Language = "en",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """The dashboards by folder and title."""
    query = {"search": search, "folder": folder, "tag": tag, "lang": language}
    found = connect(url, token).get("/dashboards", **{key: value for key, value in query.items() if value})
    if as_json:
        print_json(found)
        return
    rows = [
        (one["uid"], one["folder"], one["title"], ", ".join(one["tags"]), one["source"], _changed(one))
        for one in found["dashboards"]
    ]
    print_table(("uid", "folder", "title", "tags", "from", "changed"), rows, empty="There is no such dashboard.")
    for one in found["faults"]:
        if one["level"] == "error" or not rows:
            console().print(f"{one['file']}:{one['line']}:{one['column']}: {one['message']}", style="yellow")


@app.command()
def show(uid: Uid, language: Language = "en", url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """One dashboard: its variables, panels and queries, and what is doubtful in it."""
    found = connect(url, token).get(f"/dashboards/{part(uid)}")
    if as_json:
        print_json(found)
        return
    document, out = found["dashboard"], console()
    out.print(f"{_text(document['title'], language)}  ({document['uid']}, {found['source']})", style="bold")
    if found["version"]:
        when = shown_time(found["changed_at"])
        out.print(f"version {found['version']} of {when} by {found['changed_by']}  {found['message']}".rstrip())
    variables = [(one["name"], one["type"], one.get("query", "")) for one in document.get("variables", [])]
    if variables:
        print_table(("variable", "type", "query"), variables, empty="")
    print_table(("id", "type", "panel", "query"), list(_panels(document, language)), empty="It has no panels.")
    for one in found["problems"]:
        out.print(f"{one['level']}: {one['path']}: {one['message']}", style="yellow")


@app.command()
def export(
    uid: Uid,
    form: Annotated[str, typer.Option("--format", help="yaml, json, or grafana (Grafana's JSON).")] = "yaml",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; default: print it.")] = None,
    language: Language = "en",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Write a dashboard as a file: for git, for another platform, for Grafana."""
    if form not in _FORMS:
        raise typer.BadParameter(f"there is no format {form!r}: write {', '.join(_FORMS)}")
    text, _ = connect(url, token).get_text(f"/dashboards/{part(uid)}/export", format=form, lang=language)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
        typer.echo(f"wrote {output}", err=True)


_FORMS = ("yaml", "json", "grafana")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="Our YAML or JSON, or Grafana's JSON.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would come of it, and save nothing.")] = False,
    folder: Annotated[str, typer.Option(help="The folder to put it in.")] = "",
    uid: Annotated[str, typer.Option(help="The uid to give it; default: that of the file.")] = "",
    replace: Annotated[
        bool, typer.Option("--replace", help="Save over a dashboard with this uid; without it a copy is made.")
    ] = False,
    language: Language = "en",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Save a file as a dashboard, and say what could not be taken."""
    from eldonia_ops.protocols.text_file import read_text_file

    body = {"text": read_text_file(str(file)), "dry_run": dry_run, "folder": folder, "uid": uid, "replace": replace}
    body["message"] = f"imported from {file.name}"[:1_000]
    found = connect(url, token).post(f"/dashboards/import?lang={language}", body)
    if as_json:
        print_json(found)
        return
    counts = found["counts"]
    out = console()
    rows = [(one["level"], one["panel"] or "", one["title"], one["what"], one["reason"]) for one in found["report"]]
    if rows:
        print_table(("", "panel", "title", "what", "reason"), rows, empty="")
    for one in found["problems"]:
        out.print(f"{one['level']}: {one['path']}: {one['message']}", style="yellow")
    out.print(
        f"{counts['taken']} of {counts['panels']} panels taken, {counts['changed']} of them with a note, "
        f"{counts['dropped']} dropped."
    )
    saved = found["saved"]
    if saved is None:
        exists = f"; the uid {found['dashboard']['uid']} is in use: --replace saves over it" if found["exists"] else ""
        out.print(f"Nothing was saved (--dry-run){exists}.")
    else:
        out.print(f"Saved as {saved['dashboard']['uid']}, version {saved['version']}.", style="green")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Files, or folders with them.")],
    language: Language = "en",
    as_json: AsJson = False,
) -> None:
    """Check files without a platform: faults with their places, and what of Grafana's JSON could not be taken.

    Exit code 0: nothing wrong (warnings allowed). 1: errors. 2: no such file.
    """
    from eldonia_ops.lint import format_report
    from eldonia_ops.lint.sources import dashboard_paths
    from eldonia_ops.protocols.dashboard_file import examine_dashboard
    from eldonia_ops.protocols.text_file import read_text_file

    found: list[Diagnostic] = []
    notes: list[tuple[str, Note]] = []
    panels = 0
    for file in files:
        if not file.exists():
            raise ConfigError(Diagnostic("there is no such file", str(file)))
        for path in dashboard_paths(str(file)):
            read, diagnostics = examine_dashboard(read_text_file(path), path, language=language)
            found += diagnostics
            if read is not None:
                notes += [(path, note) for note in read.notes]
                panels += sum(len(one.panels) if one.type == "row" else 1 for one in read.dashboard.panels)
    if as_json:
        print_json({"faults": [_plain(one) for one in found], "notes": [_note(*one, language) for one in notes]})
    else:
        rows = [
            (path, note.level, note.panel or "", note.title, note.what, note.reason(language)) for path, note in notes
        ]
        if rows:
            print_table(("file", "", "panel", "title", "what", "reason"), rows, empty="")
        typer.echo(format_report(found))
        typer.echo(f"{panels} panels")
    if any(one.level is Level.ERROR for one in found):
        raise typer.Exit(1)


@app.command()
def versions(uid: Uid, url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """The versions of a dashboard, the latest first; also of a deleted one."""
    found = connect(url, token).get(f"/dashboards/{part(uid)}/versions")
    if as_json:
        print_json(found)
        return
    rows = [(one["version"], shown_time(one["saved_at"]), one["saved_by"], one["message"]) for one in found]
    print_table(("version", "saved", "by", "message"), rows, empty="It has no versions.")


@app.command()
def diff(
    uid: Uid,
    before: Annotated[int, typer.Option("--from", help="A version; default: the one before the latest.")] = 0,
    after: Annotated[int, typer.Option("--to", help="Another; default: as it is now.")] = 0,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """What differs between two versions. Exit code 1 when something does."""
    client = connect(url, token)
    if not before:
        listed = client.get(f"/dashboards/{part(uid)}/versions")
        before = listed[min(1, len(listed) - 1)]["version"] if listed else 1
    found = client.get(f"/dashboards/{part(uid)}/diff", **{"from": str(before), "to": str(after)})
    if as_json:
        print_json(found)
    else:
        typer.echo(found["text"] or "nothing differs")
    if found["changes"]:
        raise typer.Exit(1)


@app.command()
def restore(
    uid: Uid,
    version: Annotated[int, typer.Argument(help="The version that becomes the newest.")],
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Make an earlier version the newest; brings a deleted dashboard back."""
    found = connect(url, token).post(f"/dashboards/{part(uid)}/restore", {"version": version})
    typer.echo(f"{uid} is at version {found['version']} now")


def _changed(one: dict[str, Any]) -> str:
    return f"{shown_time(one['changed_at'])} by {one['changed_by']}" if one["version"] else ""


def _text(value: Any, language: str) -> str:
    return value if isinstance(value, str) else str(value.get(language) or value.get("en", ""))


def _panels(document: dict[str, Any], language: str) -> "list[tuple[object, ...]]":
    found: list[tuple[object, ...]] = []
    for panel in document.get("panels", []):
        found.append((panel["id"], panel["type"], _text(panel.get("title", ""), language), _first(panel)))
        for inner in panel.get("panels", []):
            title = f"  {_text(inner.get('title', ''), language)}"
            found.append((inner["id"], inner["type"], title, _first(inner)))
    return found


def _first(panel: dict[str, Any]) -> str:
    queries = [" ".join(one["expr"].split()) for one in panel.get("queries", [])]
    return queries[0] + (f"  (and {len(queries) - 1} more)" if len(queries) > 1 else "") if queries else ""


def _plain(one: Diagnostic) -> dict[str, Any]:
    return {
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "level": one.level.value,
        "message": one.message,
        "hint": one.hint,
    }


def _note(file: str, note: "Note", language: str) -> dict[str, Any]:
    return {
        "file": file,
        "level": note.level,
        "panel": note.panel,
        "title": note.title,
        "what": note.what,
        "reason": note.reason(language),
    }
