"""The tables as text for the terminal and as Markdown for ``docs/benchmarks.md``."""

from collections.abc import Sequence
from datetime import date

from benchmarks.harness import Row, Table, number


def as_text(table: Table) -> str:
    """One table for the terminal."""
    cells = [_cells(row) for row in table.rows]
    widths = [max((len(line[column]) for line in cells), default=0) for column in range(4)]
    lines = [table.title]
    for name, middle, ends, ratio in cells:
        parts = (name.ljust(widths[0]), middle.rjust(widths[1]), ends.ljust(widths[2]), ratio)
        lines.append(("  " + "  ".join(parts)).rstrip())
    return "\n".join([*lines, *(f"  * {note}" for note in table.notes)])


def as_markdown(tables: Sequence[Table], *, command: str, machine: str, versions: str) -> str:
    """The whole page."""
    parts = [
        "# Benchmarks",
        "",
        f"Written by `{command}` on {date.today().isoformat()}; run it again to get your own. The contenders of a",
        "table took turns in one run (A B A B …); figures are medians, with the lowest and the highest beside them.",
        "Trust the ratios before the absolute figures: the machine is small and was not idle. No test fails by speed.",
        "",
        f"- Machine: {machine}",
        f"- Versions: {versions}",
    ]
    for table in tables:
        parts += ["", f"## {table.title}", "", "| | median | lowest - highest | compared |", "|---|---:|---:|---|"]
        parts += [f"| {' | '.join(_cells(row))} |" for row in table.rows]
        if table.notes:
            parts += ["", *(f"- {note}" for note in table.notes)]
    return "\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, str, str, str]:
    spread = row.spread
    ends = "" if spread.low == spread.high else f"{number(spread.low)} - {number(spread.high)}"
    return row.name, f"{number(spread.middle)} {row.unit}", ends, row.ratio
