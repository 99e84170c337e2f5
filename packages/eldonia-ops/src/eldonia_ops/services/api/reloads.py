"""Reading the configuration anew."""

from dataclasses import dataclass
from typing import Protocol

from eldonia_ops.model.errors import Diagnostic


@dataclass(frozen=True, slots=True)
class ReloadView:
    """How the last attempt to read the configuration anew went, the start included.

    ``at`` (Unix ms), ``seconds`` and ``by`` are about the attempt; ``by`` is the name of a token, ``SIGHUP`` or
    ``start``. ``succeeded_at`` is when what is in force was read. ``needs_restart`` names settings that differ in the
    files and take effect with the next start alone. ``diagnostics`` say why the attempt failed, or warn.
    """

    successful: bool
    at: int
    succeeded_at: int
    by: str
    seconds: float = 0.0
    needs_restart: tuple[str, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class Reloads(Protocol):
    """The configuration, read anew while the platform runs."""

    async def reload(self, actor: str) -> ReloadView:
        """Read all files and go on under what they say; if anything is wrong, nothing changes. Attempts wait for one
        another."""
        ...

    def last(self) -> ReloadView:
        """The last attempt."""
        ...
