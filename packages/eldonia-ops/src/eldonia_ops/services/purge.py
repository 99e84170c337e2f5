"""Forgets state that is finished and older than it has to be kept."""

from eldonia_ops.ports import Clock, StateStore, StateTransaction
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import supervise

_EVERY_MS = 3_600_000
_BATCH = 5_000


class PurgeService:
    """Purges once an hour. ``keep_ms`` is how long finished things stay."""

    def __init__(self, clock: Clock, state: StateStore, keep_ms: int, loops: Loops | None = None) -> None:
        self._clock = clock
        self._state = state
        self._keep_ms = keep_ms
        self._loops = loops

    def reconfigure(self, keep_ms: int) -> None:
        """Keep finished things for another time."""
        self._keep_ms = keep_ms

    async def run(self) -> None:
        """Purge until cancelled, the first time an hour after the start."""
        await supervise("purge", self._clock, self._turn, self._loops)

    async def _turn(self) -> None:
        await self._clock.sleep_until(self._clock.now() + _EVERY_MS)
        await self.purge_once()

    async def purge_once(self) -> int:
        """Drop everything that is due, in batches so that writers are not held up; returns the rows dropped."""
        before = self._clock.now() - self._keep_ms
        total = 0

        def work(tx: StateTransaction) -> dict[str, int]:
            return tx.purge(before, _BATCH)

        while True:
            dropped = await self._state.write(work)
            total += sum(dropped.values())
            if not any(count >= _BATCH for count in dropped.values()):
                return total
