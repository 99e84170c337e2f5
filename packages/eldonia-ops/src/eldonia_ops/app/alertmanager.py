"""The router alone, which ``eldonia-ops alertmanager`` runs: alerts in over HTTP, notifications out."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.data_directory import held_folder, own_folder
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import HttpServer, address_of, bind, serve_until_stopped
from eldonia_ops.app.listening.server_tls import server_tls
from eldonia_ops.app.loader import configuration_of
from eldonia_ops.app.modules import Module, running
from eldonia_ops.app.profiles.alertmanager import alertmanager
from eldonia_ops.app.reloading import Load, Reloading
from eldonia_ops.collectors.host.config import HostSettings
from eldonia_ops.http_client.connections import HttpClient
from eldonia_ops.lint.sources import Override
from eldonia_ops.model.errors import ConfigError, Diagnostic
from eldonia_ops.model.places import is_loopback
from eldonia_ops.ports import Clock, StateStore
from eldonia_ops.protocols.prometheus.web_config import WebConfig, parse_web_config
from eldonia_ops.protocols.text_file import read_text_file
from eldonia_ops.services.access.basic_users import BasicUsers
from eldonia_ops.services.alerts.alerts import AlertService
from eldonia_ops.services.clock import SystemClock
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.status import process_metrics
from eldonia_ops.settings import (
    NO_DEFAULT_RULES,
    AlertmanagerSettings,
    IncidentSettings,
    Listen,
    Retention,
    RuleSettings,
    Settings,
)
from eldonia_ops.settings.document import sqlite_state
from eldonia_ops.storage.state import open_state_store
from eldonia_ops.web.router_app import create_router_app

log = logging.getLogger("eldonia_ops")

_DAY_MS: Final = 86_400_000
DEFAULT_RETENTION: Final = 5 * _DAY_MS
"""How long silences, deliveries and decisions that are over are kept; Alertmanager's own default."""


@dataclass(frozen=True, slots=True)
class RouterOptions:
    """What the command line says: Alertmanager's flags of the same names. ``web_config`` is None for no such file."""

    config: Path
    storage: Path
    listen: Listen
    external_url: str = ""
    retention: int = DEFAULT_RETENTION
    web_config: Path | None = None


class RouterStatus:
    """Implements :class:`~eldonia_ops.web.compat.management.Watched`."""

    def __init__(self, loops: Loops, modules: list[Module]) -> None:
        self._loops = loops
        self._modules = modules
        self.is_ready = False

    def ready(self) -> bool:
        """Whether everything has started."""
        return self.is_ready

    def failing_loops(self) -> list[str]:
        """Names of the loops that fail again and again."""
        return [loop.name for loop in self._loops.failing()]

    def metrics(self, accept: str) -> tuple[str, bytes]:
        """What all modules count."""
        others = {name: value for module in self._modules for name, value in module.metrics().items()}
        return self._loops.metrics.exposition(accept, {**others, **process_metrics()})


@dataclass(slots=True)
class RunningRouter:
    """Implements :class:`~eldonia_ops.web.router_app.RouterPlatform`."""

    clock: Clock
    state: StateStore
    alerts: AlertService
    status: RouterStatus
    reloads: Reloading

    @property
    def resolve_timeout_ms(self) -> int:
        """After how long an alert that was posted without an end, and not posted again, is over."""
        return self.reloads.configuration.routing.resolve_timeout

    def now(self) -> int:
        """Unix milliseconds."""
        return self.clock.now()


def router_loader(options: RouterOptions, environment: Mapping[str, str]) -> Load:
    """What reads the routing and its templates, at the start and at each reload."""
    settings = Settings(
        data=options.storage,
        state=sqlite_state(options.storage),
        listen=options.listen,
        external_url=options.external_url.rstrip("/"),
        collectors={"host": HostSettings(enabled=False)},
        rules=RuleSettings(defaults=NO_DEFAULT_RULES),
        alertmanager=AlertmanagerSettings(options.config),
        # Nothing opens any, and Alertmanager sends each alert that no rule inhibits.
        incidents=IncidentSettings(escalation=(), join_outages=False),
        retention=Retention(state=options.retention),
    )

    def load(override: Override, /, *, managed: str | None = None) -> Configuration:
        return configuration_of(override(settings), environment)

    return load


@contextlib.asynccontextmanager
async def running_router(
    load: Load, configuration: Configuration, environment: Mapping[str, str]
) -> AsyncIterator[RunningRouter]:
    """A router whose modules run until the context is left.

    Raises:
        ConfigError: the storage folder is another user's, or in use.
        StateError: the state in it cannot be opened.
    """
    settings = configuration.settings
    for warning in configuration.warnings:
        log.warning("%s", warning)
    own_folder(settings.data)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(held_folder(settings.data))
        state = await open_state_store(settings.state.reveal())
        stack.push_async_callback(state.close)
        client = await stack.enter_async_context(HttpClient())
        base = Foundation(configuration, environment, state, client, SystemClock())
        made = alertmanager(base)
        reloads = Reloading(base.clock, load, configuration, made.modules)
        status = RouterStatus(base.loops, [*made.modules, reloads])
        async with running(made.modules, base.loops):
            status.is_ready = True
            try:
                yield RunningRouter(base.clock, state, made.alerts, status, reloads)
            finally:
                status.is_ready = False


async def serve_router(options: RouterOptions, environment: Mapping[str, str], on_start: Callable[[str], None]) -> None:
    """Route alerts until SIGTERM or SIGINT; SIGHUP has the files read anew. ``on_start`` is given the address.

    Raises:
        ConfigError: a file is faulty, the address is taken, or it is not loopback and no user is configured.
    """
    web = WebConfig()
    if options.web_config is not None:
        web = parse_web_config(read_text_file(options.web_config), str(options.web_config))
    loopback = is_loopback(options.listen.host)
    if not web.users and not loopback:
        hint = "name a file with basic_auth_users by --web.config.file, or listen on 127.0.0.1"
        message = f"refusing to listen on {options.listen}: every client could silence alerts there"
        raise ConfigError(Diagnostic(message, str(options.web_config or ""), hint=hint))
    tls = None if web.tls is None else server_tls(web.tls)
    load = router_loader(options, environment)
    configuration = load(lambda settings: settings)
    with bind(options.listen) as listener:
        async with running_router(load, configuration, environment) as router:
            app = create_router_app(
                router,
                users=BasicUsers(web.users) if web.users else None,
                loopback=loopback,
                external_url=options.external_url,
            )
            address = address_of(listener, "https" if web.tls else "http")
            server = HttpServer("main", app, listener, Places(), tls)
            await serve_until_stopped(server, router.reloads, lambda: on_start(address))
