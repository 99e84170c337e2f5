"""Puts the HTTP side together: one Starlette application behind one gate."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount

from eldonia_ops import __version__
from eldonia_ops.intake import Intake
from eldonia_ops.services.api import Platform
from eldonia_ops.web.assets import Assets
from eldonia_ops.web.compat import alertmanager, jaeger, prometheus
from eldonia_ops.web.gate import Gate, check_order, guards_of, loopback_hosts
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.intake import intake_envelope, intake_routes, usable_intakes
from eldonia_ops.web.limits import RequestLimits
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.native import app as native
from eldonia_ops.web.pages import Pages
from eldonia_ops.web.problems import FAMILY, ApiDialect, Envelope, handlers
from eldonia_ops.web.sessions import Sessions

_ATTEMPTS = 10
_ATTEMPTS_WINDOW_MS = 5 * 60_000


def create_app(
    platform: Platform,
    *,
    external_url: str = "",
    loopback: bool = True,
    secure_cookies: bool | None = None,
    limits: RequestLimits | None = None,
    intakes: Sequence[Intake] = (),
    version: str = __version__,
) -> Starlette:
    """The whole HTTP side over a running platform.

    ``external_url`` is the address by which people reach it, if not the listen address. With ``loopback`` (the listener
    is bound to this machine only) other host names than localhost and the one in ``external_url`` are refused, against
    DNS rebinding. ``secure_cookies`` defaults to whether ``external_url`` is https. ``intakes`` are the protocols that
    telemetry may come in by.

    Raises:
        FileNotFoundError: the package was installed without the libraries of the pages.
        TypeError: a route declares no demand, or two of ours have one address.
    """
    limits = limits or RequestLimits()
    secure = external_url.startswith("https://") if secure_cookies is None else secure_cookies
    sessions = Sessions(platform.state, platform.now)
    attempts = FailedAttempts(platform.now, _ATTEMPTS, _ATTEMPTS_WINDOW_MS)
    assets, heavy = Assets(), HeavyWork()
    pages = Pages(platform, assets=assets, sessions=sessions, attempts=attempts, secure=secure, version=version)
    packed = [Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)]
    before: list[BaseRoute] = [
        *prometheus.routes(platform, version, heavy),
        *alertmanager.routes(platform, version, limits),
        *jaeger.routes(platform, heavy),
    ]
    after: list[BaseRoute] = [
        Mount(native.PREFIX, app=native.create_native(platform, sessions, version, heavy), middleware=packed),
        assets.route(),
        *pages.routes(),
    ]

    def routes_with(some: Sequence[Intake]) -> list[BaseRoute]:
        return [*before, *intake_routes(some, platform, limits), *after]

    intakes = usable_intakes(intakes, routes_with)
    routes = routes_with(intakes)
    envelopes: dict[str, Envelope] = {
        ApiDialect.NATIVE: native.envelope,
        ApiDialect.PROMETHEUS: prometheus.envelope,
        ApiDialect.ALERTMANAGER: alertmanager.envelope,
        ApiDialect.JAEGER: jaeger.envelope,
        ApiDialect.PAGE: pages.envelope,
        **{intake.name: intake_envelope(intake) for intake in intakes},
    }
    guards = guards_of(routes)
    check_order(guards)  # now, and not at the first request, when the gate is built
    gate = Middleware(
        Gate,
        guards=guards,
        access=platform.access,
        sessions=sessions,
        attempts=FailedAttempts(platform.now, 6 * _ATTEMPTS, _ATTEMPTS_WINDOW_MS),
        envelopes=envelopes,
        families=(
            (native.PREFIX, ApiDialect.NATIVE),
            ("/api/v1/", ApiDialect.PROMETHEUS),
            ("/api/v2/", ApiDialect.ALERTMANAGER),
            ("/api/", ApiDialect.JAEGER),
            *((intake.prefix, intake.name) for intake in intakes if intake.prefix),
        ),
        limits=limits,
        hosts=loopback_hosts(external_url) if loopback else None,
        secure=secure,
        observe=platform.status.request_ended,
    )
    app = Starlette(
        routes=routes,
        middleware=[gate],
        exception_handlers=handlers(lambda request: envelopes[request.scope.get(FAMILY, ApiDialect.NATIVE)]),
    )
    app.router.redirect_slashes = False
    app.state.platform = platform
    app.state.guards = guards
    return app
