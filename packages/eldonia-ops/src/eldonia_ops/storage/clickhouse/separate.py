"""One store for all signals, or one for each: signals with the same address share an engine."""

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from urllib.parse import urlsplit

from eldonia_ops.ports import TelemetryStore, TelemetryStores

EMBEDDED = "chdb"
"""The address of the engine in this process."""


def wal_folder(address: str) -> str:
    """The name of the folder of the write-ahead log in front of an engine: one for each address, whatever its user."""
    if address == EMBEDDED:
        return "wal"
    parts = urlsplit(address)
    place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return f"wal-{blake2b(place.encode(), digest_size=6).hexdigest()}"


async def open_signal_stores(
    addresses: tuple[str, str, str], open_at: Callable[[str], Awaitable[TelemetryStore]]
) -> TelemetryStores:
    """Open the stores of logs, metrics and traces, in this order of ``addresses``; each address is opened once.

    What was opened is closed again when a later one cannot be.

    Raises:
        TelemetryError: one of them cannot be opened.
    """
    opened: dict[str, TelemetryStore] = {}
    try:
        for address in addresses:
            if address not in opened:
                opened[address] = await open_at(address)
    except BaseException:
        for store in opened.values():
            await store.close()
        raise
    logs, metrics, traces = addresses
    return TelemetryStores(opened[logs], opened[metrics], opened[traces])
