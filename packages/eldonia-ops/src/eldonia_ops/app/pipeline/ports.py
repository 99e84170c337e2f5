"""The port of a source of a pipeline: opened as soon as it is free, and what a page says of it."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from eldonia_ops.app.listening.listener import bind
from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.model.errors import ConfigError
from eldonia_ops.pipeline.inputs.servers import ServerInput
from eldonia_ops.settings import Listen

log = logging.getLogger("eldonia_ops.pipeline")

RETRY_SECONDS: Final = 5.0
S = TypeVar("S")


class SourcePort(Generic[S]):
    """``server`` is what ``start`` made of the bound socket, None while there is none."""

    def __init__(self, source: ServerInput, start: Callable[[socket.socket], Awaitable[S]]) -> None:
        self._source = source
        self._start = start
        self._problem = ""
        self.server: S | None = None

    async def run(self) -> None:
        """Listen until cancelled. A port that is taken is tried again."""
        while self.server is None:
            try:
                self.server = await self._opened()
                self._problem = ""
                log.info("the pipeline listens: %s", self._source.summary)
            except (ConfigError, OSError) as error:
                if str(error) != self._problem:
                    self._problem = str(error)
                    log.error("%s in line %d: %s", self._source.type, self._source.place.line, error)
                await asyncio.sleep(RETRY_SECONDS)
        await asyncio.Event().wait()

    def status(self) -> TargetStatus:
        """Whether it listens."""
        source = self._source
        health = TargetHealth.UP if self.server else TargetHealth.DOWN if self._problem else TargetHealth.UNKNOWN
        return TargetStatus("pipeline", source.id, source.summary, health=health, error=self._problem)

    async def _opened(self) -> S:
        source = self._source
        bound = bind(Listen(source.bind, source.port), f"{source.type} of the pipeline", "is Fluentd still running?")
        try:
            return await self._start(bound)
        except (ConfigError, OSError):
            bound.close()
            raise
