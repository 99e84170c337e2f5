"""What the stores of logs, metrics and traces have in common."""

from typing import Any, Protocol

from eldonia_ops.model.errors import StoreError


class TelemetryError(StoreError):
    """A telemetry store refused or failed; the message says why."""


class TelemetryUnavailableError(TelemetryError):
    """A telemetry store could not be reached, whatever was asked of it: nothing is wrong with the data."""


class TelemetryLimitError(TelemetryError):
    """A question took more time, rows or memory than allowed: narrow it and ask again."""


class QueryTooLargeError(TelemetryLimitError):
    """The same, in words of our own that say what to do."""


class QueryTooComplexError(QueryTooLargeError):
    """The question itself has too many parts within each other: it is refused whatever it would find."""


class TooManySamplesError(TelemetryLimitError):
    """A question would load more samples than it may; it was stopped before it had loaded more."""


class SignalStore(Protocol):
    """The life of a store, whatever it holds. An insert returns only when the data would survive ``kill -9``."""

    async def statistics(self) -> dict[str, Any]:
        """Rows and bytes per signal, head size, detached parts; shown on the status page."""
        ...

    async def close(self) -> None:
        """Stop intake, finish what runs, close the engine. Idempotent."""
        ...
