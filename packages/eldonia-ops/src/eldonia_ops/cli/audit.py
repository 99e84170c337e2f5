"""``eldonia-ops audit``: who changed what."""

from typing import Annotated, Any, Final

import typer

from eldonia_ops.cli.session import DEFAULT, AsJson, Token, Url, connect, print_json, print_table, shown_time

_EARLIEST_MS: Final = 100_000_000_000
"""Numbers from here on are instants, where the field is called so."""


def audit(
    since: Annotated[str, typer.Option(help="7d, yesterday, an instant.")] = "7d",
    actor: Annotated[str, typer.Option(help="Name of a person or token.")] = "",
    kind: Annotated[str, typer.Option(help="incident, silence, token, account, configuration …")] = "",
    subject: Annotated[str, typer.Option(help="INC-2, or the name or id of what was changed.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    url: Url = DEFAULT,
    token: Token = "",
    as_json: AsJson = False,
) -> None:
    """Who changed what, with the fields before and after. Needs a token of the role admin."""
    from eldonia_ops.cli.local_times import local_instant

    found = connect(url, token).get(
        "/audit", since=local_instant(since), actor=actor, kind=kind, subject=subject, limit=limit
    )
    if as_json:
        print_json(found)
        return
    rows = [
        (
            shown_time(one["at"]),
            one["actor"] or "-",
            f"{one['kind']} {one['action']}",
            one["title"] or one["subject"],
            ", ".join(
                f"{each['field']}: {_short(each, 'before')} → {_short(each, 'after')}" for each in one["changes"]
            ),
        )
        for one in found
    ]
    print_table(("time", "who", "did", "to", "changes"), rows, empty="Nothing was changed in this time.")


def _short(change: dict[str, Any], state: str) -> str:
    value = change[state]
    if isinstance(value, int) and change["field"].rpartition("_")[2] == "at" and value > _EARLIEST_MS:
        return shown_time(value)
    text = "-" if value in (None, "") else str(value).replace("\n", " ")
    return text if len(text) <= 40 else text[:39] + "…"
