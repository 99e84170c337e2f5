"""What every store in memory can do: fail."""

from typing import Any

from eldonia_ops.ports import TelemetryError


class FailingStore:
    """``broken`` makes every insert and every search fail with its text."""

    broken: str = ""

    def check(self) -> None:
        if self.broken:
            raise TelemetryError(self.broken)

    async def statistics(self) -> dict[str, Any]:
        return {}

    async def close(self) -> None:
        pass
