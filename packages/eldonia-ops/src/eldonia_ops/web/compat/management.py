"""The addresses by which Prometheus and Alertmanager are watched and reloaded."""

from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from eldonia_ops.services.api import Reloads, ReloadView
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.problems import ApiDialect

_MOST_NAMED: Final = 20


class Watched(Protocol):
    """What these addresses report on."""

    def ready(self) -> bool:
        """Whether everything has started."""
        ...

    def failing_loops(self) -> list[str]:
        """Names of the loops that fail again and again."""
        ...

    def metrics(self, accept: str) -> tuple[str, bytes]:
        """Content type and body of the own metrics, by the Accept header of the scrape."""
        ...


def routes(status: Watched, reloads: Reloads, family: ApiDialect) -> list[GuardedRoute]:
    """``/metrics``, ``/-/healthy``, ``/-/ready``, ``/health``, ``/-/reload``; errors in the envelope of ``family``."""

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("Eldonia Ops is healthy.\n")

    async def ready(_request: Request) -> Response:
        if not status.ready():
            return PlainTextResponse("Eldonia Ops is starting.\n", status_code=503)
        if failing := status.failing_loops():
            names = "".join(f"{name}\n" for name in failing[:_MOST_NAMED])
            text = f"Eldonia Ops is not ready: {len(failing)} of its loops fail again and again:\n{names}"
            return PlainTextResponse(text, status_code=503)
        return PlainTextResponse("Eldonia Ops is ready.\n")

    async def metrics(request: Request) -> Response:
        media, body = status.metrics(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": media, "Vary": "Accept"})

    async def reload(request: Request) -> Response:
        found = await reloads.reload(caller_of(request).name)
        return PlainTextResponse(_outcome(found), status_code=200 if found.successful else 500)

    public = Permission.PUBLIC
    return [
        GuardedRoute("/metrics", metrics, demand=Permission.READ, family=family),
        GuardedRoute("/-/healthy", healthy, demand=public, family=family),
        GuardedRoute("/-/ready", ready, demand=public, family=family),
        GuardedRoute("/health", healthy, demand=public, family=family),
        GuardedRoute("/-/reload", reload, demand=Permission.ADMINISTER, family=family, methods=("POST", "PUT")),
    ]


def _outcome(found: ReloadView) -> str:
    """In the words of both: nothing for success, else ``failed to reload config``."""
    if found.successful:
        lines = [f"takes effect with the next start: {name}" for name in found.needs_restart]
    else:
        lines = ["failed to reload config:", *(str(item) for item in found.diagnostics)]
    return "".join(f"{line}\n" for line in lines)
