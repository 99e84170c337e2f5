"""Prometheus' HTTP API over our store and rules."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from eldonia_ops.model.alerts import UNTIL_RESOLVED
from eldonia_ops.ports import TelemetryLimitError
from eldonia_ops.protocols import prometheus_api as wire
from eldonia_ops.services.contracts import AlertView, Platform, QueryError, QueryResult, RuleView
from eldonia_ops.web.access import Demand
from eldonia_ops.web.bad_request import TOO_MUCH, BadRequestError, reading_request
from eldonia_ops.web.gate import Family, GuardedRoute, Problem
from eldonia_ops.web.heavy import RETRY_AFTER, BusyError, HeavyWork
from eldonia_ops.web.times import parse_prometheus_instant, parse_step, rfc3339

_MOST_NAMED = 20
_MOST_SELECTORS = 20
_DEFAULT_LOOKBACK_MS = 24 * 3_600_000
_KINDS = {400: "bad_data", 401: "unauthorized", 403: "forbidden", 404: "not_found", 413: "bad_data", 429: "unavailable"}

Parameters = ImmutableMultiDict[str, Any]


async def envelope(request: Request, problem: Problem) -> Response:
    """``{"status": "error", "errorType", "error"}``."""
    headers = problem.answer_headers("Basic", "Bearer")
    return _json(wire.failure(_KINDS.get(problem.status, "internal"), problem.sentence), problem.status, headers)


def routes(platform: Platform, version: str, heavy: HeavyWork) -> list[GuardedRoute]:
    """``/api/v1/...``, ``/metrics`` and the health addresses."""
    api = _Api(platform, version, heavy)

    def reading(path: str, endpoint: Callable[[Request], Awaitable[Response]], *methods: str) -> GuardedRoute:
        return GuardedRoute(
            f"/api/v1/{path}",
            _answering(endpoint),
            demand=Demand.READ,
            family=Family.PROMETHEUS,
            methods=methods or ("GET",),
        )

    async def healthy(_request: Request) -> Response:
        return PlainTextResponse("Eldonia Ops is healthy.\n")

    async def ready(_request: Request) -> Response:
        if not platform.status.ready():
            return PlainTextResponse("Eldonia Ops is starting.\n", status_code=503)
        if failing := platform.status.failing_loops():
            names = "".join(f"{name}\n" for name in failing[:_MOST_NAMED])
            text = f"Eldonia Ops is not ready: {len(failing)} of its loops fail again and again:\n{names}"
            return PlainTextResponse(text, status_code=503)
        return PlainTextResponse("Eldonia Ops is ready.\n")

    async def metrics(_request: Request) -> Response:
        media = "text/plain; version=0.0.4; charset=utf-8"
        return Response(platform.status.metrics_text(), headers={"Content-Type": media})

    public = {"demand": Demand.PUBLIC, "family": Family.PROMETHEUS}
    return [
        reading("query", api.query, "GET", "POST"),
        reading("query_range", api.query_range, "GET", "POST"),
        reading("format_query", api.format_query, "GET", "POST"),
        reading("series", api.series, "GET", "POST"),
        reading("labels", api.labels, "GET", "POST"),
        reading("label/{name}/values", api.label_values),
        reading("metadata", api.metadata),
        reading("targets", api.targets),
        reading("rules", api.rules),
        reading("alerts", api.alerts),
        reading("status/buildinfo", api.buildinfo),
        GuardedRoute("/metrics", metrics, demand=Demand.READ, family=Family.PROMETHEUS),
        GuardedRoute("/-/healthy", healthy, methods=("GET",), **public),
        GuardedRoute("/-/ready", ready, methods=("GET",), **public),
        GuardedRoute("/health", healthy, methods=("GET",), **public),
    ]


class _Api:
    """The endpoints; each returns the envelope around its data."""

    def __init__(self, platform: Platform, version: str, heavy: HeavyWork) -> None:
        self._platform = platform
        self._heavy = heavy
        self._version = version

    async def query(self, request: Request) -> Response:
        given = await _parameters(request)
        now = self._platform.now()
        at = _instant(given, "time", now)
        result = await self._platform.queries.instant(_required(given, "query"), at)
        return _ok(_data(result, at), result.warnings)

    async def query_range(self, request: Request) -> Response:
        given = await _parameters(request)
        query = _required(given, "query")
        start = parse_prometheus_instant(_required(given, "start"))
        end = parse_prometheus_instant(_required(given, "end"))
        if end < start:
            raise BadRequestError("end timestamp must not be before start time")
        step = parse_step(_required(given, "step"))
        if (end - start) // step > 11_000:
            raise BadRequestError(
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        result = await self._platform.queries.range(query, start, end, step)
        return _ok(wire.matrix((one.labels, one.points) for one in result.series), result.warnings)

    async def format_query(self, request: Request) -> Response:
        given = await _parameters(request)
        return _ok(self._platform.queries.format(_required(given, "query")))

    async def series(self, request: Request) -> Response:
        given = await _parameters(request)
        selectors = given.getlist("match[]")
        if not selectors:
            raise BadRequestError("no match[] parameter provided")
        start, end = self._range(given)
        sets = self._matcher_sets(selectors)
        async with self._heavy.place():
            parts = [await self._platform.telemetry.series(matchers, start, end) for matchers in sets]
            return await self._sorted(given, parts)

    async def labels(self, request: Request) -> Response:
        given = await _parameters(request)
        start, end = self._range(given)
        sets = self._matcher_sets(given.getlist("match[]")) or [()]
        async with self._heavy.place():
            parts = [await self._platform.telemetry.label_names(matchers, start, end) for matchers in sets]
            return await self._sorted(given, parts)

    async def label_values(self, request: Request) -> Response:
        given = await _parameters(request)
        name = request.path_params["name"]
        start, end = self._range(given)
        sets = self._matcher_sets(given.getlist("match[]")) or [()]
        async with self._heavy.place():
            parts = [await self._platform.telemetry.label_values(name, matchers, start, end) for matchers in sets]
            return await self._sorted(given, parts)

    def _matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Any, ...]]:
        if len(selectors) > _MOST_SELECTORS:
            raise BadRequestError(f"more than {_MOST_SELECTORS} selectors")
        return self._platform.queries.matcher_sets(selectors)

    async def _sorted(self, given: Parameters, parts: Sequence[Sequence[Any]]) -> Response:
        """All of several lists, each item once, in order."""
        limit = _limit(given, 0)

        def work() -> Response:
            found = sorted(set().union(*parts))
            return _ok(found[:limit] if limit > 0 else found)

        return await self._heavy.run(work)

    async def metadata(self, request: Request) -> Response:
        given = await _parameters(request)
        wanted = given.get("metric", "")
        families = [one for one in await self._platform.telemetry.metadata() if not wanted or one.name == wanted]
        return _ok(wire.metadata(families, _limit(given, -1)))

    async def targets(self, _request: Request) -> Response:
        active = [
            wire.active_target(
                job=view.labels["job"],
                url=view.url,
                labels=view.labels,
                health=view.health,
                error=view.error,
                last_scrape=rfc3339(view.last_at),
                duration_seconds=view.duration_seconds,
            )
            for view in self._platform.status.targets()
            if "job" in view.labels
        ]
        return _ok({"activeTargets": active, "droppedTargets": [], "droppedTargetCounts": {}})

    async def rules(self, request: Request) -> Response:
        kind = request.query_params.get("type", "")
        if kind not in ("", "alert", "record"):
            raise BadRequestError(f'not supported value "{kind}"')
        groups = [
            {
                "name": group.name,
                "file": group.file,
                "interval": group.interval_seconds,
                "limit": 0,
                "evaluationTime": group.evaluation_time_seconds,
                "lastEvaluation": rfc3339(group.last_evaluation_at),
                "rules": [_rule(rule) for rule in group.rules if not kind or rule.type.startswith(kind)],
            }
            for group in self._platform.alerts.rules()
        ]
        return _ok({"groups": groups})

    async def alerts(self, _request: Request) -> Response:
        found = [
            _alert(alert) for group in self._platform.alerts.rules() for rule in group.rules for alert in rule.alerts
        ]
        return _ok({"alerts": found})

    async def buildinfo(self, _request: Request) -> Response:
        unknown = dict.fromkeys(("revision", "branch", "buildUser", "buildDate", "goVersion"), "")
        return _ok({"version": self._version, **unknown})

    def _range(self, given: Parameters) -> tuple[int, int]:
        """``start`` and ``end``; the last day where they are not given."""
        end = _instant(given, "end", self._platform.now())
        start = _instant(given, "start", max(0, end - _DEFAULT_LOOKBACK_MS))
        if end < start:
            raise BadRequestError("end timestamp must not be before start timestamp")
        return start, end


def _answering(endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except QueryError as error:
            return _json(wire.failure(error.kind, str(error)), wire.status_of(error.kind))
        except BadRequestError as error:
            return _json(wire.failure("bad_data", str(error)), 400)
        except TelemetryLimitError:
            return _json(wire.failure("execution", TOO_MUCH), wire.status_of("execution"))
        except BusyError as error:
            return _json(wire.failure("unavailable", str(error)), 503, {"Retry-After": RETRY_AFTER})

    return answer


def _rule(rule: RuleView) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": rule.name,
        "query": rule.query,
        "labels": rule.labels,
        "health": rule.health,
        "evaluationTime": rule.evaluation_time_seconds,
        "lastEvaluation": rfc3339(rule.last_evaluation_at),
        "type": rule.type,
    }
    if rule.last_error:
        body["lastError"] = rule.last_error
    if rule.type == "alerting":
        body |= {
            "state": rule.state,
            "duration": rule.duration_seconds,
            "keepFiringFor": rule.keep_firing_for_seconds,
            "annotations": rule.annotations,
            "alerts": [_alert(alert) for alert in rule.alerts],
        }
    return body


def _alert(view: AlertView) -> dict[str, Any]:
    """An alert of a rule; Prometheus knows no suppression, so a suppressed alert fires."""
    alert = view.alert
    body: dict[str, Any] = {
        "labels": alert.labels,
        "annotations": alert.annotations,
        "state": "firing" if view.state == "suppressed" else view.state,
        "activeAt": rfc3339(alert.starts_at),
        "value": "" if view.value is None else wire.sample_value(view.value),
    }
    if alert.ends_at and alert.ends_at < UNTIL_RESOLVED and view.state == "resolved":
        body["resolvedAt"] = rfc3339(alert.ends_at)
    return body


def _data(result: QueryResult, at: int) -> dict[str, Any]:
    match result.type:
        case "vector":
            return wire.vector((one.labels, one.points) for one in result.series)
        case "matrix":
            return wire.matrix((one.labels, one.points) for one in result.series)
        case "scalar":
            when, value = result.series[0].points[0]
            return wire.scalar(when, value)
        case _:
            return wire.string(at, result.text)


async def _parameters(request: Request) -> Parameters:
    """Query parameters and, for POST, the form; a name may stand in both."""
    pairs = list(request.query_params.multi_items())
    if request.method == "POST":
        form = await request.form(max_files=0, max_fields=1000)
        pairs += [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    return ImmutableMultiDict(pairs)


def _required(given: Parameters, name: str) -> str:
    if value := given.get(name, ""):
        return value
    raise BadRequestError(f'invalid parameter "{name}": it is missing')


def _instant(given: Parameters, name: str, default: int) -> int:
    text = given.get(name, "")
    if not text:
        return default
    try:
        return parse_prometheus_instant(text)
    except BadRequestError as error:
        raise BadRequestError(f'invalid parameter "{name}": {error}') from None


@reading_request()
def _limit(given: Parameters, default: int) -> int:
    return int(given.get("limit", "") or default)


def _limited(given: Parameters, values: Sequence[Any]) -> Sequence[Any]:
    limit = _limit(given, 0)
    return values[:limit] if limit > 0 else values


def _ok(data: Any, warnings: Sequence[str] = ()) -> Response:
    return _json(wire.success(data, warnings))


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=status, headers=headers, media_type="application/json")
