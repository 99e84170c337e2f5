"""The stores of all three signals together."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

from eldonia_ops.ports.logs import LogStore
from eldonia_ops.ports.metrics import MetricStore
from eldonia_ops.ports.signals import SignalStore
from eldonia_ops.ports.traces import TraceStore

_SHOWN: Final = {"logs": ("logs",), "metrics": ("metrics", "series", "head"), "traces": ("traces",)}
_LISTS: Final = ("detached_parts", "settings_ignored")


class TelemetryStore(LogStore, MetricStore, TraceStore, Protocol):
    """One engine that holds all three signals."""


@dataclass(frozen=True, slots=True)
class TelemetryStores:
    """The store of each signal. Two or three of them may be the same object, over one engine."""

    logs: LogStore
    metrics: MetricStore
    traces: TraceStore

    @classmethod
    def on_one(cls, store: TelemetryStore) -> "TelemetryStores":
        """All signals in one store."""
        return cls(store, store, store)

    async def statistics(self) -> dict[str, Any]:
        """What the stores say of their signals.

        With more than one store, ``stores`` holds by signal what each says of its engine; the detached parts and
        the ignored settings of all are in one list each.
        """
        by_store = {id(store): await store.statistics() for store in self._distinct()}
        if len(by_store) == 1:
            return next(iter(by_store.values()))
        of_signal = {signal: by_store[id(getattr(self, signal))] for signal in _SHOWN}
        found: dict[str, Any] = {
            name: of_signal[signal].get(name) for signal, names in _SHOWN.items() for name in names
        }
        for name in _LISTS:
            found[name] = [item for one in by_store.values() for item in one.get(name, ())]
        own = {*_LISTS, *(name for names in _SHOWN.values() for name in names)}
        found["stores"] = {
            signal: {name: value for name, value in one.items() if name not in own} for signal, one in of_signal.items()
        }
        return found

    async def close(self) -> None:
        """Close every store, each once; the first failure is raised when all were tried."""
        failure: Exception | None = None
        for store in self._distinct():
            try:
                await store.close()
            except Exception as error:  # noqa: BLE001 - the other stores have to be closed too
                failure = failure or error
        if failure is not None:
            raise failure

    def _distinct(self) -> list[SignalStore]:
        stores: list[SignalStore] = [self.logs, self.metrics, self.traces]
        return list({id(store): store for store in stores}.values())
