"""The HTTP side of the router alone: Alertmanager's API v2 and its addresses for being watched and reloaded."""

from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from eldonia_ops import __version__
from eldonia_ops.services.access.basic_users import BasicUsers, user
from eldonia_ops.services.api import Reloads
from eldonia_ops.web.access import Permission, name_and_password
from eldonia_ops.web.compat import alertmanager, management
from eldonia_ops.web.gate import Gate, GuardedRoute, guards_of, loopback_hosts
from eldonia_ops.web.limits import RequestLimits
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.problems import FAMILY, ApiDialect, Envelope, handlers

_ATTEMPTS, _ATTEMPTS_WINDOW_MS = 60, 5 * 60_000


class RouterPlatform(alertmanager.AlertPlatform, Protocol):
    """What this application needs of a running router."""

    @property
    def status(self) -> management.Watched:
        """Whether it is ready, and its metrics."""
        ...

    @property
    def reloads(self) -> Reloads:
        """Its configuration, read anew."""
        ...


def create_router_app(
    platform: RouterPlatform,
    *,
    users: BasicUsers | None,
    loopback: bool,
    external_url: str = "",
    limits: RequestLimits | None = None,
    version: str = __version__,
) -> Starlette:
    """The HTTP side of a router. With ``users`` each request shows the name and password of one of them; without, it is
    open to every client that reaches it, which ``loopback`` has to bound to programs of this machine.

    Raises:
        ValueError: neither ``users`` nor ``loopback``.
    """
    if users is None and not loopback:
        raise ValueError("a router without users listens on this machine alone")
    limits = limits or RequestLimits()
    dialect = ApiDialect.ALERTMANAGER

    async def root(_request: Request) -> Response:
        return PlainTextResponse("Eldonia Ops routes alerts here. The API is below /api/v2.\n")

    routes = [
        *alertmanager.routes(platform, version, limits),
        *management.routes(platform.status, platform.reloads, dialect),
        GuardedRoute("/", root, demand=Permission.PUBLIC, family=dialect),
    ]
    envelopes: dict[str, Envelope] = {dialect: alertmanager.envelope}
    gate = Middleware(
        Gate,
        guards=guards_of(routes),
        access=users or BasicUsers({}),
        sessions=None,
        attempts=FailedAttempts(platform.now, _ATTEMPTS, _ATTEMPTS_WINDOW_MS),
        envelopes=envelopes,
        families=(("/", dialect),),
        limits=limits,
        hosts=loopback_hosts(external_url) if loopback else None,
        secure=external_url.startswith("https://"),
        secret_of=name_and_password,
        anonymous=None if users else user("anonymous"),
        public=users is None,
    )
    app = Starlette(
        routes=routes,
        middleware=[gate],
        exception_handlers=handlers(lambda request: envelopes[request.scope.get(FAMILY, dialect)]),
    )
    app.router.redirect_slashes = False
    return app
