"""What pages and API change of the configuration, put together: file, loader, reload, trials, rules."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.managed_files import ManagedFiles
from eldonia_ops.app.reloading import Reloading
from eldonia_ops.app.routing import TemplateRenderer
from eldonia_ops.managed.secrets import SUFFIX, with_secrets_apart
from eldonia_ops.ports import LogStore
from eldonia_ops.services.alerts.alerts import AlertService
from eldonia_ops.services.api import Queries, ReloadView
from eldonia_ops.services.api.managed import (
    ConfigurationView,
    FormView,
    MachineView,
    PreviewView,
    RuleCardView,
    TrialView,
    WantedChange,
    WantedRule,
)
from eldonia_ops.services.configuration.entry_trials import EntryTrials
from eldonia_ops.services.configuration.forms import forms, secret_keys
from eldonia_ops.services.configuration.machine import look_around, watched_by
from eldonia_ops.services.configuration.managed import ManagedChanges
from eldonia_ops.services.logs import rule_preview as log_rule_preview
from eldonia_ops.services.logs.rules import LogRules
from eldonia_ops.services.rules import cards as rule_cards
from eldonia_ops.settings import Settings
from eldonia_ops.settings.managed import EntryPlace

_WATCHED: Final = ("url", "path", "targets", "instance")


class ReloadedConfiguration:
    """Implements :class:`~eldonia_ops.services.configuration.managed.InForce` over a reload."""

    def __init__(self, reloads: Reloading, *, enabled: bool) -> None:
        self._reloads = reloads
        self._enabled = enabled

    @property
    def configuration(self) -> Configuration:
        """What is in force."""
        return self._reloads.configuration

    def places(self) -> Sequence[EntryPlace]:
        """Where the entries that can be managed are written."""
        return self.configuration.places

    def written(self) -> str:
        """The file that people write."""
        return str(self.configuration.settings.file or "")

    def enabled(self) -> bool:
        """Whether the settings allow it. A platform that was given its settings as a value has no file to change."""
        return self._enabled and self.configuration.settings.managed

    async def examined(self, managed: str) -> None:
        """Read everything as if the managed file held this text."""
        await self._reloads.examined(managed)

    async def reload(self, actor: str) -> ReloadView:
        """Read all files, and go on under what they say."""
        return await self._reloads.reload(actor)


class PlatformConfiguration:
    """Implements :class:`~eldonia_ops.services.api.managed.ManagedConfiguration`."""

    def __init__(
        self,
        base: Foundation,
        in_force: ReloadedConfiguration,
        alerts: AlertService,
        queries: Queries,
        logs: LogStore,
    ) -> None:
        data = base.configuration.settings.data
        self._base = base
        self._in_force = in_force
        self._alerts = alerts
        self._queries = queries
        self._log_rules = LogRules(logs)
        self._changes = ManagedChanges(base.clock, ManagedFiles(data), in_force, base.kinds)
        self._looking = asyncio.Lock()
        self._trials = EntryTrials(
            base.clock,
            base.environment,
            data,
            base.kinds,
            base.client,
            lambda templates: TemplateRenderer(templates, in_force.configuration.external_url, base.kinds),
        )

    async def view(self) -> ConfigurationView:
        """Every entry, and the last changes."""
        return await self._changes.view()

    async def change(
        self, actor: str, wanted: Sequence[WantedChange], replacing: Callable[[str], bool]
    ) -> ConfigurationView:
        """Make some changes, all or none."""
        return await self._changes.change(actor, wanted, replacing)

    async def undo(self, actor: str, id: str, replacing: Callable[[str], bool]) -> ConfigurationView:
        """Take one change back."""
        return await self._changes.undo(actor, id, replacing)

    def forms(self) -> list[FormView]:
        """The forms of entries."""
        return forms(self._base.kinds)

    async def attempt(self, actor: str, wanted: WantedChange) -> TrialView:
        """Try an entry without keeping it."""
        given = dict(wanted.values or {})
        before = await self._changes.entry(wanted.section, wanted.name) if wanted.name else None
        keys = secret_keys(wanted.section, given, self._base.kinds)
        # Secrets that were typed stay in memory; those that were not are read from their files.
        entry, typed = with_secrets_apart(given, before, keys, _numbered())
        entry = _inline(entry, typed)
        return await self._trials.attempt(actor, wanted.section, entry, self._in_force.configuration.settings.language)

    async def look_around(self) -> MachineView:
        """What there is to watch on this machine. One look at a time: each asks every port."""
        configuration = self._in_force.configuration
        async with self._looking:
            present = {(one.section, one.name) for one in configuration.places}
            return await look_around(present, _watched(configuration.settings), configuration.settings.listen.port)

    async def rules(self) -> list[RuleCardView]:
        """The alerting rules."""
        configuration = self._in_force.configuration
        return await rule_cards.rule_cards(
            configuration.settings.rules.defaults,
            configuration.rule_groups,
            self._alerts.rules(),
            configuration.places,
            self._queries,
            configuration.settings.language,
            configuration.speed,
        )

    async def preview(self, wanted: WantedRule) -> PreviewView:
        """What a rule would have done in the last day."""
        settings = self._in_force.configuration.settings
        if wanted.logs:
            return await log_rule_preview.preview(wanted, self._log_rules, self._base.clock, settings.language)
        return await rule_cards.preview(wanted, self._queries, self._base.clock, settings.language)


def _watched(settings: Settings) -> set[str]:
    """The addresses, URLs and paths that are watched already."""
    found: set[str] = set()
    for section, entries in settings.collectors.items():
        for one in entries if isinstance(entries, tuple) else ():
            found |= watched_by(section, {name: getattr(one, name, None) for name in _WATCHED})
    return found


def _numbered() -> Callable[[], str]:
    count = iter(range(1_000))
    return lambda: f"typed/{next(count)}"


def _inline(value: Any, typed: Mapping[str, str]) -> Any:
    """An entry that holds the secrets which were typed."""
    if isinstance(value, list):
        return [_inline(one, typed) for one in value]
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for name, one in value.items():
        if isinstance(one, str) and one in typed:
            found[name.removesuffix(SUFFIX)] = typed[one]
        else:
            found[name] = _inline(one, typed)
    return found
