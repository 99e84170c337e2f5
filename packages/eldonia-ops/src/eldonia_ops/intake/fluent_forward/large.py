"""A bound on what incomplete messages of all senders take together."""

import asyncio
from typing import Final

FREE_BYTES: Final = 256 << 10
"""What every connection may hold of a message that is not complete."""

PLACES: Final = 4
"""How many may hold more at once. The others are not read from meanwhile, so their senders wait."""

_LOOK_SECONDS: Final = 0.02


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
