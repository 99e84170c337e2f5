"""The section ``logs`` of the settings."""

from dataclasses import dataclass
from typing import Annotated, Final

from eldonia_ops.protocols.logs.lines import LineFormat
from eldonia_ops.settings.containers import Items
from eldonia_ops.settings.declaration import Setting
from eldonia_ops.settings.kinds import Choice
from eldonia_ops.settings.texts import Glob, Text


@dataclass(frozen=True, slots=True)
class LogFile:
    """Log files to follow. ``path`` is absolute once loaded."""

    path: Annotated[str, Setting(Glob(), "The files to follow.")]
    service: Annotated[str, Setting(Text(), "The service of lines that do not name theirs.")] = ""
    format: Annotated[
        str,
        Setting(
            Choice(tuple(item.value for item in LineFormat)),
            "`auto` recognises each line: JSON in our form or one of those below, a container's log, syslog, logfmt, "
            "the logs of nginx, Apache and PostgreSQL, text with a time at its beginning. `json`: another line than "
            "JSON is a fault, kept as text with a mark. `raw`: a line is its own message.",
        ),
    ] = "auto"


SECTION: Final = Setting(Items(LogFile, "path", "logs"), "Log files to follow.")
