"""Reading the configuration anew while everything runs: all of it, or nothing."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.configuration_difference import difference
from eldonia_ops.app.fixed_settings import with_fixed
from eldonia_ops.app.modules import Inert, Module, apply_all
from eldonia_ops.lint.sources import Override
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.ports import Clock
from eldonia_ops.services.api import ReloadView
from eldonia_ops.settings import Settings

log = logging.getLogger("eldonia_ops.reload")


class Load(Protocol):
    """Reads all files."""

    def __call__(self, last_word: Override, /, *, managed: str | None = None) -> Configuration:
        """The configuration. ``last_word`` is asked last about the settings; ``managed`` is taken as what the managed
        file holds.

        Raises:
            ConfigError: with every fault.
        """
        ...


OnChanged = Callable[[int, str, str], Awaitable[None]]
"""Asked after a reload that changed something, with the instant (Unix ms), who asked for it, and what is different."""


class Reloading(Inert):
    """Implements :class:`~eldonia_ops.services.api.Reloads` over a list of modules.

    ``load`` is what read the configuration of the start. It reads on a thread: the loops go on meanwhile.
    """

    name = "reload"

    def __init__(
        self,
        clock: Clock,
        load: Load,
        configuration: Configuration,
        modules: Sequence[Module],
        on_changed: OnChanged | None = None,
    ) -> None:
        self._on_changed = on_changed
        self._clock = clock
        self._load = load
        self._modules = modules
        self._lock = asyncio.Lock()
        self.configuration = configuration
        now = clock.now()
        self._last = ReloadView(True, now, now, "start", diagnostics=configuration.warnings)

    def last(self) -> ReloadView:
        """The last attempt."""
        return self._last

    async def reload(self, actor: str) -> ReloadView:
        """Read all files and go on under what they say; if anything is wrong, nothing changes."""
        async with self._lock:
            now, started = self._clock.now(), time.perf_counter()
            before = self.configuration
            try:
                needs_restart, diagnostics = await self._reload()
            except ConfigError as error:
                self._failed(now, actor, started, error.diagnostics)
            except Exception as error:
                log.exception("the configuration could not be applied")
                hint = "the one before is in force; the log says more"
                text = f"the configuration could not be applied: {type(error).__name__}"
                self._failed(now, actor, started, (Diagnostic(text, hint=hint),))
            else:
                seconds = time.perf_counter() - started
                self._last = ReloadView(True, now, now, actor, seconds, needs_restart, diagnostics)
                log.info("%s reloaded the configuration in %.3f s", actor, seconds)
                if needs_restart:
                    log.warning("these settings take effect with the next start: %s", ", ".join(needs_restart))
                if self.configuration != before and self._on_changed is not None:
                    await self._note(self._on_changed, now, actor, before)
            return self._last

    async def examined(self, managed: str) -> Configuration:
        """The configuration as it would be if the managed file held this text. Nothing changes.

        Raises:
            ConfigError: with every fault.
        """
        return await asyncio.to_thread(self._load, self._kept, managed=managed)

    def _kept(self, settings: Settings) -> Settings:
        return with_fixed(self.configuration.settings, settings)[0]

    async def _note(self, on_changed: OnChanged, at: int, actor: str, before: Configuration) -> None:
        try:
            await on_changed(at, actor, difference(before, self.configuration))
        except Exception:
            # What was asked for is done; incidents lack one line about what changed before them.
            log.exception("the change of the configuration could not be recorded")

    async def _reload(self) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
        needs_restart: tuple[str, ...] = ()

        def override(settings: Settings) -> Settings:
            nonlocal needs_restart
            kept, needs_restart = with_fixed(self.configuration.settings, settings)
            return kept

        wanted = await asyncio.to_thread(self._load, override)
        await apply_all(self._modules, self.configuration, wanted)
        self.configuration = wanted
        return needs_restart, wanted.warnings

    def _failed(self, at: int, actor: str, started: float, diagnostics: Sequence[Diagnostic]) -> None:
        seconds = time.perf_counter() - started
        self._last = ReloadView(
            False, at, self._last.succeeded_at, actor, seconds, self._last.needs_restart, tuple(diagnostics)
        )
        log.error("%s tried to reload the configuration; nothing has changed:", actor)
        for item in diagnostics:
            log.error("%s", item)

    def metrics(self) -> Mapping[str, float]:
        """Whether the last attempt succeeded, and when one did last (seconds), as Prometheus names them."""
        return {
            "eldonia_ops_config_last_reload_successful": float(self._last.successful),
            "eldonia_ops_config_last_reload_success_timestamp_seconds": self._last.succeeded_at / 1000,
        }
