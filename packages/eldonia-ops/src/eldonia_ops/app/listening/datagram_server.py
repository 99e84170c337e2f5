"""The datagrams of a listener: a bounded queue in front of the intake's own code."""

import asyncio
import contextlib
import logging
import socket
import struct
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from eldonia_ops.intake import Datagram, IntakePlatform, ServeDatagrams

log = logging.getLogger("eldonia_ops.intake")

MOST_WAITING: Final = 20_000
MOST_BYTES: Final = 16 << 20
"""So many datagrams, and bytes of them, may wait for the intake; what comes then is dropped and counted."""

_AT_ONCE: Final = 2_000
_READS: Final = 256
_LONGEST: Final = 65_536
_REPORT_SECONDS: Final = 1.0
_BUFFER: Final = 4 << 20
_BUFFER_BEYOND_LIMIT: Final = 33
"""Linux' SO_RCVBUFFORCE: for who may administer the network ``net.core.rmem_max`` is no bound."""

_MEMORY: Final = 55
_DROPS: Final = 8
"""Linux' SO_MEMINFO: nine numbers about a socket, of which the last says how many datagrams the kernel has dropped."""

_NO_ROOM: Final = "a datagram that came while too many waited"
_KERNEL: Final = "a datagram that the kernel dropped, for it was not read soon enough"


class DatagramServer:
    """Binds UDP at the address of ``bound`` and hands what ``admits`` lets in to ``serve``. Implements
    :class:`eldonia_ops.intake.Datagrams`.

    Raises:
        OSError: the port is taken.
    """

    def __init__(
        self,
        name: str,
        serve: ServeDatagrams,
        platform: IntakePlatform,
        bound: socket.socket,
        admits: Callable[[str], bool],
    ) -> None:
        self._name = name
        self._serve = serve
        self._platform = platform
        self._admits = admits
        self._waiting: deque[Datagram] = deque()
        self._bytes = 0
        self._dropped = 0
        self._kernel_counted = 0
        self._arrived = asyncio.Event()
        self._closed = False
        self._socket = socket.socket(bound.family, socket.SOCK_DGRAM)
        try:
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, _BUFFER_BEYOND_LIMIT, _BUFFER)
            self._socket.bind(bound.getsockname())
        except OSError:
            self._socket.close()
            raise
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._readable)
        self._task = asyncio.create_task(self._run(), name=f"datagrams of {name}")

    async def receive(self) -> Sequence[Datagram]:
        """See :class:`eldonia_ops.intake.Datagrams`."""
        while not self._waiting and not self._closed:
            self._arrived.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), _REPORT_SECONDS)
            self._report_dropped()
        found = [self._waiting.popleft() for _ in range(min(_AT_ONCE, len(self._waiting)))]
        self._bytes -= sum(len(one.data) for one in found)
        self._report_dropped()
        return found

    def reply(self, address: tuple[str, int], data: bytes) -> None:
        """Send a datagram back; what cannot be sent now is not."""
        if not self._closed:
            try:
                self._socket.sendto(data, address)
            except OSError as error:
                log.debug("%s: no datagram to %s: %s", self._name, address[0], error)

    def close(self) -> None:
        """Take no more. The port is free at once."""
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._arrived.set()

    async def stop(self, seconds: float) -> None:
        """Close, and wait until what came is taken, some seconds at most."""
        self.close()
        await asyncio.wait({self._task}, timeout=seconds)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            self._platform.refused(
                "logs", self._name, {"a datagram that waited when the listener closed": len(self._waiting)}
            )

    async def _run(self) -> None:
        while not self._closed or self._waiting:
            try:
                await self._serve(self._platform, self)
            except Exception:
                log.exception("%s: datagrams are taken on, for the intake failed", self._name)
                await asyncio.sleep(0.2)

    def _readable(self) -> None:
        for _ in range(_READS):
            try:
                data, address = self._socket.recvfrom(_LONGEST)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP message about one that was sent
                log.debug("%s: %s", self._name, error)
                continue
            host, port = str(address[0]), int(address[1])
            if not self._admits(host):
                continue
            if len(self._waiting) >= MOST_WAITING or self._bytes + len(data) > MOST_BYTES:
                self._dropped += 1
                continue
            self._waiting.append(Datagram(data, f"{self._name} ({host})", (host, port)))
            self._bytes += len(data)
            self._arrived.set()

    def _report_dropped(self) -> None:
        seen = self._dropped_by_kernel()
        kernel = (seen - self._kernel_counted) % 2**32
        reasons = {reason: count for reason, count in ((_NO_ROOM, self._dropped), (_KERNEL, kernel)) if count}
        if reasons:
            self._platform.refused("logs", f"{self._name} (datagrams)", reasons)
        self._dropped, self._kernel_counted = 0, seen

    def _dropped_by_kernel(self) -> int:
        if self._closed:
            return self._kernel_counted
        try:
            numbers = self._socket.getsockopt(socket.SOL_SOCKET, _MEMORY, 4 * (_DROPS + 1))
            return struct.unpack_from("=I", numbers, 4 * _DROPS)[0]
        except (OSError, struct.error):  # not on Linux
            return 0
