"""What comes out of searches of logs with pipes, on the terminal and as files."""

import sys
from typing import Any, Final
from urllib.parse import urlencode

from eldonia_ops.cli.client import Client
from eldonia_ops.cli.session import console, print_json, print_table, shown_time

FORMATS: Final = ("ndjson", "csv")


def print_log_table(table: dict[str, Any], *, as_json: bool) -> None:
    """A table of rows; a hint when some are left out."""
    if as_json:
        print_json(table)
        return
    kinds = [column["kind"] for column in table["columns"]]
    rows = [[_shown(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in table["rows"]]
    print_table([column["name"] for column in table["columns"]], rows, empty="Nothing comes out.")
    if table["more"]:
        shown = f"the first {len(rows)}"
        console().print(f"More rows than {shown}: --limit shows more, --format csv has all.", style="dim")


def _shown(value: Any, kind: str) -> str:
    """Six digits are enough to compare values; ``--json`` has them whole."""
    if value is None:
        return "-"
    if kind == "time":
        return shown_time(int(value))
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    return str(value)


def download(client: Client, format: str, parameters: dict[str, Any]) -> None:
    """Write all that a search finds to the standard output, as it comes."""
    pairs = [
        (name, one)
        for name, value in parameters.items()
        if value not in (None, "")
        for one in (value if isinstance(value, list) else [value])
    ]
    with client.stream(f"/logs/export.{format}?{urlencode(pairs)}") as answer:
        for piece in answer.pieces:
            sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
