"""Sources of a pipeline that listen."""

import logging
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.listening.stream_server import StreamAccess, StreamServer
from eldonia_ops.app.pipeline.ports import SourcePort
from eldonia_ops.collectors.status import TargetStatus
from eldonia_ops.intake import ServeDatagrams, ServeStream, StreamCredentials, StreamListener
from eldonia_ops.pipeline.inputs import ForwardInput
from eldonia_ops.pipeline.inputs.servers import ServerInput, ServerTransport
from eldonia_ops.protocols.prometheus.web_config import ServerTls

log = logging.getLogger("eldonia_ops.pipeline")

_MOST_CONNECTIONS: Final = 100


def server_tls_of(transport: ServerTransport) -> ssl.SSLContext | None:
    """The TLS of a ``<transport>`` section, None for none.

    Raises:
        ConfigError: its files cannot be used.
    """
    if transport.protocol != "tls":
        return None
    required = "required" if transport.client_ca_file else ""
    return server_tls(ServerTls(transport.cert_file, transport.key_file, transport.client_ca_file, required))


class _Refusals:
    """What a listener asks of the platform: to say what was dropped. Events go to the pipeline, and to no sink."""

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        for reason, count in reasons.items():
            log.warning("%s: %d dropped: %s", sender, count, reason)


class ListeningSource:
    """A ``<source>`` at a port. Without a shared key or certificates only this machine may send, as at every other
    port of this platform."""

    def __init__(self, source: ServerInput, serve: ServeStream, datagrams: ServeDatagrams | None = None) -> None:
        self._source = source
        self._stream = StreamListener(
            f"pipeline-{source.type}-{source.place.line}",
            source.port,
            serve,
            shared_key=True,
            datagrams=datagrams,
            most_connections=_MOST_CONNECTIONS,
        )
        self._places = Places()
        self._port: SourcePort[StreamServer] = SourcePort(source, self._started)

    async def run(self) -> None:
        """Listen until cancelled. A port that is taken is tried again."""
        await self._port.run()

    async def close(self) -> None:
        """Accept nothing more, and let what was read come to its end."""
        if (server := self._port.server) is not None:
            await server.stop()
            self._port.server = None

    def statuses(self) -> Sequence[TargetStatus]:
        """Whether it listens."""
        return [self._port.status()]

    async def _started(self, bound: socket.socket) -> StreamServer:
        source = self._source
        credentials = StreamCredentials()
        if isinstance(source, ForwardInput):
            credentials = StreamCredentials(source.shared_key, dict(source.users))
        access = StreamAccess(anonymous=True, credentials=credentials)
        sinks: Any = _Refusals()
        tls = server_tls_of(source.transport)
        server = StreamServer(self._stream, sinks, bound, self._places, tls, access=access)
        await server.start()
        return server
