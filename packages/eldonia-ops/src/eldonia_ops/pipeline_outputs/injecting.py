"""An output with an ``<inject>`` section: events get its fields before they are taken."""

from eldonia_ops.pipeline.event import Batch
from eldonia_ops.pipeline.inject import Inject
from eldonia_ops.pipeline_outputs.running import OutputStatus, RunningOutput


class InjectingOutput:
    """Implements :class:`RunningOutput` around another one."""

    def __init__(self, inner: RunningOutput, inject: Inject, hostname: str) -> None:
        self._inner = inner
        self._inject = inject
        self._hostname = hostname

    async def write(self, batch: Batch) -> None:
        """Take events, with the fields."""
        await self._inner.write(self._inject.into(batch, self._hostname))

    async def run(self) -> None:
        """The loop of the output."""
        await self._inner.run()

    async def close(self) -> None:
        """Close the output."""
        await self._inner.close()

    def statuses(self) -> list[OutputStatus]:
        """How it is doing."""
        return self._inner.statuses()
