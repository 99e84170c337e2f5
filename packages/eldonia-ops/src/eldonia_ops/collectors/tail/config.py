"""The section ``logs`` of the settings."""

from dataclasses import dataclass
from typing import Annotated, Final

from eldonia_ops.protocols.log_lines import LineFormat
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
            "`json`: one object a line, in our form or one of those below. `raw`: a line is its own message. `auto`: "
            "lines that begin with a brace are JSON. A line that cannot be read is kept as text, with a mark.",
        ),
    ] = "json"


SECTION: Final = Setting(Items(LogFile, "path", "logs"), "Log files to follow.")
