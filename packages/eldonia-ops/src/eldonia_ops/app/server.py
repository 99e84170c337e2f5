"""The platform behind its HTTP listener, from start to orderly end."""

from collections.abc import Callable, Mapping

from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.intakes import installed_intakes
from eldonia_ops.app.listener import address_of, bind, serve_until_stopped
from eldonia_ops.app.platform import RunningPlatform, running_platform
from eldonia_ops.app.reloading import Load
from eldonia_ops.model.places import is_loopback
from eldonia_ops.web.app import create_app
from eldonia_ops.web.limits import RequestLimits

OnStart = Callable[[RunningPlatform, str], None]
"""Called with the running platform and the address that it listens on."""


async def serve(
    configuration: Configuration, environment: Mapping[str, str], on_start: OnStart, load: Load | None = None
) -> None:
    """Run the platform until SIGTERM or SIGINT; SIGHUP has it read its configuration anew, by ``load``.

    Raises:
        ConfigError: the address is taken, or it is not loopback and there is no token yet.
    """
    settings = configuration.settings
    with bind(settings.listen) as listener:
        async with running_platform(configuration, environment, load) as platform:
            app = create_app(
                platform,
                external_url=settings.external_url,
                loopback=is_loopback(settings.listen.host),
                limits=RequestLimits(
                    ingest=settings.limits.request,
                    ingest_decoded=settings.limits.request_expanded,
                    labels=settings.limits.labels,
                    label_value=settings.limits.label_value,
                ),
                intakes=installed_intakes(),
            )
            address = address_of(listener)
            await serve_until_stopped(app, listener, platform.reloads, lambda: on_start(platform, address))
