"""Heartbeats over UDP, as servers of the forward protocol answer them: one datagram for one.

https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1.5#heartbeat-message
"""

import asyncio
from typing import Final

_BEAT: Final = b"\0"


class _Answer(asyncio.DatagramProtocol):
    def __init__(self, answered: "asyncio.Future[bool]") -> None:
        self._answered = answered

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._set(True)

    def error_received(self, exc: Exception) -> None:
        self._set(False)

    def _set(self, value: bool) -> None:
        if not self._answered.done():
            self._answered.set_result(value)


async def answers_datagram(host: str, port: int, within: float) -> bool:
    """Whether a server answers a heartbeat within ``within`` seconds.

    Raises:
        OSError: its name is not known, or there is no way to it.
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[bool] = loop.create_future()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Answer(answered), remote_addr=(host, port))
    try:
        transport.sendto(_BEAT)
        async with asyncio.timeout(within):
            return await answered
    except TimeoutError:
        return False
    finally:
        transport.close()
