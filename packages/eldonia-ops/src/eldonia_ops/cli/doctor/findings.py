"""What a look at the machine and the platform finds."""

from dataclasses import dataclass
from enum import IntEnum


class Gravity(IntEnum):
    """How grave a finding is; the gravest is shown first."""

    ERROR = 0
    WARNING = 1
    NOTE = 2
    OK = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """``what`` was seen, what it ``means``, and what to ``do`` about it; the last two are empty where all is well."""

    gravity: Gravity
    topic: str
    what: str
    means: str = ""
    do: str = ""


def ok(topic: str, what: str) -> Finding:
    """All is well."""
    return Finding(Gravity.OK, topic, what)


def note(topic: str, what: str, means: str = "", do: str = "") -> Finding:
    """Worth to know; nothing has to be done."""
    return Finding(Gravity.NOTE, topic, what, means, do)


def warning(topic: str, what: str, means: str, do: str) -> Finding:
    """It works today and may not tomorrow."""
    return Finding(Gravity.WARNING, topic, what, means, do)


def error(topic: str, what: str, means: str, do: str) -> Finding:
    """Something does not work."""
    return Finding(Gravity.ERROR, topic, what, means, do)
