"""``eldonia-ops logs patterns`` and ``logs new``: which messages there are, and which of them are new."""

from typing import Annotated, Any

import typer
from rich.text import Text

from eldonia_ops.cli.local_times import local_instant, local_zone
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
from eldonia_ops.model.plurals import counted

Query = Annotated[str, typer.Argument(help="Which records, such as: level>=warn service:shop (docs/search.md).")]
Limit = Annotated[int, typer.Option(help="At most so many.", min=1, max=1000)]
_STYLES = {"new": "red", "more": "yellow", "rarer": "cyan", "gone": "dim"}


def patterns(
    query: Query = "",
    since: Since = "-1h",
    until: Until = "now",
    limit: Limit = 50,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """The patterns of the messages that a search finds, the most frequent first.

    <#> is in the place of a number or an identifier, <*> of any word. pattern:ID in a search finds the records.
    """
    start, end = local_instant(since), local_instant(until, end=True)
    found = connect(url, token).get(
        "/logs/patterns", query=query, since=start, until=end, tz=local_zone(), limit=limit, buckets=1
    )
    if as_json:
        print_json(found)
        return
    total = found["total"] or 1
    rows = [
        (one["id"], one["count"], f"{100 * one['count'] / total:.1f} %", one["level"], _services(one), _template(one))
        for one in found["patterns"]
    ]
    print_table(("id", "records", "share", "level", "services", "pattern"), rows, empty="No patterns in this time.")
    if found["groups"] > len(rows):
        console().print(f"{found['groups'] - len(rows)} more: --limit shows them.", style="dim")
    if found["without"]:
        console().print(
            f"{counted(found['without'], 'record')} without a pattern: free text, or stored before patterns were "
            "counted.",
            style="dim",
        )


def new(
    query: Query = "",
    since_deploy: Annotated[
        bool, typer.Option("--since-deploy", help="Since the latest deploy; --service: of this service.")
    ] = False,
    deploy: Annotated[str, typer.Option(help="Since the deploy with this id (changes list --json).")] = "",
    incident: Annotated[str, typer.Option(help="In an incident, such as INC-2.")] = "",
    range_: Annotated[
        str, typer.Option("--range", "--since", metavar="FROM[..TO]", help="A time, such as -15m or 09:00..09:30.")
    ] = "-1h",
    against: Annotated[
        str, typer.Option(metavar="FROM..TO", help="The time to compare with; the time right before, if left out.")
    ] = "",
    service: Annotated[list[str] | None, typer.Option(help="Only this service; repeatable.")] = None,
    limit: Limit = 50,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """What is new in the logs: patterns that are new, gone, much more frequent, or rarer than before.

    More and rarer: at least twice or at most half the rate, five records, and three standard deviations from chance.
    """
    if sum((since_deploy, bool(deploy), bool(incident), range_ != "-1h")) > 1:
        raise typer.BadParameter("give one of --since-deploy, --deploy, --incident and --range")
    wanted: dict[str, Any] = {"query": query, "service": service or [], "tz": local_zone(), "limit": limit}
    wanted |= {"buckets": 1, "incident": incident, "deploy": "latest" if since_deploy else deploy}
    if not (incident or wanted["deploy"]):
        wanted["since"], wanted["until"] = _range(range_, "--range")
    if against:
        if ".." not in against:
            raise typer.BadParameter("--against is FROM..TO")
        wanted["against_since"], wanted["against_until"] = _range(against, "--against")
    found = connect(url, token).get("/logs/pattern-changes", **wanted)
    if as_json:
        print_json(found)
        return
    out = console()
    title = f"{found['title']}: " if found["title"] else ""
    out.print(
        f"{title}{shown_time(found['since'])} to {shown_time(found['until'])} against "
        f"{shown_time(found['before_since'])} to {shown_time(found['before_until'])}",
        style="dim",
    )
    rows = [
        (
            Text(one["difference"], style=_STYLES[one["difference"]]),
            one["pattern"]["id"],
            one["count"],
            one["count_before"],
            "-" if one["difference"] in ("new", "gone") else f"{one['ratio']:.3g} ×",
            one["pattern"]["level"],
            _services(one["pattern"]),
            _template(one["pattern"]),
        )
        for one in found["changes"]
    ]
    columns = ("", "id", "records", "before", "rate", "level", "services", "pattern")
    print_table(columns, rows, empty="Nothing is new, gone, much more frequent or rarer.")
    if found["groups"] > len(rows):
        out.print(f"{found['groups'] - len(rows)} more: --limit shows them.", style="dim")


def _range(text: str, option: str) -> tuple[str, str]:
    start, _, end = text.partition("..")
    if not start:
        raise typer.BadParameter(f"{option} begins with a time: FROM..TO")
    return local_instant(start), local_instant(end or "now", end=True)


def _services(pattern: dict[str, Any]) -> str:
    names = list(pattern["services"])
    return ", ".join(names[:2]) + (f" +{len(names) - 2}" if len(names) > 2 else "") or "-"


def _template(pattern: dict[str, Any]) -> Text:
    return Text(pattern["template"] or "(its template is not known)")
