"""The one place that decides who gets in: an ASGI application in front of all routes.

The gate holds a table made from the routes of the application. A route that declares no demand
makes :func:`guards_of` raise, so that nothing can be served by having been forgotten. A request that
matches no entry of the table never reaches the application, whatever its router would make of it: it
is answered here, with 401 to strangers like any other, and 404 or 405 only to those who are signed in.
"""

import functools
import re
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from fastapi.routing import APIRoute
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.routing import BaseRoute, Mount, Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from eldonia_ops.model.access import Principal
from eldonia_ops.model.foreign import MAX_DEPTH, nesting
from eldonia_ops.model.places import is_loopback
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError
from eldonia_ops.services.api.people import Sessions
from eldonia_ops.web.access import Permission, able_roles, allows, secret_from_authorization
from eldonia_ops.web.callers import CALLER, Caller
from eldonia_ops.web.client_address import note_client, peer_of
from eldonia_ops.web.limits import PUBLIC_BYTES, RequestLimits, read_raw
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.parameters import fault_of
from eldonia_ops.web.problems import FAMILY, ApiDialect, Envelope, Problem, too_many_attempts
from eldonia_ops.web.sessions import cookie_name, csrf_matches

OWN_NAME: Final = "eldonia-ops.localhost"
"""A name of this machine (RFC 6761, section 6.3) that no other program uses: what a browser keeps for it, the session
above all, it shows to no other port of 127.0.0.1 that people visit."""
CSRF_HEADER: Final = "x-csrf-token"
_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9A-Za-z:.]+)\]|(?P<name>[0-9A-Za-z._-]+))(?::[0-9]*)?")
_LONGEST_PATH: Final = 4_096
_JSON = re.compile(rb"[\s\x00\xef\xbb\xbf\xfe\xff]*+[{\[]")  # in UTF-8, UTF-16 or UTF-32
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS: Final = _SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}

PAGE_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_FORWARDING: Final = frozenset({"forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "cf-connecting-ip"})
_NO_TOKEN: Final = Problem(401, "unauthorized", "this needs a token", "send 'Authorization: Bearer <token>'")
_NOT_SIGNED_IN: Final = Problem(
    401, "unauthorized", "this needs a token", "send 'Authorization: Bearer <token>', or sign in with the browser"
)
_API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"


Proxied = Callable[[Request], Awaitable[Caller | Problem | None]]
"""Finds the caller whom a proxy vouches for, a problem for one who may not come in, or None."""


class Audit(Protocol):
    """Notes what requests change."""

    def covers(self, path: str, method: str, demand: Permission) -> bool:
        """Whether requests to a route are noted."""
        ...

    async def run(
        self, app: ASGIApp, path: str, parameters: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Let the application answer, and note what it did."""
        ...


Observe = Callable[[str, str, str, int, float], None]
"""Takes dialect, pattern of the path, method, status and seconds of an answer."""


def _unobserved(_dialect: str, _route: str, _method: str, _status: int, _seconds: float) -> None:
    pass


class Authenticates(Protocol):
    """Finds who shows a secret."""

    async def authenticate(self, secret: str) -> Principal | None:
        """Who it belongs to, or None. Takes equally long for near misses."""
        ...


class GuardedRoute(Route):
    """A Starlette route that declares what it demands.

    ``streams`` routes read and bound their bodies themselves; ``csrf_in_form`` routes check the
    token of a plain HTML form themselves, because the gate does not read bodies for it.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        demand: Permission,
        family: str,
        methods: Collection[str] = ("GET",),
        streams: bool = False,
        csrf_in_form: bool = False,
    ) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.demand = demand
        self.family = family
        self.streams = streams
        self.csrf_in_form = csrf_in_form


def demands(demand: Permission) -> dict[str, Any]:
    """Keyword arguments that declare a FastAPI operation's demand (it shows in the OpenAPI document)."""
    return {"openapi_extra": {"x-demand": demand.value}}


@dataclass(frozen=True, slots=True)
class Guard:
    """What the gate knows of one route."""

    path: str
    pattern: Any
    methods: frozenset[str]
    demand: Permission
    family: str
    streams: bool = False
    csrf_in_form: bool = False


@functools.lru_cache(4096)
def _pattern(path: str) -> re.Pattern[str]:
    """As the router compiles it; each listener has a table of its own of the same paths."""
    return compile_path(path)[0]


def guards_of(routes: Iterable[BaseRoute], prefix: str = "") -> list[Guard]:
    """The table of all routes, mounted ones included.

    Raises:
        TypeError: a route declares no demand.
    """
    guards: list[Guard] = []
    for route in routes:
        if isinstance(route, Mount):
            guards += guards_of(route.routes, prefix + route.path)
        elif isinstance(route, GuardedRoute):
            pattern = _pattern(prefix + route.path) if prefix else route.path_regex
            guards.append(
                Guard(
                    prefix + route.path,
                    pattern,
                    frozenset(route.methods or ()),
                    route.demand,
                    route.family,
                    route.streams,
                    route.csrf_in_form,
                )
            )
        elif isinstance(route, APIRoute) and (name := (route.openapi_extra or {}).get("x-demand")):
            pattern = _pattern(prefix + route.path) if prefix else route.path_regex
            methods = frozenset(route.methods or ())
            guards.append(Guard(prefix + route.path, pattern, methods, Permission(name), ApiDialect.NATIVE))
        else:
            raise TypeError(f"route {prefix}{getattr(route, 'path', route)} declares no demand")
    return guards


class Gate:
    """Checks host, credentials, capability, origin and size, then lets the request through.

    ``envelopes`` renders errors per family. ``hosts`` are the names under which the platform may be
    addressed (None for any): with a loopback listener this keeps a web page that rebinds its own name to
    127.0.0.1 from talking to us. ``families`` maps path prefixes to the family that unknown paths below them answer in.
    ``observe`` takes the family, the pattern of the path, the method, the status and the seconds of each answer.

    ``secret_of`` finds the secret in an ``Authorization`` header. Without ``sessions`` a cookie counts for nothing.
    Without authentication every request acts as ``anonymous``. With it, what a program of this machine asks without
    showing a secret acts as ``local``, if that is given. Unless ``public``, routes without a permission need a known
    caller too. Pages of other sites change nothing, whatever a browser sends along for them. ``audit`` notes what
    requests change.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        guards: Sequence[Guard],
        access: "Authenticates",
        sessions: Sessions | None,
        attempts: FailedAttempts,
        envelopes: Mapping[str, Envelope],
        families: Sequence[tuple[str, str]],
        limits: RequestLimits,
        hosts: frozenset[str] | None,
        secure: bool,
        secret_of: Callable[[str], str | None] = secret_from_authorization,
        anonymous: Principal | None = None,
        local: Principal | None = None,
        public: bool = True,
        proxied: "Proxied | None" = None,
        trusted: Callable[[], Sequence[str]] = tuple,
        observe: Observe = _unobserved,
        audit: Audit | None = None,
    ) -> None:
        check_order(guards)
        self._app = app
        self._fixed: dict[str, list[Guard]] = {}
        for guard in guards:
            if "{" not in guard.path:
                self._fixed.setdefault(guard.path, []).append(guard)
        self._patterns = [guard for guard in guards if "{" in guard.path]
        self._access = access
        self._sessions = sessions
        self._attempts = attempts
        self._envelopes = envelopes
        self._families = families
        self._limits = limits
        self._hosts = hosts
        self._secure = secure
        self._secret_of = secret_of
        self._anonymous = anonymous
        self._local = local
        self._public = public
        self._proxied = proxied
        self._trusted = trusted
        self._observe = observe
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        note_client(scope, self._trusted())
        request = Request(scope, receive)
        guard, family = self._find(scope["path"], request.method)
        scope[FAMILY] = family
        send = self._timed(self._with_headers(send, family), family, guard.path if guard else "unknown", request.method)
        problem = await self._admit(request, guard) or _unreadable(scope)
        if problem is None and guard is None:
            problem = self._unknown(scope["path"])
        if problem is None and request.method not in _SAFE_METHODS and not (guard and guard.streams):
            try:
                known = CALLER in scope or self._anonymous is not None
                body = await read_raw(request, self._limits.request if known else PUBLIC_BYTES)
                receive = _replay(body, receive)
                problem = _unreadable_form(request, body) or _too_deep(body)
            except TooLargeError as error:
                problem = Problem(413, "too_large", str(error))
            except BadEncodingError as error:
                problem = Problem(400, "bad_request", str(error))
        if problem is not None:
            response = await self._envelopes[family](request, problem)
            await response(scope, receive, send)
            return
        if guard and self._audit and self._audit.covers(guard.path, request.method, guard.demand):
            parameters = guard.pattern.match(scope["path"]).groupdict()
            await self._audit.run(self._app, guard.path, parameters, scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _timed(self, send: Send, family: str, route: str, method: str) -> Send:
        """Counts the answer when its head goes out: how long a client takes to read the rest is its own affair."""
        started = time.perf_counter()
        # Methods come from outside too, and each would be a series of its own.
        method = method if method in _METHODS else "other"

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._observe(str(family), route, method, message["status"], time.perf_counter() - started)
            await send(message)

        return sending

    def _candidates(self, path: str) -> list[Guard]:
        """The guards of a path. Routers match with ``$``, which also matches before a last line break; here a
        path is what it is."""
        if path.endswith("\n"):
            return []
        return [*self._fixed.get(path, ()), *(guard for guard in self._patterns if guard.pattern.match(path))]

    def _find(self, path: str, method: str) -> tuple[Guard | None, str]:
        """The guard of a request, or the family that an unknown path or method answers in."""
        candidates = self._candidates(path)
        for guard in candidates:
            if method in guard.methods:
                return guard, guard.family
        if candidates:
            return None, candidates[0].family
        return None, next((family for prefix, family in self._families if path.startswith(prefix)), ApiDialect.PAGE)

    def _unknown(self, path: str) -> Problem:
        """The answer to a request without a guard."""
        methods = sorted({method for guard in self._candidates(path) for method in guard.methods})
        if methods:
            return Problem(405, "method_not_allowed", "Method Not Allowed", headers={"Allow": ", ".join(methods)})
        return Problem(404, "not_found", "Not Found")

    async def _admit(self, request: Request, guard: Guard | None) -> Problem | None:
        if self._hosts is not None and host_name(request.headers.get("host", "")) not in self._hosts:
            return Problem(
                421,
                "misdirected",
                "this platform is not addressed by that host name",
                "use the address that it printed at its start, or name this one as external_url",
            )
        if guard is not None and guard.demand is Permission.PUBLIC and self._public:
            return None
        caller = await self._identify(request)
        if isinstance(caller, Problem):
            return caller
        if guard is None:
            return None
        if not allows(caller.role, guard.demand):
            if caller.principal is self._local:
                return _NO_TOKEN
            able = ", ".join(able_roles(guard.demand))
            who = "an account" if caller.is_person else "a token"
            return Problem(
                403,
                "forbidden",
                f"{who} of role {caller.role} may not do this" if caller.role else "this token may do nothing any more",
                f"it takes one of the roles {able}",
            )
        if request.method not in _SAFE_METHODS:
            # A browser also sends by itself a password that it was once given, and reaches this machine's ports.
            strange = _not_from_here if caller.csrf else from_another_site
            if strange(request.headers):
                return Problem(403, "cross_origin", "this request came from another site")
            presented = request.headers.get(CSRF_HEADER, "")
            if caller.csrf and not guard.csrf_in_form and not csrf_matches(caller.csrf, presented):
                return Problem(
                    403, "csrf", "the X-CSRF-Token header is missing or belongs to another session", "reload the page"
                )
        request.scope[CALLER] = caller
        return None

    async def _identify(self, request: Request) -> Caller | Problem:
        if self._anonymous is not None:
            return Caller(self._anonymous)
        address = request.client.host if request.client else ""
        header = request.headers.get("authorization", "")
        secret = self._secret_of(header) if header else None
        if secret and (principal := await self._access.authenticate(secret)):
            return Caller(principal)
        # Before a wrong header: a proxy that asks for a name and a password of its own passes them on.
        if self._proxied is not None and (caller := await self._proxied(request)) is not None:
            return caller
        if header:
            if wait := self._attempts.failed(address, secret or ""):
                return too_many_attempts(wait)
            return Problem(
                401,
                "unauthorized",
                "the token is not valid",
                "it may have been revoked or have expired; ask an admin for one",
            )
        if self._sessions is not None:
            host = request.headers.get("host", "")
            value = request.cookies.get(cookie_name(host, secure=self._secure), "")
            if value and (found := await self._sessions.find(value, host)):
                session, principal = found
                return Caller(principal, session.method, session, session.csrf)
        if self._local is not None and is_loopback(peer_of(request.scope)) and not forwarded(request.headers):
            return Caller(self._local)
        return _NO_TOKEN if self._sessions is None else _NOT_SIGNED_IN

    def _with_headers(self, send: Send, family: str) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", PAGE_POLICY if family is ApiDialect.PAGE else _API_POLICY)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
                headers.setdefault("Cache-Control", "no-store")
                if self._secure:
                    headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            await send(message)

        return sending


def _unreadable(scope: Scope) -> Problem | None:
    if b"\0" in scope["path"].encode("utf-8", "surrogateescape") or len(scope["path"]) > _LONGEST_PATH:
        return Problem(400, "bad_request", "the path is too long, or holds a NUL character")
    fault = fault_of(scope.get("query_string", b""))
    return Problem(400, "bad_request", fault) if fault else None


def _unreadable_form(request: Request, body: bytes) -> Problem | None:
    """What is wrong with a form. Those in parts are refused: no form has files."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media.startswith("multipart/"):
        return Problem(415, "media_type", "send application/x-www-form-urlencoded or application/json")
    if media != "application/x-www-form-urlencoded":
        return None
    fault = fault_of(body)
    return Problem(400, "bad_request", fault) if fault else None


def _too_deep(body: bytes) -> Problem | None:
    """JSON is nested no deeper than what is kept of it; other bodies are not looked at."""
    if _JSON.match(body) is not None and nesting(body) > MAX_DEPTH:
        return Problem(400, "bad_request", f"the body is nested too deeply: at most {MAX_DEPTH} levels")
    return None


def same_origin(headers: Headers) -> bool:
    """Whether the browser says that one of our own pages made the request.

    ``Sec-Fetch-Site`` where the browser sends it, else ``Origin`` against ``Host``. A browser that sends
    neither is too old to be trusted with a session.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    _, separator, authority = headers.get("origin", "").partition("://")
    return bool(separator) and authority.lower() == headers.get("host", "").lower()


def from_another_site(headers: Headers) -> bool:
    """Whether a browser says that a page of another site made the request. Programs say nothing of the kind."""
    return ("origin" in headers or "sec-fetch-site" in headers) and not same_origin(headers)


def _not_from_here(headers: Headers) -> bool:
    return not same_origin(headers)


def forwarded(headers: Headers) -> bool:
    """Whether a proxy passed a request on: it comes from another client than the address says."""
    return any(name in _FORWARDING or name.startswith("x-forwarded-") for name in headers)


def host_name(host: str) -> str:
    """The name in a ``Host`` header without its port, in lower case; IPv6 addresses without brackets; "" for
    what is no host and port (RFC 9110, section 7.2)."""
    parts = _HOST.fullmatch(host)
    return (parts["address"] or parts["name"]).lower() if parts else ""


def loopback_hosts(external_url: str) -> frozenset[str]:
    """The names by which a loopback listener may be addressed."""
    names = {"localhost", OWN_NAME, "127.0.0.1", "::1"}
    if external_url and (name := urlsplit(external_url).hostname):
        names.add(name)
    return frozenset(names)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A receive that hands out a body which has been read already, then what follows it."""
    sent = False

    async def replaying() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replaying


def check_order(guards: Sequence[Guard]) -> None:
    """Refuse routes of which the router would pick another one than the table does.

    Raises:
        TypeError: a pattern comes before a literal path that it also matches, or two routes have one path and method.
    """
    taken: dict[tuple[str, str], Guard] = {}
    patterns: dict[str, list[Guard]] = defaultdict(list)  # by what a path that matches must begin with
    for guard in guards:
        for method in guard.methods - {"HEAD"}:
            if (guard.path, method) in taken:
                raise TypeError(f"two routes answer to {method} {guard.path}")
            taken[guard.path, method] = guard
        beginning, brace, _ = guard.path.partition("{")
        if brace:
            patterns[beginning].append(guard)
            continue
        for length in range(len(guard.path) + 1):
            for earlier in patterns.get(guard.path[:length], ()):
                if earlier.methods & guard.methods and earlier.pattern.match(guard.path):
                    raise TypeError(f"route {earlier.path} hides {guard.path}: declare the literal path first")
