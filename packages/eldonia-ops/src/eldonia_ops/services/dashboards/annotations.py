"""Marks on the time axis of dashboards: deploys, alerts, incidents, and what PromQL finds."""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from eldonia_ops.dashboards.document import Annotation
from eldonia_ops.dashboards.interpolate import Target, builtin_values, interpolate
from eldonia_ops.dashboards.legends import from_template
from eldonia_ops.dashboards.selection import Selections
from eldonia_ops.dashboards.times import aligned, step_for
from eldonia_ops.model.durations import parse_duration
from eldonia_ops.model.incidents import Incident
from eldonia_ops.ports import LogQuery, TelemetryError, TelemetryStores
from eldonia_ops.search import SearchError, parse_search
from eldonia_ops.services.api import Incidents, Queries, QueryError
from eldonia_ops.services.changes import Changes

MOST_EVENTS: Final = 500
"""Events of one annotation; the latest are kept."""
DEPLOYS: Final = (
    "operation:(deploy or deployment or release or rollback) or component:(deploy or deployment)"
    " or event.name:(deploy or deployment or deployment.finished)"
)
"""The log records that are deployments, beside reported changes, where an annotation does not say others."""
_NS: Final = 1_000_000
_POINTS: Final = 500
_INCIDENTS: Final = 2_000
_CHANGES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Event:
    """One mark. ``end`` is None for an instant; times are Unix ms. ``url`` is a page of ours, or
    of what was deployed, or ''."""

    time: int
    end: int | None
    title: str
    text: str = ""
    tags: tuple[str, ...] = ()
    url: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """The events of one annotation, by time, or why there are none."""

    annotation: Annotation
    events: tuple[Event, ...] = ()
    error: str = ""
    position: int = -1


class DashboardAnnotations:
    """Finds the events of annotations."""

    def __init__(self, queries: Queries, telemetry: TelemetryStores, incidents: Incidents, changes: Changes) -> None:
        self._changes = changes
        self._queries = queries
        self._telemetry = telemetry
        self._incidents_of = incidents

    async def find(
        self, annotations: Sequence[Annotation], start: int, end: int, selections: Selections, scrape_interval: int
    ) -> list[Marked]:
        """The events of each annotation in a range (Unix ms)."""
        return await asyncio.gather(*(self._one(one, start, end, selections, scrape_interval) for one in annotations))

    async def _one(self, one: Annotation, start: int, end: int, selections: Selections, scrape_interval: int) -> Marked:
        try:
            match one.source:
                case "incidents":
                    events = await self._incidents(one, start, end, selections)
                case "deploys":
                    events = await self._deploys(one, start, end, selections)
                case "configuration":
                    events = await self._reported(one, start, end, selections, own=True)
                case "alerts":
                    events = await self._alerts(one, start, end, selections, scrape_interval)
                case _:
                    events = await self._promql(one, one.query, start, end, selections, scrape_interval)
        except QueryError as error:
            return Marked(one, (), str(error), error.position)
        except TelemetryError as error:
            return Marked(one, (), str(error))
        return Marked(one, tuple(sorted(events, key=lambda event: event.time)[-MOST_EVENTS:]))

    async def _incidents(self, one: Annotation, start: int, end: int, selections: Selections) -> list[Event]:
        incidents = await self._incidents_of.find(limit=_INCIDENTS)
        words = interpolate(one.query, selections, {}, Target.TEXT).text.lower().split()
        found: list[Event] = []
        for incident in incidents:
            begun = incident.started_at or incident.detected_at or incident.created_at
            over = incident.resolved_at or None
            if begun <= end and (over is None or over >= start) and all(word in _words(incident) for word in words):
                title = f"{incident.reference} {incident.title}"
                tags = tuple(tag for tag in (incident.severity.value, incident.service) if tag)
                page = f"/incidents/{incident.reference}"
                found.append(Event(begun, over, title, incident.description[:500], tags, page))
        return found

    async def _deploys(self, one: Annotation, start: int, end: int, selections: Selections) -> list[Event]:
        text = interpolate(one.query, selections, {}, Target.LOGS).text if one.query else DEPLOYS
        try:
            search = parse_search(text)
        except SearchError as error:
            raise QueryError(error.message(), error.start, hint=error.hint()) from None
        query = LogQuery(start * _NS, (end + 1) * _NS, search=search, limit=MOST_EVENTS)
        page = await self._telemetry.logs.search_logs(query)
        marks = [] if one.query else await self._reported(one, start, end, selections, own=False)
        return marks + [
            Event(
                record.timestamp_ns // _NS,
                None,
                record.message[:300],
                tags=tuple(tag for tag in (record.service, record.environment) if tag),
            )
            for record in page.records
        ]

    async def _reported(
        self, one: Annotation, start: int, end: int, selections: Selections, *, own: bool
    ) -> list[Event]:
        """Changes that were reported, or with ``own`` those of the platform's own configuration."""
        words = interpolate(one.query, selections, {}, Target.TEXT).text.lower().split()
        return [
            Event(
                change.at,
                None,
                change.title,
                " ".join(filter(None, (change.version, change.by))),
                tuple(tag for tag in (change.kind.value, change.service) if tag),
                change.url,
            )
            for change in await self._changes.find(start, end, limit=_CHANGES)
            if change.is_own == own and all(word in change.title.lower() for word in words)
        ]

    async def _alerts(
        self, one: Annotation, start: int, end: int, selections: Selections, scrape_interval: int
    ) -> list[Event]:
        matchers = one.query.strip().removeprefix("{").removesuffix("}").strip().rstrip(",")
        expr = f'ALERTS{{alertstate="firing"{"," if matchers else ""}{matchers}}}'
        named = one if one.title else _titled(one)
        return await self._promql(named, expr, start, end, selections, scrape_interval, page="/alerts")

    async def _promql(
        self,
        one: Annotation,
        expr: str,
        start: int,
        end: int,
        selections: Selections,
        scrape_interval: int,
        page: str = "",
    ) -> list[Event]:
        try:
            least = parse_duration(one.interval) if one.interval else scrape_interval
        except ValueError:
            least = scrape_interval
        step = step_for(end - start, _POINTS, max(least, 1_000))
        builtins = builtin_values(start=start, end=end, step=step, scrape_interval=scrape_interval)
        made = interpolate(expr, selections, builtins, Target.PROMQL)
        if not made.text.strip():
            return []
        first, last = aligned(start, end, step)
        try:
            result = await self._queries.range(made.text, first, last, step)
        except QueryError as error:
            position = made.origin(error.position) if error.position >= 0 else -1
            raise QueryError(str(error), position, error.kind, error.hint) from None
        found: list[Event] = []
        for series in result.series:
            labels = dict(series.labels.pairs)
            title = from_template(one.title, labels) or one.name
            text = from_template(one.text, labels)
            tags = tuple(labels[name] for name in one.tags if labels.get(name))
            for begin, over in _spells(series.points, step):
                found.append(Event(begin, over if over > begin else None, title, text, tags, page))
        return found


def _titled(one: Annotation) -> Annotation:
    return replace(
        one, title="{{alertname}}", text=one.text or "{{service}} {{instance}}", tags=one.tags or ("severity",)
    )


def _words(incident: Incident) -> str:
    return f"{incident.title} {incident.service} {incident.severity.value} {incident.reference}".lower()


def _spells(points: Sequence[tuple[int, float]], step: int) -> list[tuple[int, int]]:
    """From when to when a series has values other than zero, without a gap."""
    found: list[tuple[int, int]] = []
    for at, value in points:
        if not value or math.isnan(value):
            continue
        if found and at - found[-1][1] <= step:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found
