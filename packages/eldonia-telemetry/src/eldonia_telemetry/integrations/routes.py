"""The template of the route that a framework has chosen for a request, read from scope or environment.

Most frameworks leave the route in the request, where it is read: FastAPI, Starlette, Litestar, Flask, Bottle. Django
is asked for it. Those that keep it to themselves are handled in :mod:`eldonia_telemetry.integrations.frameworks`. A
template holds names of parameters and never their values: it becomes a label of metrics.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final, TypeVar

from eldonia_telemetry import dropped_data

Scope = MutableMapping[str, Any]
G = TypeVar("G")

_WALKED: Final = "eldonia_telemetry.route"
_MAX_PATTERN: Final = 2000
_NAMED_GROUP: Final = re.compile(r"\(\?P<(\w{1,80})>")


def by_hand(own: Callable[[G], Any], given: G, otherwise: Callable[[], str]) -> str:
    """What the application's own function says of a scope or environment, else what is recognised."""
    try:
        template = own(given)
    except Exception as error:  # noqa: BLE001  telemetry never breaks a request
        dropped_data.count("setup", "the function given as route raised", error)
        template = ""
    return template if isinstance(template, str) and template else otherwise()


def asgi(scope: Scope, base: str) -> str:
    """The template with what it is mounted under; ``base`` is the root path that the middleware was called with."""
    route = scope.get("route")
    root = scope.get("root_path", "")
    if "router" in scope:  # Starlette keeps the root path of before the first mount; FastAPI(root_path=...) is none
        base = scope.get("app_root_path", root)
    mount = root[len(base) :] if root.startswith(base) else ""
    template = _included(scope, route)
    if template is None and route is not None and not hasattr(route, "routes"):  # not a mount
        template = getattr(route, "path", None)
    if template is not None:
        if not mount:
            return template
        # Fewer names than parameters: the others belong to the mount point, which has their values.
        if template.count("{") < len(scope.get("path_params") or ()):
            walked = _walk(scope, base)
            if walked:
                return walked[:-2] + template if walked.endswith("/*") else walked
        return mount + template
    template = scope.get("path_template") or getattr(scope.get("route_handler"), "path", None)  # Litestar
    if template is not None:
        return template if not mount or template.startswith(mount) else mount + template
    if "endpoint" in scope and "router" in scope:
        walked = _walk(scope, base)
        if walked:
            return walked
    if mount and "endpoint" in scope:
        return f"{mount}/*"
    return django(scope["path"].removeprefix(base))


def wsgi(environ: MutableMapping[str, Any]) -> str:
    """What Flask (a Werkzeug request with a rule), Bottle or Django's URL configuration says."""
    request = environ.get("werkzeug.request")
    if request is not None:
        rule = getattr(request, "url_rule", None)
        return environ.get("SCRIPT_NAME", "") + rule.rule if rule is not None else ""
    bottle = environ.get("bottle.route")
    if bottle is not None:
        rule = bottle.rule
        # What is mounted there is no application of Bottle's.
        return environ.get("SCRIPT_NAME", "").rstrip("/") + (
            rule.removesuffix("<:re:.*>") + "*" if "<:re:.*>" in rule else rule
        )
    known = environ.get(_WALKED)
    if known is None:
        known = environ[_WALKED] = django(decoded(environ.get("PATH_INFO", "/")))
    return known


def django(path: str) -> str:
    """The route that Django's URL configuration has for a path below the script's name; '' when it has none."""
    if "django.urls" not in sys.modules:
        return ""
    from django.conf import settings
    from django.urls import Resolver404, resolve

    if not settings.configured or not getattr(settings, "ROOT_URLCONF", None):
        return ""
    try:
        return "/" + (resolve(path).route or "").removeprefix("^").removesuffix("$").removeprefix("/")
    except Resolver404:
        return ""


def decoded(path: str) -> str:
    """WSGI hands bytes over as Latin-1 (PEP 3333); they are nearly always UTF-8."""
    return path.encode("latin-1", "replace").decode("utf-8", "replace")


def template_of(pattern: str) -> str:
    """A regular expression with named groups as a template: ``^/(?P<name>[^/]+)$`` is ``/{name}``.

    What cannot be shown shorter stays as it is written.
    """
    text = pattern[:_MAX_PATTERN].removeprefix("^").removesuffix("$").replace("\\/", "/").replace("\\.", ".")
    shown: list[str] = []
    at = 0
    for group in _NAMED_GROUP.finditer(text):
        if group.start() < at:  # within another one
            continue
        shown.append(text[at : group.start()])
        shown.append("{" + group[1] + "}")
        at = _closing(text, group.end())
    shown.append(text[at:])
    return "".join(shown)


def _closing(text: str, at: int) -> int:
    """The index after the parenthesis that closes the group whose content begins at ``at``."""
    depth, in_class = 1, False
    while at < len(text):
        character = text[at]
        if character == "\\":
            at += 1
        elif character == "[":
            in_class = True
        elif character == "]":
            in_class = False
        elif not in_class and character in "()":
            depth += 1 if character == "(" else -1
            if not depth:
                return at + 1
        at += 1
    return at


def _included(scope: Scope, route: Any) -> str | None:
    """The whole path of a route that came to its application by FastAPI's ``include_router``.

    Newer versions keep the route as it was written, without the prefix, and the whole path beside it. That stays
    in the scope when a mounted application goes on with the same scope: it is only valid for its own route.
    """
    fastapi = scope.get("fastapi")
    if type(fastapi) is not dict:
        return None
    context = fastapi.get("effective_route_context")
    if context is None or route is None or getattr(context, "original_route", None) is not route:
        return None
    path = getattr(context, "path", None)
    return path if isinstance(path, str) else None


def _walk(scope: Scope, base: str) -> str:
    """Match the path once more against the routes of Starlette's, and join the templates on the way; '' without any.

    Routes of older versions do not say that they were chosen, and a mount leaves the values of its parameters.
    """
    known = scope.get(_WALKED)
    if known is None:
        left_out = ("route", "endpoint", "path_params", "fastapi", "router", "app_root_path")
        probe = {name: value for name, value in scope.items() if name not in left_out}
        probe["root_path"] = base
        known = scope[_WALKED] = _walked(getattr(scope.get("router"), "routes", ()), probe, "")
    return known


def _walked(routes: Iterable[Any], probe: Scope, prefix: str) -> str:
    partial = ""
    for route in _each(routes):
        match, more = route.matches(probe)
        path = prefix + (getattr(route, "path", None) or "")
        if match.value == 2:  # FULL
            inner = getattr(route, "routes", None)
            if inner is None:
                return path
            probe.update({name: value for name, value in more.items() if name != "fastapi"})
            return _walked(inner, probe, path) or f"{path}/*"
        if match.value == 1 and not partial:  # only the method does not fit
            partial = path
    return partial


def _each(routes: Iterable[Any]) -> Iterator[Any]:
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)  # a router that FastAPI has included
        if contexts is None:
            yield route
        else:
            for context in contexts():
                yield getattr(context, "starlette_route", None) or context
