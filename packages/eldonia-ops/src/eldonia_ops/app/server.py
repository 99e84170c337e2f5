"""The platform behind its listeners, from start to orderly end."""

import contextlib
from collections.abc import Callable, Mapping

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.listening.connections import Places
from eldonia_ops.app.listening.listener import HttpServer, address_of, bind, serve_until_stopped
from eldonia_ops.app.listening.listeners import ListenersModule
from eldonia_ops.app.listening.main_tls import MainTls
from eldonia_ops.app.platform import RunningPlatform, running_platform
from eldonia_ops.app.reloading import Load
from eldonia_ops.app.service_state import ServiceState
from eldonia_ops.intake.registry import installed_intakes
from eldonia_ops.model.places import is_loopback
from eldonia_ops.services.api import ListenerView
from eldonia_ops.web.http_side import MAIN, HttpSide
from eldonia_ops.web.limits import RequestLimits

OnStart = Callable[[RunningPlatform, tuple[ListenerView, ...]], None]
"""Called with the running platform and the listeners that are open, the main one first."""


async def serve(
    configuration: Configuration, environment: Mapping[str, str], on_start: OnStart, load: Load | None = None
) -> None:
    """Run the platform until SIGTERM or SIGINT; SIGHUP has it read its configuration anew, by ``load``.

    Raises:
        ConfigError: an address is taken, or one is not loopback and there is no token yet.
    """
    settings = configuration.settings
    places = Places()
    # All of them before any store is opened: what is taken is said at once.
    with bind(settings.listen) as bound:
        tls = MainTls(settings)
        listeners = ListenersModule(settings.listeners, settings.listen, places)
        try:
            async with (
                running_platform(configuration, environment, load, edge=(listeners, tls)) as platform,
                contextlib.AsyncExitStack() as stack,
            ):
                side = HttpSide(
                    platform,
                    external_url=settings.address if tls.context else settings.external_url,
                    limits=RequestLimits(
                        ingest=settings.limits.request,
                        ingest_decoded=settings.limits.request_expanded,
                        labels=settings.limits.labels,
                        label_value=settings.limits.label_value,
                    ),
                    intakes=installed_intakes(),
                    other_index=settings.elasticsearch.index,
                )
                stack.push_async_callback(side.close)
                server = HttpServer(
                    MAIN, side.main(loopback=is_loopback(settings.listen.host)), bound, places, tls.context
                )
                address, counts = address_of(bound, "https" if tls.context else "http"), places.of(MAIN)

                def views() -> tuple[ListenerView, ...]:
                    main = ListenerView(MAIN, address, "none", counts.open, counts.accepted)
                    return (main, *listeners.views())

                platform.status.watch_listeners(views)
                await listeners.start(side)
                service = ServiceState(environment)

                def started() -> None:
                    on_start(platform, views())
                    service.ready()

                async def stop_others() -> None:
                    service.stopping()
                    await listeners.close()

                await serve_until_stopped(server, platform.reloads, started, stop_others)
        finally:
            listeners.release()
