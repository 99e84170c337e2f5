"""What is wrong with a file that a person wrote, and where."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How grave a diagnostic is; only errors keep the platform from starting."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding about one place in one file.

    ``line`` and ``column`` count from 1; 0 means unknown. ``hint`` says what to do, in one sentence.
    """

    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    hint: str = ""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        prefix = f"{place}: " if place else ""
        suffix = f" ({self.hint})" if self.hint else ""
        return f"{prefix}{self.level.value}: {self.message}{suffix}"


class ConfigError(ValueError):
    """Configuration that cannot be used. ``diagnostics`` holds every fault found, not only the first."""

    def __init__(self, diagnostics: Sequence[Diagnostic] | Diagnostic | str) -> None:
        if isinstance(diagnostics, str):
            diagnostics = Diagnostic(diagnostics)
        if isinstance(diagnostics, Diagnostic):
            diagnostics = (diagnostics,)
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(str(item) for item in self.diagnostics))


class StoreError(RuntimeError):
    """A store cannot be opened, refused or failed; the message says why."""


class UnreadableError(StoreError):
    """One stored thing cannot be read; the store itself works."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """A hint such as ``did you mean 'group_wait'?``, or an empty string when nothing is close."""
    close = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.6)
    return f"did you mean '{close[0]}'?" if close else ""
