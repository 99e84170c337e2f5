"""What all HTTP listeners of one platform share, and the application of each: routes behind a gate of their own.

The main application has every route. A listener of a dialect has the routes of that dialect and no others, at the same
paths, and answers everything else in the dialect's words. Endpoints, threads and the memory of failed attempts are the
same objects for all of them: another listener gives no more attempts at a token, and no more places for heavy work.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Mount

from eldonia_ops import __version__
from eldonia_ops.intake import HttpListener, Intake
from eldonia_ops.intake.registry import listeners_of
from eldonia_ops.model.access import Principal, Role, Token
from eldonia_ops.services.access.oidc import OidcClient
from eldonia_ops.services.api import Platform
from eldonia_ops.services.api.people import Sessions
from eldonia_ops.web.assets import Assets
from eldonia_ops.web.audit.trail import AuditTrail
from eldonia_ops.web.compat import alertmanager, elasticsearch, jaeger, management, prometheus
from eldonia_ops.web.gate import Gate, GuardedRoute, check_order, guards_of, loopback_hosts
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.intake import PlatformSinks, intake_envelope, intake_routes, usable_intakes
from eldonia_ops.web.limits import RequestLimits
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.native import app as native
from eldonia_ops.web.pages import Pages
from eldonia_ops.web.problems import FAMILY, ApiDialect, Envelope, handlers
from eldonia_ops.web.proxy_sign_on import ProxySignOn
from eldonia_ops.web.sign_in_throttle import SignInThrottle, signed_in_there

MAIN: Final = "main"
"""The name of the main listener in metrics."""

_DIALECTS: Final = (
    ApiDialect.PROMETHEUS, ApiDialect.ALERTMANAGER, ApiDialect.JAEGER, ApiDialect.ELASTICSEARCH,
)  # fmt: skip
_ATTEMPTS: Final = 10
_ATTEMPTS_WINDOW_MS: Final = 5 * 60_000


class HttpSide:
    """The HTTP side of a running platform.

    ``external_url`` is the address by which people reach it, if not the listen address. ``secure_cookies`` defaults to
    whether that is https. ``intakes`` are the protocols that telemetry may come in by; one whose name or address is in
    use is logged and left out. ``other_index``: the index, in Elasticsearch's API, of records that came by other ways.

    Raises:
        FileNotFoundError: the package was installed without the libraries of the pages.
        TypeError: a route declares no demand, or two of ours have one address.
    """

    def __init__(
        self,
        platform: Platform,
        *,
        external_url: str = "",
        secure_cookies: bool | None = None,
        limits: RequestLimits | None = None,
        intakes: Sequence[Intake] = (),
        version: str = __version__,
        other_index: str = "logs",
    ) -> None:
        self._platform = platform
        self._external_url = external_url
        self._secure = external_url.startswith("https://") if secure_cookies is None else secure_cookies
        self._limits = limits = limits or RequestLimits()
        self._sessions = platform.sessions
        self._attempts = FailedAttempts(platform.now, 6 * _ATTEMPTS, _ATTEMPTS_WINDOW_MS)
        attempts = FailedAttempts(platform.now, _ATTEMPTS, _ATTEMPTS_WINDOW_MS)
        throttle = SignInThrottle(platform.now, functools.partial(signed_in_there, platform))
        self._oidc = OidcClient(platform.now)
        self._proxied = ProxySignOn(platform)
        self._audit = AuditTrail(platform)
        assets, heavy = Assets(), HeavyWork()
        pages = Pages(
            platform,
            assets=assets,
            attempts=attempts,
            throttle=throttle,
            oidc=self._oidc,
            external_url=external_url,
            secure=self._secure,
            version=version,
        )
        packed = [Middleware(GZipMiddleware, minimum_size=1024, compresslevel=5)]
        self.sinks = PlatformSinks(platform, limits)
        self.elasticsearch = elasticsearch.ElasticsearchHost(platform, self.sinks, limits, heavy, other_index)
        before: list[BaseRoute] = [
            *prometheus.routes(platform, version, heavy),
            *alertmanager.routes(platform, version, limits),
            *jaeger.routes(platform, heavy),
            *elasticsearch.routes(self.elasticsearch, elasticsearch.PREFIX),
        ]
        after: list[BaseRoute] = [
            Mount(
                native.PREFIX,
                app=native.create_native(platform, version, heavy, throttle, external_url),
                middleware=packed,
            ),
            assets.route(),
            *pages.routes(),
        ]

        def routes_with(some: Sequence[Intake]) -> list[BaseRoute]:
            return [*before, *intake_routes(some, self.sinks, limits), *after]

        self.intakes = usable_intakes(intakes, routes_with)
        self._routes = routes_with(self.intakes)
        self._envelopes: dict[str, Envelope] = {
            ApiDialect.NATIVE: native.envelope,
            ApiDialect.PROMETHEUS: prometheus.envelope,
            ApiDialect.ALERTMANAGER: alertmanager.envelope,
            ApiDialect.JAEGER: jaeger.envelope,
            ApiDialect.ELASTICSEARCH: elasticsearch.envelope,
            ApiDialect.PAGE: pages.envelope,
            **{intake.name: intake_envelope(intake) for intake in self.intakes},
        }

    async def close(self) -> None:
        """Close the connections to a provider of sign-on."""
        await self._oidc.close()

    def main(self, *, loopback: bool) -> Starlette:
        """Every route. With ``loopback`` (bound to this machine only) other host names than localhost and the one in
        ``external_url`` are refused, against DNS rebinding."""
        families = (
            (native.PREFIX, ApiDialect.NATIVE),
            ("/api/v1/", ApiDialect.PROMETHEUS),
            ("/api/v2/", ApiDialect.ALERTMANAGER),
            ("/api/", ApiDialect.JAEGER),
            (elasticsearch.PREFIX, ApiDialect.ELASTICSEARCH),
            *((intake.prefix, intake.name) for intake in self.intakes if intake.prefix),
        )
        gate = self._gate(MAIN, self._routes, families, loopback, sessions=self._sessions, proxied=self._proxied)
        return self._application(self._routes, gate, ApiDialect.NATIVE)

    def listener(self, name: str, *, loopback: bool, anonymous: str = "none") -> Starlette:
        """The routes of one dialect, or of the intake that has a listener of this name. Only tokens are credentials.

        ``anonymous`` is the role of a program of this machine that shows no token, ``none`` for no role.

        Raises:
            LookupError: there is no such dialect, and no intake that is in use has such a listener.
            ValueError: ``anonymous`` gives away more than telemetry or views, or beyond this machine.
        """
        if anonymous not in ("none", Role.INGEST, Role.VIEWER) or (anonymous != "none" and not loopback):
            raise ValueError(f"{name} cannot be open to {anonymous}")
        local = None if anonymous == "none" else anonymous_caller(name, Role(anonymous))
        family = self._family(name)
        families = {family, *(intake.name for intake in self.intakes if intake.dialect == family)}
        routes = [one for one in self._routes if isinstance(one, GuardedRoute) and one.family in families]
        if name == ApiDialect.ELASTICSEARCH:  # on the main listener its addresses are those of pages
            routes = elasticsearch.routes(self.elasticsearch)
        own = [intake for intake in self.intakes if intake.name == family]
        routes += intake_routes(own, self.sinks, self._limits, apart=True)
        if name == ApiDialect.ALERTMANAGER:  # on the main listener Prometheus' dialect has these addresses
            routes += management.routes(self._platform.status, self._platform.reloads, ApiDialect.ALERTMANAGER)
        gate = self._gate(name, routes, (("/", family),), loopback, local=local)
        return self._application(routes, gate, family)

    def _family(self, name: str) -> str:
        if name in _DIALECTS:
            return name
        intake, listener = listeners_of(self.intakes)[name]
        if not isinstance(listener, HttpListener):
            raise LookupError(f"{name} is no HTTP listener")
        return intake.name

    def _gate(
        self,
        name: str,
        routes: Sequence[BaseRoute],
        families: Sequence[tuple[str, str]],
        loopback: bool,
        *,
        sessions: Sessions | None = None,
        local: Principal | None = None,
        proxied: ProxySignOn | None = None,
    ) -> dict[str, Any]:
        guards = guards_of(routes)
        check_order(guards)  # now, and not at the first request, when the gate is built
        return {
            "guards": guards,
            "access": self._platform.access,
            "sessions": sessions,
            "attempts": self._attempts,
            "envelopes": self._envelopes,
            "families": families,
            "limits": self._limits,
            "hosts": loopback_hosts(self._external_url) if loopback else None,
            "secure": self._secure,
            "local": local,
            "proxied": None if proxied is None else proxied.identify,
            "trusted": lambda: self._platform.trusted_proxies,
            "audit": self._audit,
            "observe": functools.partial(self._platform.status.request_ended, name),
        }

    def _application(self, routes: Sequence[BaseRoute], gate: Mapping[str, Any], family: str) -> Starlette:
        """``family`` is the dialect of a fault that the gate has not seen."""
        envelopes = self._envelopes
        app = Starlette(
            routes=routes,
            middleware=[Middleware(Gate, **gate)],
            exception_handlers=handlers(lambda request: envelopes[request.scope.get(FAMILY, family)]),
        )
        app.router.redirect_slashes = False
        app.state.guards = gate["guards"]
        return app


def anonymous_caller(listener: str, role: Role) -> Principal:
    """A program of this machine that shows no token at a listener."""
    return Principal(role, None, Token(f"anonymous:{listener}", "anonymous", role, "", 0))
