"""Security events and findings."""

from collections.abc import Sequence
from typing import Any, Protocol

from eldonia_ops.model.security import Finding, FindingStatus, SecurityEvent


class Security(Protocol):
    """Security findings."""

    async def take(self, events: Sequence[SecurityEvent]) -> None:
        """Count events of our own; returns when what follows from them is committed."""
        ...

    async def find(self, *, statuses: Sequence[FindingStatus] = (), limit: int = 100) -> list[Finding]: ...
    async def get(self, id: str) -> Finding: ...
    async def change_status(self, id: str, actor: str, status: FindingStatus, note: str = "") -> Finding: ...
    async def report(self, since_ms: int) -> dict[str, Any]:
        """Counts by type, severity, status and source."""
        ...
