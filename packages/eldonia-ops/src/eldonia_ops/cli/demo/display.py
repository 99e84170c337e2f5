"""The demonstration's progress: a live table on a terminal, a line a stage elsewhere."""

import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from eldonia_ops.cli.demo.stages import ACTS, Outcome, Stage
from eldonia_ops.cli.screen import Screen

_SIGNS = {
    Outcome.WAITING: ("·", "dim"),
    Outcome.RUNNING: ("…", "yellow"),
    Outcome.OBSERVED: ("✓", "green"),
    Outcome.MISSED: ("✗", "bold red"),
}


@dataclass(slots=True)
class Row:
    """How one stage went: ``at`` is seconds since the start of the demonstration, ``note`` what was seen."""

    stage: Stage
    outcome: Outcome = Outcome.WAITING
    at: float = 0.0
    took: float = 0.0
    note: str = ""


@dataclass(slots=True)
class Progress:
    """Rows of all stages, drawn as they change."""

    stages: tuple[Stage, ...]
    language: str = "en"
    console: Console = field(default_factory=lambda: Screen(file=sys.stdout))
    rows: dict[str, Row] = field(init=False)
    _live: Live | None = field(default=None, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)
    _act: int = field(default=-1, init=False)

    def __post_init__(self) -> None:
        self.rows = {stage.key: Row(stage) for stage in self.stages}

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._live = Live(self._table(), console=self.console, refresh_per_second=8, vertical_overflow="visible")
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.update(self._table(), refresh=True)
            self._live.stop()
            self._live = None

    @property
    def elapsed(self) -> float:
        """Seconds since the demonstration began."""
        return time.monotonic() - self._began

    def started(self, key: str) -> None:
        """A stage is being waited for."""
        row = self.rows[key]
        row.outcome, row.at = Outcome.RUNNING, self.elapsed
        self._draw()

    def finished(self, key: str, outcome: Outcome, note: str = "") -> None:
        """A stage was observed or missed."""
        row = self.rows[key]
        row.took = self.elapsed - row.at
        row.outcome, row.at, row.note = outcome, self.elapsed, note
        if self._live is None:
            self._print(row)
        self._draw()

    def say(self, text: str) -> None:
        """A line above the table."""
        (self._live.console if self._live else self.console).print(text)

    def _draw(self) -> None:
        if self._live is not None:
            self._live.update(self._table())

    def _print(self, row: Row) -> None:
        if row.stage.act != self._act:
            self._act = row.stage.act
            self.console.print(f"\n{ACTS[self._act][self.language == 'ja']}", style="bold")
        sign, style = _SIGNS[row.outcome]
        line = Text.assemble(
            (f" {sign} ", style), (f"{row.at:6.1f} s  ", "dim"), row.stage.title(self.language), (_note(row), "dim")
        )
        self.console.print(line, soft_wrap=True)

    def _table(self) -> Table:
        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column(width=2)
        table.add_column(justify="right", width=8, style="dim")
        table.add_column()
        act = -1
        for row in self.rows.values():
            if row.stage.act != act:
                act = row.stage.act
                table.add_row("", "", Text(ACTS[act][self.language == "ja"], style="bold"))
            sign, style = _SIGNS[row.outcome]
            shown = f"{row.at:.1f} s" if row.outcome in (Outcome.OBSERVED, Outcome.MISSED) else ""
            title = Text(row.stage.title(self.language), style="dim" if row.outcome is Outcome.WAITING else "")
            table.add_row(Text(sign, style=style), shown, title.append(_note(row), style="dim"))
        return table


def _note(row: Row) -> str:
    return f"  ({row.note})" if row.note else ""
