"""The pages: shells rendered here, filled by their modules from the native API."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from eldonia_ops.access import Capability, permits
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.assets import Assets
from eldonia_ops.web.gate import GuardedRoute, caller_of, same_origin, too_many_attempts
from eldonia_ops.web.language import COOKIE as LANGUAGE_COOKIE
from eldonia_ops.web.language import LANGUAGES, catalog, language_of
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.panels import LAYERS, business_layer
from eldonia_ops.web.problems import ApiDialect, Problem
from eldonia_ops.web.sessions import Sessions, cookie_name, csrf_matches

_TEMPLATES: Final = Path(__file__).parent / "templates"
_THEMES: Final = ("dark", "light")
_THEME_COOKIE: Final = "eldonia_ops_theme"
_SHOWN: Final = 40
_INSTANT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
RANGES: Final = ("5m", "15m", "1h", "6h", "24h")


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``key`` names its template, its module and its texts; ``shortcut`` follows the key ``g``."""

    key: str
    path: str
    icon: str = ""
    shortcut: str = ""
    charts: bool = False
    under: str = ""


PAGES: Final = (
    Page("overview", "/", "overview", "o", charts=True),
    Page("incidents", "/incidents", "incident", "i"),
    Page("alerts", "/alerts", "alert", "a"),
    Page("logs", "/logs", "logs", "l", charts=True),
    Page("traces", "/traces", "traces", "t"),
    Page("objectives", "/objectives", "objective", "b", charts=True),
    Page("security", "/security", "security", "s"),
    Page("targets", "/targets", "target", "r"),
    Page("settings", "/settings", "settings", ","),
    Page("platform", "/platform", under="settings"),
    Page("welcome", "/welcome", under="settings"),
    Page("rules", "/rules", under="alerts"),
    Page("incident", "/incidents/{incident}", charts=True, under="incidents"),
    Page("trace", "/traces/{trace_id}", under="traces"),
)


class Pages:
    """Renders and serves the pages, the sign-in and the errors that people see."""

    def __init__(
        self,
        platform: Platform,
        *,
        assets: Assets,
        sessions: Sessions,
        attempts: FailedAttempts,
        secure: bool,
        version: str,
    ) -> None:
        self._platform = platform
        self._assets = assets
        self._sessions = sessions
        self._attempts = attempts
        self._secure = secure
        self._version = version
        self._templates = _environment()

    def routes(self) -> list[GuardedRoute]:
        """The pages and the way in and out."""
        page = ApiDialect.PAGE
        return [
            *(GuardedRoute(one.path, self._show(one), demand=Permission.READ, family=page) for one in PAGES),
            GuardedRoute("/sign-in", self.sign_in_form, demand=Permission.PUBLIC, family=page),
            GuardedRoute("/sign-in", self.sign_in, demand=Permission.PUBLIC, family=page, methods=("POST",)),
            GuardedRoute(
                "/sign-out",
                self.sign_out,
                demand=Permission.SIGNED_IN,
                family=page,
                methods=("POST",),
                csrf_in_form=True,
            ),
        ]

    async def envelope(self, request: Request, problem: Problem) -> Response:
        """An error as a page; strangers are led to the sign-in form and from there to what they asked for."""
        if problem.status == 401:
            query = f"?{request.url.query}" if request.url.query else ""
            wanted = request.url.path + query if request.method == "GET" else "/"
            if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                # A browser: a refusal would appear in its console as an error, a redirection does not.
                return RedirectResponse(f"/sign-in?next={quote(_local(wanted), safe='')}", 303)
            return self._sign_in_page(request, wanted, "", 401)
        language = language_of(request, self._platform.language)
        known = f"error.{problem.status}" in catalog(language)
        title = catalog(language)[f"error.{problem.status}" if known else "error.other"]
        # The title says that there is no such page, in the reader's language; the message has no more to say.
        message = "" if problem.code == "not_found" else problem.message
        context = {"title": title, "message": message, "hint": problem.hint}
        return self._render(request, "error.html", context, problem.status, dict(problem.headers))

    async def sign_in_form(self, request: Request) -> Response:
        """The form that takes a token."""
        return self._sign_in_page(request, request.query_params.get("next", "/"), "", 200)

    async def sign_in(self, request: Request) -> Response:
        """Exchange a token for a session."""
        if not same_origin(request.headers):
            return await self.envelope(request, Problem(403, "cross_origin", "this form was sent from another site"))
        form = await request.form(max_files=0, max_fields=10)
        secret, wanted = str(form.get("token", "")).strip(), str(form.get("next", "/"))
        address = request.client.host if request.client else ""
        # Before any count: the right token always gets in, whatever others at the same address have tried.
        token = await self._platform.access.authenticate(secret) if secret else None
        if token is None:
            if wait := self._attempts.failed(address, secret):
                seconds = too_many_attempts(wait).headers["Retry-After"]
                page = self._sign_in_page(request, wanted, "sign_in.wait", 429, {"seconds": seconds})
                page.headers["Retry-After"] = seconds
                return page
            return self._sign_in_page(request, wanted, "sign_in.wrong", 401)
        if not permits(token.role, Capability.READ):
            return self._sign_in_page(request, wanted, "sign_in.ingest", 403)
        host = request.headers.get("host", "")
        value, session = await self._sessions.open(token, host)
        response = RedirectResponse(_local(wanted), status_code=303)
        response.set_cookie(
            self._cookie(request),
            value,
            max_age=(session.expires_at - session.created_at) // 1000,
            httponly=True,
            samesite="lax",
            secure=self._secure,
            path="/",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        session = caller_of(request).session
        if session is not None:
            form = await request.form(max_files=0, max_fields=10)
            if not csrf_matches(session, str(form.get("csrf", ""))):
                return await self.envelope(request, Problem(403, "csrf", "this form belongs to another session"))
            await self._sessions.end(request.cookies[self._cookie(request)])
        response = RedirectResponse("/sign-in", status_code=303)
        response.delete_cookie(self._cookie(request), path="/", secure=self._secure, httponly=True, samesite="lax")
        return response

    def _cookie(self, request: Request) -> str:
        return cookie_name(request.headers.get("host", ""), secure=self._secure)

    def _show(self, page: Page) -> Any:
        async def show(request: Request) -> Response:
            context: dict[str, Any] = {"page": page, "parameters": dict(request.path_params)}
            if page.key == "overview":
                business = business_layer(await self._platform.telemetry.metrics.metadata())
                context["layers"] = (LAYERS[0], business, *LAYERS[1:]) if business else LAYERS
            return self._render(request, f"{page.key}.html", context)

        return show

    def _icon(self, name: str) -> Markup:
        template = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')
        return template.format(self._assets.url("icons.svg"), name)

    def _sign_in_page(
        self, request: Request, wanted: str, fault: str, status: int, values: Mapping[str, str] | None = None
    ) -> Response:
        context = {"wanted": _local(wanted), "fault": fault, "values": values or {}}
        return self._render(request, "sign_in.html", context, status)

    def _render(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        language = language_of(request, self._platform.language)
        texts = catalog(language)

        def translate(key: str, **values: object) -> str:
            return texts[key].format(**values) if values else texts[key]

        caller = request.scope.get("eldonia_ops.caller")
        theme = request.cookies.get(_THEME_COOKIE, "")
        html = self._templates.get_template(template).render(
            t=translate,
            static=self._assets.url,
            icon=self._icon,
            language=language,
            other_language=next(one for one in LANGUAGES if one != language),
            language_cookie=LANGUAGE_COOKIE,
            theme=theme if theme in _THEMES else "",
            theme_cookie=_THEME_COOKIE,
            caller=caller,
            csrf=caller.session.csrf if caller and caller.session else "",
            can=_abilities(caller),
            pages=[page for page in PAGES if page.icon],
            ranges=RANGES,
            version=self._version,
            notices=[translate(key, **values) for key, values in misread_parameters(request.query_params)],
            **context,
        )
        response = HTMLResponse(html, status_code=status, headers=headers)
        response.headers["Vary"] = "Cookie, Accept-Language"
        if request.query_params.get("lang") in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, language, max_age=31_536_000, samesite="lax", secure=self._secure, path="/"
            )
        return response


def misread_parameters(given: Mapping[str, str]) -> list[tuple[str, dict[str, str]]]:
    """What an address asks of a page that it cannot have: keys of texts with their values, cut to what a line holds.

    The page is shown all the same, as if that had not been asked; but a reader who is shown another range than the
    address names has to be able to see it.
    """
    found: list[tuple[str, dict[str, str]]] = []
    language, named = given.get("lang", ""), given.get("range", "")
    start, end = given.get("from", ""), given.get("to", "")
    if language and language not in LANGUAGES:
        found.append(("shell.unknown_language", {"value": language[:_SHOWN]}))
    if named and named not in RANGES:
        found.append(("shell.unknown_range", {"value": named[:_SHOWN], "ranges": ", ".join(RANGES)}))
    if (start or end) and not (_INSTANT.fullmatch(start) and _INSTANT.fullmatch(end) and float(start) < float(end)):
        found.append(("shell.bad_bounds", {"start": start[:_SHOWN], "end": end[:_SHOWN]}))
    return found


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _abilities(caller: Any) -> Sequence[str]:
    if caller is None:
        return []
    return [capability.value for capability in Capability if permits(caller.token.role, capability)]


def _local(path: str) -> str:
    """A path on this site, whatever was asked for: never another host, never the sign-in itself."""
    if not path.startswith("/") or path.startswith(("//", "/\\", "/sign-")) or not path.isprintable():
        return "/"
    return quote(path, safe="/?&=%:+,;@!~*'()$-._#[]")
