"""Automatic recovery of services."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """The recovery state of one service; ``state`` is the machine's phase."""

    service: str
    state: str
    attempts: int
    max_attempts: int
    next_attempt_at: int
    last_change_at: int
    last_detail: str
    maintenance: bool
    healthy: bool | None


class Recovery(Protocol):
    """Automatic recovery, and the hand on its brake."""

    async def status(self) -> list[RecoveryView]: ...
    async def set_maintenance(self, service: str, on: bool, actor: str) -> RecoveryView: ...
    async def reset(self, service: str, actor: str) -> RecoveryView: ...
