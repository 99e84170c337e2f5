"""A configuration that can be read anew, and can be faulty."""

from collections.abc import Callable

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.services.api import ReloadView


class FakeReloads:
    """``faults`` makes the next attempts fail."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self.faults: tuple[Diagnostic, ...] = ()
        self.needs_restart: tuple[str, ...] = ()
        self._last = ReloadView(True, clock() - 60_000, clock() - 60_000, "start")

    async def reload(self, actor: str) -> ReloadView:
        now = self._now()
        if self.faults:
            self._last = ReloadView(False, now, self._last.succeeded_at, actor, 0.02, (), self.faults)
        else:
            self._last = ReloadView(True, now, now, actor, 0.02, self.needs_restart)
        return self._last

    def last(self) -> ReloadView:
        return self._last
