"""Faults of a ``fluent.conf``: each is noted with its place, and reading goes on behind it."""

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.pipeline.section import Place


class ConfigSyntaxError(Exception):
    """One thing that cannot be read. ``hint`` says how to write it."""

    def __init__(self, message: str, place: Place, hint: str = "") -> None:
        super().__init__(message)
        self.diagnostic = diagnostic(message, place, hint)


def diagnostic(message: str, place: Place, hint: str = "", level: Level = Level.ERROR) -> Diagnostic:
    """What is wrong at a place."""
    return Diagnostic(message, place.file, place.line, hint=hint, level=level)
