"""What a platform is made of: modules, and how a list of them is run."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.service_loop import asked_to_stop

log = logging.getLogger("eldonia_ops")


class Module(Protocol):
    """One part of the platform that lives."""

    name: str

    async def resume(self) -> None:
        """Bring what is stored up to date, before anything runs."""
        ...

    async def run(self) -> None:
        """Act until cancelled; one that has nothing to do may return."""
        ...

    async def apply(self, configuration: Configuration) -> None:
        """Go on under another configuration; what did not change in it keeps its state and its phase.

        If this raises, a part may have been taken over; it is then called again with the configuration before.
        """
        ...

    async def close(self) -> None:
        """End what is under way, after :meth:`run` has been cancelled."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """Values by the names under which they are exposed."""
        ...


class Inert:
    """A module that does nothing, for others to begin with."""

    name = ""

    async def resume(self) -> None:
        """Nothing is stored."""

    async def run(self) -> None:
        """Nothing acts by itself."""

    async def apply(self, configuration: Configuration) -> None:
        """No part of a configuration matters."""

    async def close(self) -> None:
        """Nothing is under way."""

    def metrics(self) -> Mapping[str, float]:
        """Nothing is counted."""
        return {}


async def apply_all(modules: Sequence[Module], before: Configuration, after: Configuration) -> None:
    """Let every module go on under another configuration, or none.

    From the last of the list to the first: what may fail to start comes before rules, whose alerts would end. If one
    fails, those that had changed get the configuration before back, and the failure is raised.
    """
    changed: list[Module] = []
    try:
        for module in reversed(modules):
            changed.append(module)
            await module.apply(after)
    except BaseException:
        for module in reversed(changed):
            try:
                await module.apply(before)
            except Exception:
                log.exception("%s could not go back to the configuration before", module.name)
        raise


@contextlib.asynccontextmanager
async def running(modules: Sequence[Module], loops: Loops) -> AsyncIterator[None]:
    """Run modules until the context is left: each is resumed in the order of the list, then all run at once. The last
    of the list are stopped first, so that nothing new comes in while the others come to their end."""
    for module in modules:
        await module.resume()
    tasks = [supervised(module, loops) for module in modules]
    try:
        yield
    finally:
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for module in reversed(modules):
            await module.close()


def supervised(module: Module, loops: Loops) -> "asyncio.Task[None]":
    """A task for a module; if it ends by an error, the platform is not ready any more."""

    async def run() -> None:
        try:
            await module.run()
        except asyncio.CancelledError as error:
            if asked_to_stop():
                raise
            raise RuntimeError(f"{module.name} was cancelled from within") from error

    task = asyncio.create_task(run(), name=module.name)
    watch = loops.item(module.name)

    def ended(task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s has ended", module.name, exc_info=error)
            watch.ended(error)

    task.add_done_callback(ended)
    return task
