"""Alertmanager's API v2 over our router."""

import asyncio
import functools
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import Any, Final, Protocol

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.alerts import Alert, Silence
from eldonia_ops.model.matchers import Matcher, MatchOp, all_match
from eldonia_ops.protocols.alertmanager import api as wire
from eldonia_ops.services.api import Alerts, AlertView, NotFoundError
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError, reading_request
from eldonia_ops.web.callers import caller_of
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.limits import RequestLimits, read_body
from eldonia_ops.web.native.schemas import silence_state
from eldonia_ops.web.problems import ApiDialect, Problem

_AT_ONCE: Final = 256 << 10
_MOST_ENCODED: Final = 50_000


class AlertPlatform(Protocol):
    """What this API needs of a platform."""

    @property
    def alerts(self) -> Alerts:
        """Alerts, groups, silences and receivers."""
        ...

    @property
    def resolve_timeout_ms(self) -> int:
        """After how long an alert that was posted without an end, and not posted again, is over."""
        ...

    def now(self) -> int:
        """Unix milliseconds."""
        ...


async def envelope(request: Request, problem: Problem) -> Response:
    """A JSON string, as Alertmanager's own handlers answer; they know no 409."""
    headers = problem.answer_headers("Basic", "Bearer")
    return _json(problem.sentence, 400 if problem.code == "refused" else problem.status, headers)


def routes(platform: AlertPlatform, version: str, limits: RequestLimits) -> list[GuardedRoute]:
    """``/api/v2/...``."""
    api = _Api(platform, version, limits)

    def route(
        path: str,
        endpoint: Callable[[Request], Awaitable[Response]],
        demand: Permission = Permission.READ,
        method: str = "GET",
        streams: bool = False,
    ) -> GuardedRoute:
        return GuardedRoute(
            f"/api/v2/{path}",
            endpoint,
            demand=demand,
            family=ApiDialect.ALERTMANAGER,
            methods=(method,),
            streams=streams,
        )

    return [
        route("alerts", api.alerts),
        route("alerts", api.post_alerts, Permission.INGEST, "POST", streams=True),
        route("alerts/groups", api.groups),
        route("silences", api.silences),
        route("silences", api.post_silence, Permission.RESPOND, "POST"),
        route("silence/{id}", api.silence),
        route("silence/{id}", api.expire_silence, Permission.RESPOND, "DELETE"),
        route("receivers", api.receivers),
        route("status", api.status),
    ]


class _Api:
    def __init__(self, platform: AlertPlatform, version: str, limits: RequestLimits) -> None:
        self._platform = platform
        self._version = version
        self._limits = limits
        self._started_at = platform.now()
        self._encoded = _EncodedAlerts()

    async def alerts(self, request: Request) -> Response:
        wanted = _Wanted(request)
        views = await self._platform.alerts.current()
        return _json_text(_array(self._encoded.alert(view) for view in views if wanted.alert(view)))

    async def post_alerts(self, request: Request) -> Response:
        body = await read_body(request, self._limits)
        with reading_request():
            # Away from the event loop: a body may hold ten thousand.
            read = functools.partial(wire.read_alerts, body, self._platform.now(), self._platform.resolve_timeout_ms)
            alerts, faults = read() if len(body) < _AT_ONCE else await asyncio.to_thread(read)
        if alerts:
            faults += await self._platform.alerts.receive(alerts, caller_of(request).name)
        return _json("; ".join(faults[:20]), 400) if faults else Response(status_code=200)

    async def groups(self, request: Request) -> Response:
        wanted = _Wanted(request)
        found: list[bytes] = []
        for group in await self._platform.alerts.groups():
            if not wanted.receiver(group.receiver):
                continue
            alerts = [self._encoded.alert(view) for view in group.alerts if wanted.alert(view, any_receiver=True)]
            if alerts:
                head = msgspec.json.encode({"labels": dict(group.labels.pairs), "receiver": {"name": group.receiver}})
                found.append(b'%s,"alerts":%s}' % (head[:-1], _array(alerts)))
        return _json_text(_array(found))

    async def silences(self, request: Request) -> Response:
        now = self._platform.now()
        with reading_request():
            filters = wire.read_filters(request.query_params.getlist("filter"))
        found = [silence for silence in await self._platform.alerts.silences() if _about(silence.matchers, filters)]
        found.sort(key=lambda silence: _silence_order(silence, silence_state(silence, now)))
        return _json([wire.gettable_silence(silence, silence_state(silence, now)) for silence in found])

    async def post_silence(self, request: Request) -> Response:
        body = await request.body()
        with reading_request():
            silence = wire.read_silence(body)
        caller = caller_of(request).name
        # Clients compare what they read with what they wrote; who wrote it is in the ledger.
        wanted = replace(silence, created_by=silence.created_by or caller)
        id = await self._platform.alerts.set_silence(wanted, caller)
        return _json({"silenceID": id})

    async def silence(self, request: Request) -> Response:
        id = request.path_params["id"]
        for silence in await self._platform.alerts.silences():
            if silence.id == id:
                return _json(wire.gettable_silence(silence, silence_state(silence, self._platform.now())))
        raise NotFoundError(f"silence {id} not found")

    async def expire_silence(self, request: Request) -> Response:
        await self._platform.alerts.expire_silence(request.path_params["id"], caller_of(request).name)
        return Response(status_code=200)

    async def receivers(self, _request: Request) -> Response:
        return _json([{"name": name} for name in self._platform.alerts.receivers()])

    async def status(self, _request: Request) -> Response:
        unknown = dict.fromkeys(("branch", "buildDate", "buildUser", "goVersion", "revision"), "")
        return _json(
            {
                "cluster": {"status": "disabled", "peers": []},
                "config": {"original": self._platform.alerts.configuration()},
                "uptime": wire.format_time(self._started_at),
                "versionInfo": {"version": self._version, **unknown},
            }
        )


class _Wanted:
    """The filters of a request on alerts.

    Raises:
        BadRequestError: a parameter is malformed.
    """

    @reading_request()
    def __init__(self, request: Request) -> None:
        given = request.query_params
        self._active = _flag(given.get("active", "true"))
        self._silenced = _flag(given.get("silenced", "true"))
        self._inhibited = _flag(given.get("inhibited", "true"))
        self._muted = _flag(given.get("muted", "true"))
        self._filters = wire.read_filters(given.getlist("filter"))
        pattern = given.get("receiver", "")
        self._receiver = Matcher("receiver", MatchOp.REGEX, pattern) if pattern else None

    def receiver(self, name: str) -> bool:
        return self._receiver is None or self._receiver.matches_value(name)

    def alert(self, view: AlertView, *, any_receiver: bool = False) -> bool:
        if view.state not in ("firing", "suppressed") or not all_match(self._filters, view.alert.labels):
            return False
        if not any_receiver and self._receiver and not any(self.receiver(name) for name in view.receivers):
            return False
        return not (
            (not self._active and view.state == "firing")
            or (not self._silenced and view.silenced_by)
            or (not self._inhibited and view.inhibited_by)
            or (not self._muted and view.muted_by)
        )


def _flag(text: str) -> bool:
    if not re.fullmatch(r"true|false|1|0|t|f", text, re.IGNORECASE):
        raise BadRequestError(f"not a boolean: {text!r}")
    return text.lower() in ("true", "1", "t")


def _silence_order(silence: Silence, state: str) -> tuple[int, int, str]:
    """Active ones by their end, pending ones by their start, expired ones with the latest end first."""
    match state:
        case "active":
            return 0, silence.ends_at, silence.id
        case "pending":
            return 1, silence.starts_at, silence.id
        case _:
            return 2, -silence.ends_at, silence.id


def _about(matchers: tuple[Matcher, ...], filters: tuple[Matcher, ...]) -> bool:
    """Whether every filter is one of the silence's matchers, in name, kind and value."""
    return all(one in matchers for one in filters)


class _EncodedAlerts:
    """Alerts as JSON. A list of thousands is asked for again and again, and few of them have changed meanwhile."""

    def __init__(self) -> None:
        self._facts: dict[str, tuple[Alert, bytes]] = {}
        self._alert_statuses: dict[tuple[Any, ...], bytes] = {}

    def alert(self, view: AlertView) -> bytes:
        """One alert."""
        alert = view.alert
        fingerprint = alert.fingerprint
        known = self._facts.get(fingerprint)
        if known is None or known[0] is not alert:
            if len(self._facts) >= _MOST_ENCODED:
                self._facts.clear()
            known = self._facts[fingerprint] = alert, msgspec.json.encode(wire.alert_facts(alert))[1:-1]
        alert_status = (view.state, view.receivers, view.silenced_by, view.inhibited_by, view.muted_by)
        text = self._alert_statuses.get(alert_status)
        if text is None:
            if len(self._alert_statuses) >= _MOST_ENCODED:
                self._alert_statuses.clear()
            found = wire.alert_status(
                state="active" if view.state == "firing" else "suppressed",
                receivers=view.receivers,
                silenced_by=view.silenced_by,
                inhibited_by=view.inhibited_by,
                muted_by=view.muted_by,
            )
            text = self._alert_statuses[alert_status] = msgspec.json.encode(found)[1:-1]
        return b"{%s,%s}" % (known[1], text)


def _array(items: Iterable[bytes]) -> bytes:
    return b"[%s]" % b",".join(items)


def _json_text(text: bytes) -> Response:
    return Response(text, media_type="application/json")


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(content), status_code=status, headers=headers, media_type="application/json")
