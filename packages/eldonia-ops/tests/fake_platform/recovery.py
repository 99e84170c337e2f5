"""Two services under recovery, one of them waiting for its next attempt."""

from collections.abc import Callable
from dataclasses import replace

from eldonia_ops.services.api import (
    NotFoundError,
    RecoveryView,
)
from fake_platform.times import HOUR, MINUTE


class FakeRecovery:
    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        now = clock()
        self.stored = {
            "shop": RecoveryView("shop", "healthy", 0, 3, 0, now - 5 * HOUR, "answered 200 in 12 ms", False, True),
            "payment-gateway": RecoveryView(
                "payment-gateway", "waiting", 1, 3, now + 20_000, now - 7 * MINUTE, "connection refused", False, False
            ),
        }

    async def status(self) -> list[RecoveryView]:
        return list(self.stored.values())

    async def set_maintenance(self, service: str, on: bool, actor: str) -> RecoveryView:
        self.stored[service] = replace(self._get(service), maintenance=on)
        return self.stored[service]

    async def reset(self, service: str, actor: str) -> RecoveryView:
        self.stored[service] = replace(self._get(service), attempts=0, state="healthy")
        return self.stored[service]

    def _get(self, service: str) -> RecoveryView:
        if service not in self.stored:
            raise NotFoundError(f"recovery does not watch {service}")
        return self.stored[service]
