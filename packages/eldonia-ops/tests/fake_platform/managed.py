"""A configuration that pages and API change, in memory: the real rules of changes over a store that is a dictionary."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from eldonia_ops.managed.document import Entry
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.notifiers.registry import built_in
from eldonia_ops.protocols.managed_file import managed_document
from eldonia_ops.rules.log_expression import LogExpressionError, read_log_expression
from eldonia_ops.search import SearchError
from eldonia_ops.services.api import NotFoundError, QueryError, ReloadView
from eldonia_ops.services.api.managed import (
    ConfigurationView,
    FormView,
    FoundView,
    LineView,
    MachineView,
    PreviewView,
    RuleCardView,
    SampleView,
    TrialView,
    WantedChange,
    WantedRule,
)
from eldonia_ops.services.configuration.forms import forms
from eldonia_ops.services.configuration.managed import ManagedChanges, name_of
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.managed import EntryPlace, ManagedText


class MemoryStore:
    """Implements ``ManagedStore``."""

    def __init__(self) -> None:
        self.text = ""
        self.history = b""
        self.secrets: dict[str, str] = {}

    file = "/data/eldonia-ops.managed.yml"

    def read(self) -> str:
        return self.text

    def write(self, text: str) -> None:
        self.text = text

    def read_history(self) -> bytes:
        return self.history

    def write_history(self, data: bytes) -> None:
        self.history = data

    def write_secret(self, name: str, text: str) -> None:
        self.secrets[name] = text

    def keep_secrets(self, names: frozenset[str]) -> None:
        self.secrets = {name: text for name, text in self.secrets.items() if name in names}


class MemoryInForce:
    """Implements ``InForce``: a reload reads the store. ``fault`` makes the next reload fail."""

    def __init__(self, store: MemoryStore, clock: Callable[[], int]) -> None:
        self._store = store
        self._now = clock
        self.fault = ""
        self.reloads = 0
        self.on = True
        self.hand_written = (EntryPlace("probes", "shop", "/etc/eldonia-ops.yml", 12, managed=False),)

    def places(self) -> Sequence[EntryPlace]:
        document = managed_document(self._store.text, self._store.file)
        own = (
            EntryPlace(section, name_of(section, one), self._store.file, 5, managed=True)
            for section, entries in document.items()
            for one in entries
        )
        return (*self.hand_written, *own)

    def written(self) -> str:
        return "/etc/eldonia-ops.yml"

    def enabled(self) -> bool:
        return self.on

    async def examined(self, managed: str) -> None:
        from pathlib import Path

        text = ManagedText(self._store.file, managed, Path("/data"))
        _, found = examine_settings("", None, {"HOME": "/"}, managed=text, read_file=lambda path: "x")
        if errors := [one for one in found if one.level.value == "error"]:
            raise ConfigError(errors)

    async def reload(self, actor: str) -> ReloadView:
        self.reloads += 1
        now = self._now()
        if self.fault:
            fault, self.fault = self.fault, ""
            return ReloadView(False, now, now, actor, diagnostics=(Diagnostic(fault),))
        return ReloadView(True, now, now, actor)


class _Clock:
    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now

    async def sleep_until(self, at: int) -> None:
        raise AssertionError("nothing sleeps here")


class FakeManaged:
    """Implements ``ManagedConfiguration`` with made-up trials, machine and rules."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self.store = MemoryStore()
        self.in_force = MemoryInForce(self.store, clock)
        self.changes = ManagedChanges(_Clock(clock), self.store, self.in_force, built_in())

    async def view(self) -> ConfigurationView:
        return await self.changes.view()

    async def change(
        self, actor: str, wanted: Sequence[WantedChange], replacing: Callable[[str], bool]
    ) -> ConfigurationView:
        return await self.changes.change(actor, wanted, replacing)

    async def undo(self, actor: str, id: str, replacing: Callable[[str], bool]) -> ConfigurationView:
        return await self.changes.undo(actor, id, replacing)

    def forms(self) -> list[FormView]:
        return forms(built_in())

    async def attempt(self, actor: str, wanted: WantedChange) -> TrialView:
        values: Entry = wanted.values or {}
        match wanted.section:
            case "scrape":
                sample = SampleView("node_load1", {"cpu": "0"}, "0.42")
                return TrialView(bool(values.get("targets")), "" if values.get("targets") else "no target is named",
                                 0.02, series=812, samples=(sample,))  # fmt: skip
            case "probes":
                return TrialView(True, "", 0.08, status=200, certificate_expires_at=self._now() + 30 * 86_400_000)
            case "logs":
                line = LineView(self._now(), "error", "nginx", "GET / 502", {"status": "502"})
                return TrialView(True, files=1, file="/var/log/nginx/access.log", recognised="nginx", lines=(line,))
            case _:
                return TrialView(False, "nothing answered")

    async def look_around(self) -> MachineView:
        found = (
            FoundView("scrape", "node", {"job": "node", "targets": ["127.0.0.1:9100"]}, "node_exporter answered"),
            FoundView("logs", "/var/log/nginx/*.log", {"path": "/var/log/nginx/*.log"}, "written to lately"),
            FoundView("postgresql", "127.0.0.1:5432", {"dsn": "postgresql://x"}, "PostgreSQL runs", "set a password"),
        )
        return MachineView("box", found, ("not seen: docker",))

    async def rules(self) -> list[RuleCardView]:
        one = RuleCardView(
            "HighCPUUsage", "HighCPUUsage", shipped=True, managed=False, changed=False, enabled=True,
            expr="cpu > 80", severity="warning", for_seconds=900, threshold=80, value=41.5, state="inactive",
            summary="CPU is busy", shipped_threshold=80, shipped_for=900, shipped_severity="warning", unit="percent",
        )  # fmt: skip
        own = replace(one, name="Mine", alert="Mine", shipped=False, managed=True, state="firing", file="x", line=3)
        return [one, replace(one, name="Off", enabled=False, state="off", changed=True), own]

    async def preview(self, wanted: WantedRule) -> PreviewView:
        if wanted.name and wanted.name != "HighCPUUsage":
            raise NotFoundError(f"there is no shipped rule {wanted.name!r}")
        if wanted.logs:
            try:
                read_log_expression(wanted.logs)
            except (SearchError, LogExpressionError) as error:
                raise QueryError(str(error), field="logs") from None
        elif not wanted.name and not wanted.expr:
            raise QueryError("no expression", 0)
        now = self._now()
        points = tuple((now - index * 300_000, 40.0) for index in range(20, 0, -1))
        firing = ((now - 7_200_000, now - 7_000_000),)
        return PreviewView(2, 1, firing, 24, 60, wanted.expr or wanted.logs, wanted.threshold, 41.0, 97.0, 3.0, points)
