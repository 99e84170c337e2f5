"""Says to systemd how the platform is (sd_notify(3)): ready, alive, stopping. Without systemd it does nothing."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from typing import Final

log = logging.getLogger("eldonia_ops")
_LEAST_SECONDS: Final = 0.5


class ServiceState:
    """One connection to the service manager whose address is in ``NOTIFY_SOCKET``.

    With ``WATCHDOG_USEC`` it says twice in that time that the event loop turns; when it says so no more, systemd starts
    the platform anew.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        self._pause = int(microseconds) / 2_000_000 if microseconds.isdecimal() and ours else 0.0
        self._beating: asyncio.Task[None] | None = None

    def ready(self) -> None:
        """Requests are answered from now on."""
        self._say("READY=1")
        if self._address and self._pause:
            self._beating = asyncio.create_task(self._beat(), name="service-watchdog")

    def stopping(self) -> None:
        """The platform ends in order, which may take a while."""
        if self._beating is not None:
            self._beating.cancel()
        self._say("STOPPING=1")

    async def _beat(self) -> None:
        while True:
            self._say("WATCHDOG=1")
            await asyncio.sleep(max(_LEAST_SECONDS, self._pause))

    def _say(self, state: str) -> None:
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
                channel.setblocking(False)
                channel.sendto(state.encode(), self._address)
        except OSError as error:
            log.warning("systemd could not be notified: %s", error)
