"""An entry tried before it is kept: a scrape fetched, a probe looked at, a log file read, a receiver notified, once."""

import asyncio
import glob
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.collectors import registry
from eldonia_ops.collectors.collector import CollectorContext, LoopContext
from eldonia_ops.collectors.poll_loop import ReadingsLoop
from eldonia_ops.collectors.probe import prober
from eldonia_ops.collectors.scrape import exposition_limits, scrape_targets
from eldonia_ops.collectors.scrape.loop import ScrapeLoop, scrape_client
from eldonia_ops.collectors.status import Unwatched
from eldonia_ops.collectors.tail.files import TailLine
from eldonia_ops.collectors.tail.join import NOTHING, all_held, joined_lines
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.managed.document import Entry
from eldonia_ops.model.errors import ConfigError, Level
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.notifiers.registry import NotifierKinds
from eldonia_ops.ports import Clock
from eldonia_ops.protocols.alertmanager.additions import MATCHING
from eldonia_ops.protocols.alertmanager.config import parse_alertmanager_config
from eldonia_ops.protocols.line_formats.recognise import form_of
from eldonia_ops.protocols.logs.lines import LineDefaults, LineFormat, parse_line
from eldonia_ops.protocols.managed_file import managed_text
from eldonia_ops.protocols.prometheus.scrape_rows import Collected
from eldonia_ops.services.api.managed import LineView, SampleView, TrialView
from eldonia_ops.services.messages.receiver_trials import ReceiverTrials, TrialRenderer
from eldonia_ops.settings import Settings, examine_settings
from eldonia_ops.settings.managed import RECEIVERS, ManagedText, identity_key
from eldonia_ops.template import TemplateSet

_SHOWN_SAMPLES: Final = 12
_SHOWN_LINES: Final = 20
_LAST_BYTES: Final = 64 * 1024
_MOST_FIELDS: Final = 12
_LONGEST: Final = 1_000
_SECONDS: Final = 30.0
_FILE: Final = "this entry"

Renderer = Callable[[TemplateSet], TrialRenderer]


class EntryTrials:
    """Tries entries. ``folder`` is where files of secrets lie; ``renderer`` renders with the templates of a routing."""

    def __init__(
        self,
        clock: Clock,
        environment: Mapping[str, str],
        folder: Path,
        kinds: NotifierKinds,
        client: httpx.AsyncClient | None,
        renderer: Renderer,
    ) -> None:
        self._clock = clock
        self._environment = environment
        self._folder = folder
        self._kinds = kinds
        self._client = client
        self._renderer = renderer

    async def attempt(self, actor: str, section: str, entry: Entry, language: str) -> TrialView:
        """Try an entry. What is wrong with it, or happens to it, is in the answer."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(_SECONDS):
                if section == RECEIVERS:
                    return await self._receiver(actor, entry, language)
                return await self._collected(section, entry, started)
        except ConfigError as error:
            wrong = [one for one in error.diagnostics if one.level is Level.ERROR] or list(error.diagnostics)
            return TrialView(False, wrong[0].message if wrong else "it cannot be read", diagnostics=tuple(wrong))
        except TimeoutError:
            return TrialView(False, f"no result within {_SECONDS:g} s", seconds=time.perf_counter() - started)

    async def _collected(self, section: str, entry: Entry, started: float) -> TrialView:
        settings = await asyncio.to_thread(self._settings, section, entry)
        match section:
            case "scrape":
                return await self._scrape(settings, started)
            case "probes":
                return await self._probe(settings)
            case "logs":
                return await asyncio.to_thread(_log_lines, settings)
            case _:
                return await self._measured(section, settings, started)

    def _settings(self, section: str, entry: Entry) -> Settings:
        text = managed_text({section: (entry,)}, lambda name: identity_key(name) == "")
        managed = ManagedText(_FILE, text, self._folder)
        settings, found = examine_settings("", None, self._environment, managed=managed)
        if wrong := [one for one in found if one.level is Level.ERROR]:
            raise ConfigError(wrong)
        return settings

    async def _scrape(self, settings: Settings, started: float) -> TrialView:
        targets = scrape_targets(settings, exposition_limits(settings.limits))
        if not targets:
            return TrialView(False, "no target is named")
        client, configured = scrape_client(), HttpClient()
        try:
            loops = [ScrapeLoop(one, _nowhere, client, self._clock, configured=configured) for one in targets[:5]]
            found = await asyncio.gather(*(one.scrape_once(self._clock.now()) for one in loops))
        finally:
            await client.aclose()
            await configured.aclose()
        error = next((f"{one.status.name}: {one.status.error}" for one in loops if one.status.error), "")
        rows = [one for one, loop in zip(found, loops, strict=True) if not loop.status.error]
        return _samples(rows, error, started)

    async def _probe(self, settings: Settings) -> TrialView:
        probes = settings.collectors.get("probes", ())
        if not probes:
            return TrialView(False, "no address is named")
        found = await prober(probes[0]).probe()
        return TrialView(
            found.success,
            found.detail,
            found.duration_seconds,
            status=found.status_code,
            certificate_expires_at=found.certificate_expires_at,
        )

    async def _measured(self, section: str, settings: Settings, started: float) -> TrialView:
        """Any other collector: its first loop, run once."""
        collector = registry.find(section)
        opened = collector.open(CollectorContext(self._clock, _no_logs, _NoPositions(), _no_probe))
        try:
            plan = next(iter(opened.plans(settings)), None)
            if plan is None:
                return TrialView(False, "there is nothing to be read")
            loop = plan.build(LoopContext(self._clock, _nowhere, lambda _: Unwatched()))
            try:
                if not isinstance(loop, ReadingsLoop):
                    return TrialView(True)
                found = await loop.measure_once(self._clock.now())
                return _samples([found], loop.status.error, started)
            finally:
                await loop.close()
        finally:
            await opened.close()

    async def _receiver(self, actor: str, entry: Entry, language: str) -> TrialView:
        name = str(entry.get("name") or "")
        config = await asyncio.to_thread(self._routing, name, entry)
        if self._client is None:
            return TrialView(False, "nothing is sent from here")
        integrations = {one.key: one for one in config.routing.receivers[name].integrations}
        notifiers = {key: self._kinds.notifier(one.config, self._client) for key, one in integrations.items()}
        trials = ReceiverTrials(
            self._kinds,
            lambda receiver, kind, index: notifiers.get(Integration(receiver, kind, index, _NO_CONFIG).key),
            self._renderer(config.templates),
            language,
        )
        found = await trials.send(config.routing, name, actor, self._clock.now())
        failed = next((one for one in found if not one.delivered), None)
        if not found:
            return TrialView(False, "the receiver has no integration")
        return TrialView(failed is None, failed.detail if failed else "", sent=sum(one.delivered for one in found))

    def _routing(self, name: str, entry: Entry) -> Any:
        plain = {key: value for key, value in entry.items() if key != MATCHING}
        text = managed_text({"route": ({"receiver": name},), RECEIVERS: (plain,)}, lambda key: key == "route")
        file = str(self._folder / _FILE)
        return parse_alertmanager_config(text, file, kinds=self._kinds, environment=self._environment)


class _NoConfig:
    send_resolved = False
    __dataclass_fields__: dict[str, Any] = {}  # noqa: RUF012 - as a dataclass has it


_NO_CONFIG: Final[Any] = _NoConfig()


class _NoPositions:
    async def load_position(self, path: str) -> tuple[str, int] | None:
        return None

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        pass

    async def source_position(self, source: str) -> int | None:
        return None


async def _nowhere(_: Collected) -> None:
    """What is tried is not stored."""


async def _no_logs(records: Sequence[LogRecord], *, source: str, batch_key: str = "") -> None:
    """The same for logs."""


async def _no_probe(*_: Any) -> None:
    """The same for results of probes."""


def _samples(rows: Sequence[Collected], error: str, started: float) -> TrialView:
    pairs = [
        (labels, float(value)) for one in rows for labels, value in zip(one.row.labels, one.row.values, strict=True)
    ]
    own = [(labels, value) for labels, value in pairs if not labels.get("__name__", "").startswith(("scrape_", "up"))]
    shown = tuple(
        SampleView(
            labels.get("__name__", ""), dict(labels.without(("__name__", "job", "instance")).pairs), f"{value:.6g}"
        )
        for labels, value in own[:_SHOWN_SAMPLES]
    )
    return TrialView(not error, error, time.perf_counter() - started, series=len(own), samples=shown)


def _log_lines(settings: Settings) -> TrialView:
    """The last lines of the newest file that matches, as they will be understood."""
    entry = next(iter(settings.collectors.get("logs", ())), None)
    if entry is None:
        return TrialView(False, "no file is named")
    started = time.perf_counter()
    paths = [path for path in glob.glob(entry.path, recursive=True)[:10_000] if os.path.isfile(path)]
    if not paths:
        return TrialView(False, f"no file matches {entry.path}")
    path = max(paths, key=os.path.getmtime)
    try:
        lines = _last_lines(path)
    except OSError as error:
        return TrialView(False, f"{path}: {error.strerror}", files=len(paths), file=path)
    if not lines:
        # Nothing is wrong with an empty file: lines will come.
        return TrialView(True, files=len(paths), file=path)
    whole, held = joined_lines(NOTHING, lines, 0.0)
    whole = [*whole, *all_held(held)][-_SHOWN_LINES:]
    now = time.time_ns()
    defaults = LineDefaults(entry.service)
    found = [parse_line(one.data, now, format=LineFormat(entry.format), defaults=defaults) for one in whole]
    recognised = form_of(whole[-1].data, now) if entry.format != LineFormat.RAW else entry.format
    return TrialView(
        True,
        seconds=time.perf_counter() - started,
        files=len(paths),
        file=path,
        recognised=recognised,
        lines=tuple(_line(one) for one in reversed(found)),
    )


def _last_lines(path: str) -> list[TailLine]:
    with open(path, "rb") as file:
        mark = file.read(2)
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - _LAST_BYTES)
        file.seek(start - start % 2)
        data = file.read(_LAST_BYTES + 2)
    wide = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(mark)
    if wide:
        data = data.decode(wide, "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    pieces = data.split(b"\n")
    if start:
        pieces = pieces[1:]  # the first is the end of a line
    lines = [one.removesuffix(b"\r") for one in pieces if one.strip()]
    return [TailLine(offset, one) for offset, one in enumerate(lines[-_SHOWN_LINES * 5 :], 1)]


def _line(record: LogRecord) -> LineView:
    fields = {name: str(value)[:200] for name, value in list(record.metadata.items())[:_MOST_FIELDS]}
    return LineView(
        record.timestamp_ns // 1_000_000,
        str(record.level),
        record.service,
        record.message[:_LONGEST],
        fields,
        record.parse_error,
    )
