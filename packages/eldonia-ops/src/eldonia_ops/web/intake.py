"""Puts intakes behind the gate: their routes ask for a token that may ingest, whatever they are.

Bodies are read within bounds here, decoded by the intake on threads of their own, and every fault is answered in the
words of the intake.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from eldonia_ops.intake import (
    RETRY_AFTER_SECONDS,
    Fault,
    Intake,
    IntakeAnswer,
    IntakeError,
    IntakeLimits,
    IntakeRequest,
    IntakeRoute,
)
from eldonia_ops.ports import TelemetryError
from eldonia_ops.protocols.packed_body import BadEncodingError, TooLargeError
from eldonia_ops.services.api import Ingest, Platform
from eldonia_ops.web.access import Permission
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.gate import GuardedRoute, check_order, guards_of
from eldonia_ops.web.limits import NoRoomError, RequestLimits, read_chunks, read_raw
from eldonia_ops.web.problems import ApiDialect, Envelope, Problem, problem_of

log = logging.getLogger("eldonia_ops.web.intake")

T = TypeVar("T")
_THREADS: Final = 2
_REASONS: Final = {
    413: "a whole request that holds too much",
    415: "a whole request in a format that is not supported",
}
_UNREADABLE: Final = "a whole request that cannot be read"


class PlatformSinks:
    """Implements :class:`eldonia_ops.intake.IntakePlatform` over the services."""

    def __init__(self, platform: Platform, limits: RequestLimits) -> None:
        self._platform = platform
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="intake")
        self._limits = IntakeLimits(limits.ingest_decoded, limits.labels, limits.label_value)

    @property
    def logs(self) -> Ingest:
        """Where log records go."""
        return self._platform.ingest

    @property
    def spans(self) -> Ingest:
        """Where spans go."""
        return self._platform.ingest

    @property
    def samples(self) -> Ingest:
        """Where samples go."""
        return self._platform.ingest

    @property
    def limits(self) -> IntakeLimits:
        """Bounds on what one request holds."""
        return self._limits

    def now_ns(self) -> int:
        """The present."""
        return self._platform.now() * 1_000_000

    async def aside(self, work: Callable[[], T]) -> T:
        """Run work on one of the threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def refused(self, signal: str, sender: str, reasons: Mapping[str, int]) -> None:
        """Count what was refused."""
        self._platform.ingest.refused(signal, sender, reasons)


def intake_routes(
    intakes: Iterable[Intake], host: PlatformSinks, limits: RequestLimits, *, apart: bool = False
) -> list[GuardedRoute]:
    """The routes of all intakes, those at any listener or those ``apart``; ``host`` is what they know of the platform.

    Raises:
        TypeError: two intakes have one name, or one answers to the address of another.
    """
    names: set[str] = set()
    routes: list[GuardedRoute] = []
    for intake in intakes:
        if intake.name in names:
            raise TypeError(f"two intakes are called {intake.name}")
        names.add(intake.name)
        routes += [_guarded(intake, route, host, limits) for route in intake.routes if route.apart == apart]
    return routes


def usable_intakes(
    intakes: Iterable[Intake], routes_with: Callable[[Sequence[Intake]], Sequence[BaseRoute]]
) -> list[Intake]:
    """The intakes whose names and addresses are free; ``routes_with`` gives all routes of the application.

    Another one is logged and left out: a plug-in must not keep the platform from starting.
    """
    given = list(intakes)

    def check(some: Sequence[Intake]) -> None:
        for intake in some:
            if intake.name in set(ApiDialect):
                raise TypeError(f"an API of the platform is called {intake.name}")
        check_order(guards_of(routes_with(some)))

    if given:
        try:
            check(given)
        except TypeError:
            pass  # one by one, to find which
        else:
            return given
    found: list[Intake] = []
    for intake in given:
        try:
            check([*found, intake])
        except TypeError as error:
            log.error("the intake %s is left out: %s", intake.name, error)
        else:
            found.append(intake)
    return found


def intake_envelope(intake: Intake) -> Envelope:
    """How an intake says that something is wrong."""

    async def envelope(request: Request, problem: Problem) -> Response:
        answer = intake.fault(_headers(request), Fault(problem.status, problem.sentence))
        return _response(answer, problem.answer_headers("Basic", "Bearer"))

    return envelope


def _guarded(intake: Intake, route: IntakeRoute, host: PlatformSinks, limits: RequestLimits) -> GuardedRoute:
    envelope = intake_envelope(intake)

    async def endpoint(request: Request) -> Response:
        # What it says of itself is not to be relied on.
        sender = f"{caller_of(request).name} ({request.client.host if request.client else 'unknown'})"
        try:
            with limits.room.holding(request):
                body = await read_raw(request, limits.ingest) if route.accept is not None else b""
                found = IntakeRequest(request.url.path, _headers(request), dict(request.query_params), body, sender)
                if route.accept is not None:
                    return _response(await route.accept(host, found))
                assert route.accept_chunks is not None
                return _response(await route.accept_chunks(host, found, read_chunks(request)))
        except (IntakeError, TooLargeError, BadEncodingError) as error:
            problem = problem_of(error)
            host.refused(route.signal, sender, {_REASONS.get(problem.status, _UNREADABLE): 1})
        except NoRoomError as error:
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            problem = Problem(503, "busy", str(error), headers=headers)
        except TelemetryError as error:
            # Senders drop what is answered with 500, and send again what is answered with 503.
            log.error("%s of %s were not stored: %s", route.signal, intake.name, error)
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
            problem = Problem(503, "not_stored", "this could not be stored; send it again", headers=headers)
        return await envelope(request, problem)

    return GuardedRoute(
        route.path, endpoint, demand=Permission.INGEST, family=intake.name, methods=route.methods, streams=True
    )


def _headers(request: Request) -> Mapping[str, str]:
    return dict(request.headers)


def _response(answer: IntakeAnswer, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        answer.body or None,
        status_code=answer.status,
        headers={**(headers or {}), **answer.headers},
        media_type=answer.media_type or None,
    )
