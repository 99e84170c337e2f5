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
from eldonia_ops.access.accounts import ACCOUNT_ROLES, within
from eldonia_ops.model.access import Role
from eldonia_ops.protocols.shipped_sentences import said
from eldonia_ops.services.access.oidc import OidcClient
from eldonia_ops.services.api import Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.assets import Assets
from eldonia_ops.web.callers import known_caller, preferences_of
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.language import COOKIE as LANGUAGE_COOKIE
from eldonia_ops.web.language import LANGUAGES, catalog, filled, language_of
from eldonia_ops.web.local_paths import local_path
from eldonia_ops.web.login_throttle import FailedAttempts
from eldonia_ops.web.oidc import OidcPages
from eldonia_ops.web.panels import LAYERS, business_layer
from eldonia_ops.web.problems import ApiDialect, Problem
from eldonia_ops.web.sign_in import SignIn
from eldonia_ops.web.sign_in_throttle import SignInThrottle

_TEMPLATES: Final = Path(__file__).parent / "templates"
_THEMES: Final = ("dark", "light")
_THEME_COOKIE: Final = "eldonia_ops_theme"
_SHOWN: Final = 40
_INSTANT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_LENGTH: Final = re.compile(r"[1-9][0-9]{0,4}[mhdw]")
"""A length up to now that is none of the offered ones: 90m, 3d."""
RANGES: Final = ("5m", "15m", "1h", "6h", "24h")
LONG_RANGES: Final = (*RANGES, "2d", "7d", "30d")


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``key`` names its template, its module and its texts; ``shortcut`` follows the key ``g``."""

    key: str
    path: str
    icon: str = ""
    shortcut: str = ""
    charts: bool = False
    under: str = ""
    demand: Permission = Permission.READ


PAGES: Final = (
    Page("overview", "/", "overview", "o", charts=True),
    Page("dashboards", "/dashboards", "dashboard", "d"),
    Page("incidents", "/incidents", "incident", "i"),
    Page("alerts", "/alerts", "alert", "a"),
    Page("explore", "/explore", "explore", "e", charts=True),
    Page("logs", "/logs", "logs", "l", charts=True),
    Page("log_patterns", "/logs/patterns", under="logs"),
    Page("traces", "/traces", "traces", "t", charts=True),
    Page("services", "/services", "services", "v", charts=True),
    Page("objectives", "/objectives", "objective", "b", charts=True),
    Page("security", "/security", "security", "s"),
    Page("targets", "/targets", "target", "r"),
    Page("settings", "/settings", "settings", ","),
    Page("platform", "/platform", under="settings"),
    Page("people", "/people", under="settings", demand=Permission.ADMINISTER),
    Page("audit", "/audit", under="settings", demand=Permission.ADMINISTER),
    Page("account", "/account", under="account"),
    Page("incident", "/incidents/{incident}", charts=True, under="incidents"),
    Page("dashboard", "/dashboards/{uid}", charts=True, under="dashboards"),
    Page("welcome", "/welcome", under="settings"),
    Page("rules", "/rules", under="alerts"),
    Page("trace", "/traces/{trace_id}", under="traces"),
    Page("service", "/services/{service:path}", charts=True, under="services"),
)


class Pages:
    """Renders and serves the pages, the sign-in and the errors that people see."""

    def __init__(
        self,
        platform: Platform,
        *,
        assets: Assets,
        attempts: FailedAttempts,
        throttle: SignInThrottle,
        oidc: OidcClient,
        external_url: str,
        secure: bool,
        version: str,
    ) -> None:
        self._platform = platform
        self._assets = assets
        self._secure = secure
        self._version = version
        self._templates = _environment()
        self.sign_in = SignIn(
            platform,
            render=self.render,
            envelope=self.envelope,
            attempts=attempts,
            throttle=throttle,
            secure=secure,
        )
        self._oidc = OidcPages(platform, self.sign_in, oidc, external_url, secure)

    def routes(self) -> list[GuardedRoute]:
        """The pages and the way in and out."""
        page = ApiDialect.PAGE
        return [
            *(GuardedRoute(one.path, self._show(one), demand=one.demand, family=page) for one in PAGES),
            *self.sign_in.routes(),
            *self._oidc.routes(),
        ]

    async def envelope(self, request: Request, problem: Problem) -> Response:
        """An error as a page; strangers are led to the sign-in form and from there to what they asked for."""
        if problem.status == 401:
            query = f"?{request.url.query}" if request.url.query else ""
            wanted = request.url.path + query if request.method == "GET" else "/"
            if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
                # A browser: a refusal would appear in its console as an error, a redirection does not.
                return RedirectResponse(f"/sign-in?next={quote(local_path(wanted), safe='')}", 303)
            return await self.sign_in.page(request, wanted, "", 401)
        language = language_of(request, self._platform.language)
        known = f"error.{problem.status}" in catalog(language)
        title = catalog(language)[f"error.{problem.status}" if known else "error.other"]
        # The title says that there is no such page, in the reader's language; the message has no more to say.
        message = "" if problem.code == "not_found" else problem.message
        words = {"message": said(message, language), "hint": said(problem.hint, language)}
        english = language == "en" or words["message"] == message
        context = {"title": title, **words, "words_in": "en" if english else language}
        return self.render(request, "error.html", context, problem.status, dict(problem.headers))

    def _show(self, page: Page) -> Any:
        async def show(request: Request) -> Response:
            if page.key == "service" and not request.path_params["service"]:
                return RedirectResponse("/services", 303)
            context: dict[str, Any] = {"page": page, "parameters": dict(request.path_params)}
            if page.key == "overview":
                business = business_layer(await self._platform.telemetry.metrics.metadata())
                context["layers"] = (LAYERS[0], business, *LAYERS[1:]) if business else LAYERS
            if page.key == "account" and (caller := known_caller(request)) and caller.account:
                context["own_roles"] = [
                    role for role in (*ACCOUNT_ROLES, Role.INGEST) if within(role, caller.account.role) is role
                ]
                context["receivers"] = self._platform.alerts.receivers()
            return self.render(request, f"{page.key}.html", context)

        return show

    def _icon(self, name: str) -> Markup:
        template = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')
        return template.format(self._assets.url("icons.svg"), name)

    def render(
        self,
        request: Request,
        template: str,
        context: Mapping[str, Any],
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A page made of a template, in the reader's language and theme."""
        language = language_of(request, self._platform.language)
        texts = catalog(language)

        def translate(key: str, **values: object) -> str:
            return filled(texts[key], values)

        caller = known_caller(request)
        cookie = request.cookies.get(_THEME_COOKIE, "")
        account = caller.account if caller else None
        preferences = preferences_of(request)
        html = self._templates.get_template(template).render(
            t=translate,
            static=self._assets.url,
            modules=self._assets.modules,
            icon=self._icon,
            language=language,
            other_language=next(one for one in LANGUAGES if one != language),
            language_cookie=LANGUAGE_COOKIE,
            theme=next((one for one in (preferences.theme, cookie) if one in _THEMES), ""),
            zone=preferences.time_zone,
            account=account,
            theme_cookie=_THEME_COOKIE,
            caller=caller,
            csrf=caller.csrf if caller else "",
            can=_abilities(caller),
            pages=[page for page in PAGES if page.icon],
            ranges=RANGES,
            long_ranges=LONG_RANGES,
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
    if named and named not in RANGES and not _LENGTH.fullmatch(named):
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
    return [capability.value for capability in Capability if permits(caller.role, capability)]
