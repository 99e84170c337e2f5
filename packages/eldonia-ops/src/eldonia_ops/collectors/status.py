"""The state of a collector's target, for the targets page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from eldonia_ops.model.labels import EMPTY, Labels


class TurnWatch(Protocol):
    """What a collector notes its own failures in: those that no target is to blame for."""

    def succeeded(self) -> None:
        """A turn went well."""
        ...

    def failed(self, error: BaseException) -> None:
        """A turn failed."""
        ...


class Unwatched:
    """A :class:`TurnWatch` that is never read."""

    def succeeded(self) -> None:
        """A turn went well."""

    def failed(self, error: BaseException) -> None:
        """A turn failed."""


def _unobserved(_seconds: float) -> None:
    pass


class TargetHealth(StrEnum):
    """Whether the last look at a target succeeded."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class TargetStatus:
    """One target as last seen; the collector that owns it changes it in place.

    ``kind`` is that of the collector, such as ``scrape`` or ``tail``; ``last_at`` is Unix ms, 0 for never;
    ``error`` is a sentence for people; ``skipped`` counts turns that were left out because the store was slow;
    ``interval_ms`` and ``timeout_ms`` are 0 for what has none. ``url`` never holds a password.
    ``recognised`` is the form of a log file's lines, as
    :func:`~eldonia_ops.protocols.line_formats.recognise.form_of` names it.
    """

    kind: str
    name: str
    url: str
    labels: Labels = EMPTY
    health: TargetHealth = TargetHealth.UNKNOWN
    last_at: int = 0
    duration_seconds: float = 0.0
    error: str = ""
    samples: int = 0
    skipped: int = 0
    interval_ms: int = 0
    timeout_ms: int = 0
    parse_errors: int = 0
    recognised: str = ""
    observe: Callable[[float], None] = field(default=_unobserved, repr=False, compare=False)
    """Takes the seconds of each look."""

    def succeeded(self, at: int, duration_seconds: float, samples: int = 0) -> None:
        """Note a good look."""
        self.health, self.last_at, self.duration_seconds = TargetHealth.UP, at, duration_seconds
        self.error, self.samples = "", samples
        self.observe(duration_seconds)

    def failed(self, at: int, duration_seconds: float, error: str) -> None:
        """Note a failed look and why."""
        self.health, self.last_at, self.duration_seconds = TargetHealth.DOWN, at, duration_seconds
        self.error, self.samples = error, 0
        self.observe(duration_seconds)
