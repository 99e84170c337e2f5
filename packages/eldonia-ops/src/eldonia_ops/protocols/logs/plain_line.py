"""What was found in a line of text."""

from dataclasses import dataclass, field
from typing import Any

from eldonia_ops.model.logs import LogError, LogLevel


@dataclass(slots=True)
class PlainLine:
    """What a line says. ``timestamp_ns`` is 0 and ``level`` None where it names neither.

    ``fields`` are further fields of a :class:`~eldonia_ops.model.logs.LogRecord` by their names, None for none.
    ``format`` is the name of the form in which the line is written, '' for no known one.
    """

    message: str
    timestamp_ns: int = 0
    level: LogLevel | None = None
    service: str = ""
    hostname: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    error: LogError | None = None
    fields: dict[str, Any] | None = None
    format: str = ""
