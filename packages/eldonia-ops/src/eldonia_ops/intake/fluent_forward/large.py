"""A bound on what incomplete messages of all senders take together."""

import asyncio
from typing import Final

from eldonia_ops.intake import StreamConnection
from eldonia_ops.protocols.fluent_forward import ForwardError

FREE_BYTES: Final = 256 << 10
"""What every connection may hold of a message that is not complete."""

PLACES: Final = 4
"""How many may hold more at once. The others are not read from meanwhile, so their senders wait."""

_LOOK_SECONDS: Final = 0.02
_READ: Final = 256 * 1024
_PAUSE_SECONDS: Final = 30.0
"""How long a large message, which holds a place that others wait for, may make a pause."""


class LargeMessages:
    """The places for large messages of all connections."""

    def __init__(self) -> None:
        self._taken = 0

    async def take(self) -> None:
        """Wait for a place."""
        while self._taken >= PLACES:  # noqa: ASYNC110 - it is rare, and an event would belong to one loop
            await asyncio.sleep(_LOOK_SECONDS)
        self._taken += 1

    def give_back(self) -> None:
        """Somebody else may have it."""
        self._taken -= 1

    async def follow(self, waiting: int, held: bool) -> bool:
        """Take a place, or give it back, by how many bytes of an incomplete message wait; whether one is held now."""
        if held and waiting <= FREE_BYTES:
            self.give_back()
            return False
        if not held and waiting > FREE_BYTES:
            await self.take()
            return True
        return held


async def read_some(connection: StreamConnection, large: bool) -> bytes:
    """The next bytes of a connection.

    Raises:
        ForwardError: it holds a place for a ``large`` message and sends nothing.
    """
    if not large:
        return await connection.read(_READ)
    try:
        async with asyncio.timeout(_PAUSE_SECONDS):
            return await connection.read(_READ)
    except TimeoutError:
        raise ForwardError(f"a large message made a pause of {_PAUSE_SECONDS:.0f} seconds") from None
