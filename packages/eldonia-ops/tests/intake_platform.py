"""What an intake may use of the platform, kept in lists: for tests of routes and of what they decode."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from eldonia_ops.intake import IntakeLimits, IntakeRequest
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.sinks import Receipt, RefusedItem

T = TypeVar("T")
NOW = 1_795_000_000 * 10**9


class LogList:
    """Keeps the records of each key once. Those whose message is "old" are refused."""

    def __init__(self) -> None:
        self.records: list[LogRecord] = []
        self.keys: list[str] = []

    async def logs(self, records: Sequence[LogRecord], *, batch_key: str = "") -> Receipt:
        if not batch_key or batch_key not in self.keys:
            self.records += [record for record in records if record.message != "old"]
            self.keys.append(batch_key)
        refused = tuple(RefusedItem(n, "too old") for n, record in enumerate(records) if record.message == "old")
        return Receipt(len(records), refused)


class ListPlatform:
    """Implements :class:`~eldonia_ops.intake.IntakePlatform`."""

    def __init__(self, unpacked: int = 1 << 20) -> None:
        self.logs = LogList()
        self.spans: Any = None
        self.samples: Any = None
        self.limits = IntakeLimits(unpacked=unpacked)
        self.counted: dict[str, int] = {}

    def now_ns(self) -> int:
        return NOW

    async def aside(self, work: Callable[[], T]) -> T:
        return work()

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        assert signal == "logs"
        for reason, count in reasons.items():
            self.counted[reason] = self.counted.get(reason, 0) + count

    @property
    def messages(self) -> list[str]:
        return [record.message for record in self.logs.records]


def posted(path: str, body: bytes, query: Mapping[str, str] | None = None, **headers: str) -> IntakeRequest:
    """A request; of the headers' names underscores are dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return IntakeRequest(path, named, query or {}, body, "shop (192.0.2.7)")
