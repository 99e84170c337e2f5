"""Prometheus' HTTP API over our store and rules."""

import hashlib
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import Response

from eldonia_ops.model.alerts import UNTIL_RESOLVED
from eldonia_ops.model.matchers import all_match
from eldonia_ops.protocols.prometheus import api as wire
from eldonia_ops.services.api import AlertView, Platform, QueryResult, RuleGroupView, RuleView, Series
from eldonia_ops.web.access import Permission
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.compat import management
from eldonia_ops.web.gate import GuardedRoute
from eldonia_ops.web.heavy import HeavyWork
from eldonia_ops.web.problems import ApiDialect, Problem
from eldonia_ops.web.times import parse_prometheus_instant, parse_step, rfc3339

_MOST_SELECTORS = 20
_DEFAULT_LOOKBACK_MS = 24 * 3_600_000
_KINDS = {
    400: "bad_data",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    413: "bad_data",
    422: "execution",
    429: "unavailable",
    503: "unavailable",
}

Parameters = ImmutableMultiDict[str, Any]
T = TypeVar("T")


async def envelope(request: Request, problem: Problem) -> Response:
    """``{"status": "error", "errorType", "error"}``. A query's own errorType brings Prometheus' status for it."""
    headers = problem.answer_headers("Basic", "Bearer")
    of_query = problem.position is not None
    kind = problem.code if of_query else _KINDS.get(problem.status, "internal")
    status = wire.status_of(kind) if of_query else problem.status
    return _json(wire.failure(kind, problem.sentence), status, headers)


def routes(platform: Platform, version: str, heavy: HeavyWork) -> list[GuardedRoute]:
    """``/api/v1/...``, ``/metrics``, the health addresses and ``/-/reload``."""
    api = _Api(platform, version, heavy)

    def reading(path: str, endpoint: Callable[[Request], Awaitable[Response]], *methods: str) -> GuardedRoute:
        return GuardedRoute(
            f"/api/v1/{path}",
            endpoint,
            demand=Permission.READ,
            family=ApiDialect.PROMETHEUS,
            methods=methods or ("GET",),
        )

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
        *management.routes(platform.status, platform.reloads, ApiDialect.PROMETHEUS),
    ]


class _Api:
    """The endpoints; each returns the envelope around its data."""

    def __init__(self, platform: Platform, version: str, heavy: HeavyWork) -> None:
        self._platform = platform
        self._heavy = heavy
        self._version = version
        self._hostname = socket.gethostname()

    async def query(self, request: Request) -> Response:
        given = await _parameters(request)
        now = self._platform.now()
        at = _instant(given, "time", now)
        limit = _limit(given)
        result = await self._platform.queries.instant(_required(given, "query"), at, **_bounds(given))
        series, cut = _cut(result.series, limit)
        data = _data(replace(result, series=list(series)), at) | _stats(given, result)
        return _ok(data, [*result.warnings, *cut], result.infos)

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
        limit = _limit(given)
        result = await self._platform.queries.range(query, start, end, step, **_bounds(given))
        series, cut = _cut(result.series, limit)
        data = wire.matrix(map(_wire_series, series)) | _stats(given, result)
        return _ok(data, [*result.warnings, *cut], result.infos)

    async def format_query(self, request: Request) -> Response:
        given = await _parameters(request)
        return _ok(self._platform.queries.format(_required(given, "query")))

    async def series(self, request: Request) -> Response:
        given = await _parameters(request)
        selectors = given.getlist("match[]")
        if not selectors:
            raise BadRequestError("no match[] parameter provided")
        limit = _limit(given)
        start, end = self._range(given)
        sets = self._matcher_sets(selectors)
        async with self._heavy.place():
            parts = [await self._platform.telemetry.metrics.series(matchers, start, end) for matchers in sets]
            return await self._sorted(limit, parts)

    async def labels(self, request: Request) -> Response:
        given = await _parameters(request)
        limit = _limit(given)
        start, end = self._range(given)
        sets = self._matcher_sets(given.getlist("match[]")) or [()]
        async with self._heavy.place():
            parts = [await self._platform.telemetry.metrics.label_names(matchers, start, end) for matchers in sets]
            return await self._sorted(limit, parts)

    async def label_values(self, request: Request) -> Response:
        given = await _parameters(request)
        limit = _limit(given)
        name = request.path_params["name"]
        start, end = self._range(given)
        sets = self._matcher_sets(given.getlist("match[]")) or [()]
        async with self._heavy.place():
            parts = [
                await self._platform.telemetry.metrics.label_values(name, matchers, start, end) for matchers in sets
            ]
            return await self._sorted(limit, parts)

    def _matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Any, ...]]:
        if len(selectors) > _MOST_SELECTORS:
            raise BadRequestError(f"more than {_MOST_SELECTORS} selectors")
        return self._platform.queries.matcher_sets(selectors)

    async def _sorted(self, limit: int, parts: Sequence[Sequence[Any]]) -> Response:
        """All of several lists, each item once, in order, at most ``limit`` of them (0: all)."""

        def work() -> Response:
            return _ok(*_cut(sorted(set().union(*parts)), limit))

        return await self._heavy.run(work)

    async def metadata(self, request: Request) -> Response:
        given = await _parameters(request)
        wanted = given.get("metric", "")
        families = [
            one for one in await self._platform.telemetry.metrics.metadata() if not wanted or one.name == wanted
        ]
        return _ok(wire.metadata(families, _number(given, "limit"), _number(given, "limit_per_metric")))

    async def targets(self, request: Request) -> Response:
        """Everything that is collected and has a job; nothing is ever dropped, for nothing is discovered."""
        state = request.query_params.get("state", "").lower()
        pool = request.query_params.get("scrapePool", "")
        active = [
            wire.active_target(
                job=view.labels["job"],
                url=view.url,
                labels=view.labels,
                health=view.health,
                error=view.error,
                last_scrape=rfc3339(view.last_at),
                duration_seconds=view.duration_seconds,
                interval_ms=view.interval_ms,
                timeout_ms=view.timeout_ms,
                hostname=self._hostname,
            )
            for view in self._platform.status.targets()
            if "job" in view.labels and pool in ("", view.labels["job"])
        ]
        counts = dict.fromkeys((one["scrapePool"] for one in active), 0)
        shown = active if state in ("", "any", "active") else []
        return _ok({"activeTargets": shown, "droppedTargets": [], "droppedTargetCounts": counts})

    async def rules(self, request: Request) -> Response:
        """Rule groups, filtered and in pages; groups of which nothing is left are left out."""
        given = request.query_params
        kind = given.get("type", "").lower()
        if kind not in ("", "alert", "record"):
            raise BadRequestError(f'not supported value "{kind}"')
        bare = _boolean(given, "exclude_alerts")
        size, token = _page(given)
        files, names = set(given.getlist("file[]")), set(given.getlist("rule_group[]"))
        rule_names = set(given.getlist("rule_name[]"))
        matcher_sets = self._platform.queries.matcher_sets(given.getlist("match[]"))

        def wanted(rule: RuleView) -> bool:
            return (
                rule.type.startswith(kind)
                and (not rule_names or rule.name in rule_names)
                and (not matcher_sets or any(all_match(one, rule.labels) for one in matcher_sets))
            )

        groups: list[dict[str, Any]] = []
        following = ""
        found = not token
        for group in self._platform.alerts.rules():
            if (files and group.file not in files) or (names and group.name not in names):
                continue
            found = found or _group_token(group) == token
            rules = [_rule(rule, bare=bare) for rule in group.rules if wanted(rule)]
            if not found or not rules:
                continue
            if size and len(groups) == size:
                following = _group_token(group)
                break
            groups.append(
                {
                    "name": group.name,
                    "file": group.file,
                    "interval": group.interval_seconds,
                    "limit": 0,
                    "evaluationTime": group.evaluation_time_seconds,
                    "lastEvaluation": rfc3339(group.last_evaluation_at),
                    "rules": rules,
                }
            )
        if not found:
            raise BadRequestError(f"invalid group_next_token {token[:80]!r}: were the rule groups changed?")
        return _ok({"groups": groups} | ({"groupNextToken": following} if following else {}))

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


def _rule(rule: RuleView, *, bare: bool = False) -> dict[str, Any]:
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
            "alerts": [] if bare else [_alert(alert) for alert in rule.alerts],
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


def _wire_series(series: Series) -> wire.Series:
    return series.labels, series.points, series.histograms


def _data(result: QueryResult, at: int) -> dict[str, Any]:
    match result.type:
        case "vector":
            return wire.vector(map(_wire_series, result.series))
        case "matrix":
            return wire.matrix(map(_wire_series, result.series))
        case "scalar":
            when, value = result.series[0].points[0]
            return wire.scalar(when, value)
        case _:
            return wire.string(at, result.text)


async def _parameters(request: Request) -> Parameters:
    """Query parameters and, for POST, the form; a name may be in both."""
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


def _limit(given: Parameters) -> int:
    """How many results are wanted at most; 0: all."""
    limit = _number(given, "limit", 0)
    if limit < 0:
        raise BadRequestError('invalid parameter "limit": limit must be non-negative')
    return limit


def _number(given: Parameters, name: str, default: int = -1) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise BadRequestError(f'invalid parameter "{name}": {name} must be a number')
    return int(text)


def _boolean(given: Parameters, name: str) -> bool:
    text = given.get(name, "")
    if text not in ("", "true", "True", "TRUE", "t", "T", "1", "false", "False", "FALSE", "f", "F", "0"):
        raise BadRequestError(f'invalid parameter "{name}": not a boolean: {text[:40]!r}')
    return text.lower() in ("true", "t", "1")


def _page(given: Parameters) -> tuple[int, str]:
    """How many rule groups are wanted (0: all), and the token of the group that the answer begins with."""
    token = given.get("group_next_token", "")
    if not given.get("group_limit", ""):
        if token:
            raise BadRequestError("group_limit needs to be present in order to paginate over the groups")
        return 0, ""
    size = _number(given, "group_limit")
    if size <= 0:
        raise BadRequestError("group_limit needs to be greater than 0")
    return size, token


def _group_token(group: RuleGroupView) -> str:
    return hashlib.sha256(f"{group.file};{group.name}".encode("utf-8", "replace")).hexdigest()[:40]


def _bounds(given: Parameters) -> dict[str, int]:
    """What a query is asked to keep to besides its range."""
    found = {}
    for name, argument in (("lookback_delta", "lookback_ms"), ("timeout", "timeout_ms")):
        if text := given.get(name, ""):
            try:
                found[argument] = parse_step(text)
            except BadRequestError as error:
                raise BadRequestError(f'invalid parameter "{name}": {error}') from None
    return found


def _stats(given: Parameters, result: QueryResult) -> dict[str, Any]:
    """What a query took, when that is asked for by whatever value of ``stats``, as in Prometheus."""
    if not given.get("stats", ""):
        return {}
    took = result.stats
    return {
        "stats": wire.statistics(
            wait=took.wait_seconds,
            fetch=took.fetch_seconds,
            compute=took.compute_seconds,
            samples=took.samples,
            peak=took.peak,
        )
    }


def _cut(values: Sequence[T], limit: int) -> tuple[Sequence[T], tuple[str, ...]]:
    """At most ``limit`` values (0: all), and a warning when some are left out."""
    if 0 < limit < len(values):
        return values[:limit], ("results truncated due to limit",)
    return values, ()


def _ok(data: Any, warnings: Sequence[str] = (), infos: Sequence[str] = ()) -> Response:
    return _json(wire.success(data, warnings, infos))


def _json(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status_code=status, headers=headers, media_type="application/json")
