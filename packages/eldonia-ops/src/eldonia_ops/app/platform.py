"""Opens the stores, makes the whole platform of its modules, runs them, and closes everything in order."""

import contextlib
import logging
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops import __version__
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.loader import configuration_of
from eldonia_ops.app.managed_configuration import PlatformConfiguration, ReloadedConfiguration
from eldonia_ops.app.modules import Module, running
from eldonia_ops.app.profiles.full import full
from eldonia_ops.app.reloading import Load, OnChanged, Reloading
from eldonia_ops.dashboards.provided import ProvidedDashboards
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.lint.sources import Override
from eldonia_ops.model.change import ChangeKind
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import is_loopback
from eldonia_ops.ports import Snapshots, StateStore, TelemetryStore, TelemetryStores
from eldonia_ops.services.access.accounts import AccountService
from eldonia_ops.services.access.principals import Principals
from eldonia_ops.services.access.sessions import SessionService, SessionTimes
from eldonia_ops.services.access.tokens import AccessService
from eldonia_ops.services.alerts.alerts import AlertService
from eldonia_ops.services.backups import BackupService
from eldonia_ops.services.changes import Changes
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.incidents.incidents import IncidentService
from eldonia_ops.services.ingest import IngestService
from eldonia_ops.services.logs.erasures import Erasures
from eldonia_ops.services.logs.metrics import LogMetrics
from eldonia_ops.services.logs.retention import LogRetention
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.metric_declarations import TABLE_INSERT
from eldonia_ops.services.queries import QueryService
from eldonia_ops.services.recovery import RecoveryService
from eldonia_ops.services.security import SecurityService
from eldonia_ops.services.status import StatusService
from eldonia_ops.settings import SessionSettings, Settings, SignOnSettings
from eldonia_ops.storage.clickhouse import (
    EMBEDDED,
    ClickhouseTelemetryStore,
    Deployment,
    DeploymentKind,
    Retention,
    open_signal_stores,
    open_telemetry_store,
    wal_folder,
)
from eldonia_ops.storage.state import SqlStateStore, open_state_store

log = logging.getLogger("eldonia_ops")

ADMIN_TOKEN_FILE: Final = "admin.token"  # noqa: S105 - a name of a file
_DAY_MS: Final = 86_400_000
_RULE_THREADS: Final = 4
_USUAL_INTERVAL: Final = 15_000
_LONGEST_INTERVAL: Final = 60_000


@dataclass(slots=True)
class RunningPlatform:
    """Implements :class:`~eldonia_ops.services.api.Platform`. ``admin_secret`` is set on a first start."""

    clock: SystemClock
    telemetry: TelemetryStores
    state: StateStore
    queries: QueryService
    ingest: IngestService
    alerts: AlertService
    incidents: IncidentService
    security: SecurityService
    recovery: RecoveryService
    status: StatusService
    access: AccessService
    accounts: AccountService
    sessions: SessionService
    reloads: Reloading
    backups: BackupService
    managed: PlatformConfiguration
    log_metrics: LogMetrics
    log_retention: LogRetention
    erasures: Erasures
    admin_secret: str | None = None

    @property
    def settings(self) -> Settings:
        """The settings that are in force."""
        return self.reloads.configuration.settings

    @property
    def sign_on(self) -> SignOnSettings:
        """How people sign in."""
        settings: Settings = self.settings
        return settings.sign_on

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """The networks of proxies in front."""
        settings: Settings = self.settings
        return settings.trusted_proxies

    @property
    def dashboard_files(self) -> ProvidedDashboards:
        """The dashboards of files, as they are in force."""
        return self.reloads.configuration.dashboards

    @property
    def scrape_interval_ms(self) -> int:
        """How far samples of one series are apart, as a rule."""
        return scrape_interval(self.settings)

    @property
    def resolve_timeout_ms(self) -> int:
        """After how long an alert that was posted without an end, and not posted again, is over."""
        return self.reloads.configuration.routing.resolve_timeout

    @property
    def language(self) -> str:
        """The language of pages and messages when a request asks for no other."""
        return self.settings.language

    def now(self) -> int:
        """Unix milliseconds."""
        return self.clock.now()


@contextlib.asynccontextmanager
async def running_platform(
    configuration: Configuration,
    environment: Mapping[str, str],
    load: Load | None = None,
    edge: Sequence[Module] = (),
) -> AsyncIterator[RunningPlatform]:
    """A platform whose modules run until the context is left.

    ``load`` reads the configuration anew; without it, a reload reads what the settings of the start name. ``edge`` are
    modules by which others reach the platform: they come last, so they are changed and stopped first.

    Raises:
        ConfigError: it is to listen beyond this machine and there is no token yet.
        StateError, TelemetryError: a store cannot be opened.
    """
    settings = configuration.settings
    for warning in configuration.warnings:
        log.warning("%s", warning)
    own_folder(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(held_folder(settings.data))
        state = await open_state_store(settings.state.reveal())
        stack.push_async_callback(state.close)
        clock = SystemClock()
        principals = Principals(clock, state)
        access = AccessService(clock, state, principals)
        accounts = AccountService(clock, state, principals)
        stack.callback(accounts.close)
        await _refuse_unprotected(settings, access)
        loops = Loops()
        telemetry = await _open_telemetry(settings, loops)
        stack.push_async_callback(telemetry.close)
        client = await stack.enter_async_context(HttpClient())
        queries = QueryService(
            clock,
            telemetry.metrics,
            concurrency=settings.limits.query_concurrency,
            timeout_seconds=settings.limits.query_timeout / 1000,
            max_samples=settings.limits.query_samples,
            rule_threads=_RULE_THREADS,
        )
        stack.callback(queries.close)

        base = Foundation(configuration, environment, state, client, clock, loops)
        modules: list[Module] = []
        made = full(
            base,
            telemetry,
            queries,
            lambda: {name: value for module in modules for name, value in module.metrics().items()},
        )
        running_modules = [*made.modules, *edge]
        reloads = Reloading(
            clock, load or _same_settings(settings, environment), configuration, running_modules, _recorded(state)
        )
        modules += [*running_modules, reloads]
        backups = BackupService(clock, settings.data, _copied(settings, state, telemetry), _about(settings))

        def session_times() -> SessionTimes:
            in_force: Settings = reloads.configuration.settings
            wanted: SessionSettings = in_force.sign_on.sessions
            return SessionTimes(wanted.lifetime, wanted.idle)

        platform = RunningPlatform(
            clock,
            telemetry,
            state,
            queries,
            made.ingest,
            made.alerts,
            made.incidents,
            made.security,
            made.recovery,
            made.status,
            access,
            accounts,
            SessionService(clock, state, principals, session_times),
            reloads,
            backups,
            PlatformConfiguration(
                base, ReloadedConfiguration(reloads, enabled=load is not None), made.alerts, queries, telemetry.logs
            ),
            made.log_metrics,
            made.log_retention,
            made.erasures,
            await access.ensure_admin(settings.data / ADMIN_TOKEN_FILE),
        )
        await backups.resume()
        async with running(running_modules, base.loops):
            made.status.set_ready(True)
            try:
                yield platform
            finally:
                made.status.set_ready(False)


def scrape_interval(settings: Settings) -> int:
    """The longest interval (ms) of what is measured again and again, from 15 s to a minute."""
    sections = (one if isinstance(one, tuple) else (one,) for one in settings.collectors.values())
    found = (getattr(item, "interval", 0) for section in sections for item in section)
    return max(_USUAL_INTERVAL, min(_LONGEST_INTERVAL, max(found, default=0)))


def _same_settings(settings: Settings, environment: Mapping[str, str]) -> Load:
    def load(override: Override, /, *, managed: str | None = None) -> Configuration:
        return configuration_of(override(settings), environment)

    return load


async def _refuse_unprotected(settings: Settings, access: AccessService) -> None:
    """Beyond this machine we listen only once somebody holds a key that was not made in this very start."""
    places = [settings.listen, *(one.listen for one in settings.listeners.values() if one.client_ca_file is None)]
    reachable = next((one for one in places if not is_loopback(one.host)), None)
    if reachable is None or await access.has_admin():
        return
    message = f"refusing to listen on {reachable}: there is no access token and no account yet"
    hint = "make the token with 'eldonia-ops token first', or start once on a loopback address, which prints it"
    raise ConfigError(Diagnostic(message, str(settings.file or ""), hint=hint))


def _copied(settings: Settings, state: SqlStateStore, telemetry: TelemetryStores) -> list[Snapshots]:
    """The stores of a backup, each once."""
    signals = (telemetry.logs, telemetry.metrics, telemetry.traces)
    return [state, *{id(store): store for store in signals if isinstance(store, ClickhouseTelemetryStore)}.values()]


def _about(settings: Settings) -> dict[str, str]:
    """What an archive says of the platform that it was made of; nothing secret."""
    addresses = settings.telemetry_addresses()
    return {
        "version": __version__,
        "state": "sqlite" if settings.state.reveal().startswith("sqlite") else "postgresql",
        "telemetry": "chdb" if EMBEDDED in addresses else "a server, which is not in this archive",
    }


async def _open_telemetry(settings: Settings, loops: Loops) -> TelemetryStores:
    def days(ms: int) -> int:
        return max(1, math.ceil(ms / _DAY_MS))

    kept = settings.retention
    deployment = Deployment(DeploymentKind(settings.storage.tables), settings.storage.cluster)

    async def open_at(address: str) -> TelemetryStore:
        return await open_telemetry_store(
            settings.data / "telemetry" if address == EMBEDDED else None,
            url=None if address == EMBEDDED else address,
            wal=settings.data / "telemetry" / wal_folder(address),
            retention=Retention(days(kept.logs), days(kept.traces), days(kept.metrics)),
            head_hours=kept.head / 3_600_000,
            head_max_series=settings.limits.series,
            max_samples=settings.limits.query_samples,
            on_insert=lambda table, seconds: loops.metrics.observe(TABLE_INSERT, seconds, table),
            deployment=Deployment() if address == EMBEDDED else deployment,
            instance=settings.storage.instance,
        )

    return await open_signal_stores(settings.telemetry_addresses(), open_at)


def _recorded(state: StateStore) -> OnChanged:
    """Keeps every change of the configuration where incidents look for what changed before them."""
    changes = Changes(state)

    async def record(at: int, actor: str, difference: str) -> None:
        await changes.record(at, difference, actor, kind=ChangeKind.CONFIGURATION)

    return record
