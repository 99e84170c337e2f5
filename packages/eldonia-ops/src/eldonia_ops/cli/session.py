"""What every command that talks to a running platform shares: its options, its output, its errors."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from eldonia_ops.cli.client import DEFAULT_URL, Client, find_token
from eldonia_ops.cli.nearby import nearby
from eldonia_ops.cli.screen import Screen, safe_json

Url = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="ELDONIA_OPS_URL",
        help=f"Where the platform listens; default: what eldonia-ops.yml in this folder says, else {DEFAULT_URL}.",
        show_default=False,
    ),
]
Token = Annotated[
    str,
    typer.Option(
        "--token",
        envvar="ELDONIA_OPS_TOKEN",
        help="Access token; default: the admin token in the data folder.",
        show_default=False,
    ),
]
Since = Annotated[
    str,
    typer.Option(
        "--since", "--from", help="Such as -15m, 7d, yesterday, 'last tuesday', 09:30, 2026-11-24, RFC 3339, Unix ms."
    ),
]
Until = Annotated[str, typer.Option("--until", "--to", help="The same for the end; a day counts up to its end.")]
Where = Annotated[
    list[str] | None,
    typer.Option(help="A condition on a field or attribute, such as user.id=42 or 'duration>=500'; repeatable."),
]
SinceDays = Annotated[str, typer.Option("--since", help="Since when: 30d, yesterday, monday, last month.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise typer.BadParameter(f"there are texts in {' and '.join(LANGUAGES)} only, not in {value!r}")
    return value


LANGUAGES = ("en", "ja")
Language = Annotated[str, typer.Option("--lang", envvar="ELDONIA_OPS_LANG", help="en or ja.", callback=_language)]

DEFAULT = ""
"""What the settings in this folder say."""
_PIPE_WIDTH = 400
_STYLES = {
    "critical": "bold red",
    "error": "bold red",
    "firing": "red",
    "failed": "red",
    "down": "red",
    "high": "red",
    "open": "red",
    "escalated": "bold red",
    "warning": "yellow",
    "warn": "yellow",
    "medium": "yellow",
    "pending": "yellow",
    "retry": "yellow",
    "investigating": "yellow",
    "suppressed": "dim",
    "debug": "dim",
    "resolved": "green",
    "closed": "green",
    "delivered": "green",
    "up": "green",
    "healthy": "green",
    "ok": "green",
}


def connect(url: str, token: str) -> Client:
    """A client for the platform at ``url``, or for the one whose settings are here, with the token given or found in
    its data folder."""
    here = nearby()
    if here.passed_over and not url:
        Screen(stderr=True, soft_wrap=True).print(f"note: {here.passed_over}", style="yellow")
    url = url or here.url
    return Client(url, find_token(token, here.data, url))


def console() -> Console:
    """Standard output; colours only on a terminal, and in a pipe lines as long as they are."""
    if sys.stdout.isatty():
        return Screen(file=sys.stdout)
    return Screen(file=sys.stdout, soft_wrap=True, width=_PIPE_WIDTH)


def print_json(value: Any) -> None:
    """JSON on standard output, Unicode as it is."""
    sys.stdout.write(safe_json(json.dumps(value, ensure_ascii=False, indent=2)) + "\n")


def print_json_line(value: Any) -> None:
    """JSON on one line, for listings that go on."""
    sys.stdout.write(safe_json(json.dumps(value, ensure_ascii=False)) + "\n")
    sys.stdout.flush()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str) -> None:
    """A table, or the sentence ``empty`` when there are no rows.

    On a terminal that is too narrow for the table each row becomes lines of its own, a value in each. In a pipe a row
    is one line.
    """
    listed = [[cell if isinstance(cell, Text) else coloured(str(cell)) for cell in row] for row in rows]
    out = console()
    if not listed:
        out.print(empty, style="dim")
        return
    wide = [max(map(cell_len, cells)) + 2 for cells in _columns(columns, listed)]
    if sys.stdout.isatty() and sum(wide) > out.width:
        _print_records(out, columns, listed)
        return
    if not sys.stdout.isatty():
        for line in ([Text(column) for column in columns], *listed):
            padded = [cell.plain + " " * (width - cell_len(cell.plain)) for cell, width in zip(line, wide, strict=True)]
            out.print(Text("".join(padded).rstrip()))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in listed:
        table.add_row(*row)
    out.print(table)


def _columns(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> list[list[str]]:
    """All texts of each column, its heading first."""
    return [[name, *(row[index].plain for row in rows)] for index, name in enumerate(columns)]


def _print_records(out: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    """Rows as blocks of lines; what is empty is left out."""
    width = max(map(len, columns)) + 2
    for index, row in enumerate(rows):
        if index:
            out.print()
        grid = Table.grid(padding=0)
        grid.add_column(width=width, style="dim")
        grid.add_column(overflow="fold")
        for column, cell in zip(columns, row, strict=True):
            if cell.plain not in ("", "-"):
                grid.add_row(column, cell)
        out.print(grid)


def coloured(word: str) -> Text:
    """A word in the colour of its meaning."""
    return Text(word, style=_STYLES.get(word, ""))


def shown_time(at_ms: int | float) -> str:
    """An instant (Unix ms) on this machine's clock, '-' for 0."""
    if not at_ms:
        return "-"
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def shown_day(at_ms: int) -> str:
    """The day of an instant (Unix ms) on this machine's clock."""
    return datetime.fromtimestamp(at_ms / 1000).astimezone().strftime("%Y-%m-%d")


def shown_span(ms: float) -> str:
    """A duration (milliseconds) in the two largest units that it fills, such as ``1h 5m``."""
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    rest = round(ms / 1000)
    parts: list[str] = []
    for unit, seconds in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        many, rest = divmod(rest, seconds)
        if many:
            parts.append(f"{many}{unit}")
    return " ".join(parts[:2])
