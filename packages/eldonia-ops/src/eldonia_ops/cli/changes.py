"""``eldonia-ops changes``: deploys and other changes, so that an incident shows what changed before it."""

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

app = typer.Typer(help="Deploys and other changes; incidents and charts show them.", no_args_is_help=True)
Service = Annotated[str, typer.Option(help="The service that is changed; none for all.")]


@app.command("list")
def list_changes(
    since: Annotated[str, typer.Option(help="7d, yesterday, an instant.")] = "7d",
    service: Service = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Changes, newest first."""
    from eldonia_ops.cli.local_times import local_instant

    found = connect(url, token).get("/changes", since=local_instant(since), service=service, limit=200)
    if as_json:
        print_json(found)
        return
    rows = [
        (item["id"][:8], shown_time(item["at"]), item["kind"], item["service"] or "-", item["version"], item["title"])
        for item in found
    ]
    print_table(("id", "time", "kind", "service", "version", "what"), rows, empty="No changes were reported.")


@app.command("add")
def add_change(
    title: Annotated[str, typer.Argument(help="What was changed, such as 'shop 2.4.1'.")],
    service: Service = "",
    version: Annotated[str, typer.Option(help="The version that is live now.")] = "",
    kind: Annotated[str, typer.Option(help="deploy, configuration or other.")] = "deploy",
    link: Annotated[str, typer.Option(help="Address of the release or pull request.")] = "",
    at: Annotated[str, typer.Option(help="When, if not now: -10m, 14:05.")] = "now",
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Report a change; the last step of a deployment. A token with the role ingest is enough."""
    from eldonia_ops.cli.local_times import local_instant

    body = {"title": title, "service": service, "version": version, "kind": kind, "url": link}
    made = connect(url, token).post("/changes", body if at == "now" else {**body, "at": local_instant(at)})
    console().print(f"change {made['id'][:8]} is kept, at {shown_time(made['at'])}")


@app.command("delete")
def delete_change(
    id: Annotated[str, typer.Argument(help="As `changes list --json` shows it.")], url: Url = DEFAULT, token: Token = ""
) -> None:
    """Delete a change that was reported by mistake."""
    connect(url, token).delete(f"/changes/{part(id)}")
    console().print(f"change {id} is deleted")
