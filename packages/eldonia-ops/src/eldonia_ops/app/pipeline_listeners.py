"""Sources of a pipeline that listen."""

import asyncio
import logging
import ssl
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eldonia_ops.app.connections import Places
from eldonia_ops.app.listener import bind
from eldonia_ops.app.server_tls import server_tls
from eldonia_ops.app.stream_server import StreamAccess, StreamServer
from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.intake import ServeDatagrams, ServeStream, StreamCredentials, StreamListener
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.pipeline.inputs import ForwardInput
from eldonia_ops.pipeline.inputs.servers import ServerInput, ServerTransport
from eldonia_ops.protocols.web_config import ServerTls
from eldonia_ops.settings import Listen

log = logging.getLogger("eldonia_ops.pipeline")

_MOST_CONNECTIONS: Final = 100
_RETRY_SECONDS: Final = 5.0


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
        self._server: StreamServer | None = None
        self._problem = ""

    async def run(self) -> None:
        """Listen until cancelled. A port that is taken is tried again."""
        while self._server is None:
            try:
                self._server = await self._opened()
                self._problem = ""
            except (ConfigError, OSError) as error:
                if str(error) != self._problem:
                    self._problem = str(error)
                    log.error("%s in line %d: %s", self._source.type, self._source.place.line, error)
                await asyncio.sleep(_RETRY_SECONDS)
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Accept nothing more, and let what was read come to its end."""
        if self._server is not None:
            await self._server.stop()
            self._server = None

    def statuses(self) -> Sequence[TargetStatus]:
        """Whether it listens."""
        name = self._source.summary
        health = TargetHealth.UP if self._server else TargetHealth.DOWN if self._problem else TargetHealth.UNKNOWN
        return [TargetStatus("pipeline", self._source.id, name, health=health, error=self._problem)]

    async def _opened(self) -> StreamServer:
        source, transport = self._source, self._source.transport
        tls = server_tls_of(transport)
        credentials = StreamCredentials()
        if isinstance(source, ForwardInput):
            credentials = StreamCredentials(source.shared_key, dict(source.users))
        bound = bind(Listen(source.bind, source.port), f"{source.type} of the pipeline", "is Fluentd still running?")
        access = StreamAccess(anonymous=True, credentials=credentials)
        sinks: Any = _Refusals()
        server = StreamServer(self._stream, sinks, bound, self._places, tls, access=access)
        await server.start()
        log.info("the pipeline listens: %s", source.summary)
        return server
