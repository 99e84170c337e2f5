"""``eldonia-ops searches``: searches of logs that people saved for each other."""

from typing import Annotated, Any

import typer

from eldonia_ops.cli.client import ApiError, Client, part
from eldonia_ops.cli.logs import logs
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
    shown_time,
)

app = typer.Typer(help="Saved searches of logs.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The name of a saved search, or its id.")]


@app.command("list")
def list_searches(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """All saved searches by their names."""
    found = connect(url, token).get("/logs/searches")
    if as_json:
        print_json(found)
        return
    rows = [(one["name"], one["query"] or "*", one["saved_by"], shown_time(one["saved_at"])) for one in found]
    print_table(("name", "query", "saved by", "saved"), rows, empty="No one has saved a search yet.")


@app.command("save")
def save_search(
    name: Annotated[str, typer.Argument(help="What it is called; a search of this name is replaced.")],
    query: Annotated[str, typer.Argument(help="Such as: level:error | stats count() by service")],
    column: Annotated[list[str] | None, typer.Option(help="A field that is shown as a column; repeatable.")] = None,
    url: Url = DEFAULT,
    token: Token = "",
) -> None:
    """Save a search for all. Needs the role responder."""
    client = connect(url, token)
    body = {"name": name, "query": query, "columns": column or []}
    known = [one for one in client.get("/logs/searches") if one["name"] == name]
    if known:
        client.put(f"/logs/searches/{part(known[0]['id'])}", body)
        console().print(f"{name} is replaced.")
    else:
        client.post("/logs/searches", body)
        console().print(f"{name} is saved.")


@app.command("run")
def run_search(
    name: Name,
    since: Since = "-1h",
    until: Until = "now",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)] = 50,
    format: Annotated[
        str, typer.Option("--format", metavar="ndjson|csv", help="All that is found, as it is read.")
    ] = "",
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Run a saved search, as eldonia-ops logs would."""
    query = _named(connect(url, token), name)["query"]
    logs(query, url=url, token=token, as_json=as_json, since=since, until=until, limit=limit, format=format)


@app.command("delete")
def delete_search(name: Name, url: Url = DEFAULT, token: Token = "") -> None:
    """Delete a saved search. Needs the role responder."""
    client = connect(url, token)
    one = _named(client, name)
    client.delete(f"/logs/searches/{part(one['id'])}")
    console().print(f"{one['name']} is deleted; it was: {one['query'] or '*'}")


def _named(client: Client, name: str) -> dict[str, Any]:
    """The search of a name or an id.

    Raises:
        ApiError: there is none, or several have the name.
    """
    known = client.get("/logs/searches")
    found = [one for one in known if one["id"] == name] or [one for one in known if one["name"] == name]
    if len(found) == 1:
        return found[0]
    if found:
        raise ApiError(f"{len(found)} searches are called {name!r}", hint="name one by its id: searches list --json")
    raise ApiError(f"no saved search is called {name!r}", hint="eldonia-ops searches list shows all")
