"""The first screen of an incident: its brief and the charts of its signals."""

import msgspec
from fastapi import FastAPI, Request
from starlette.responses import Response

from eldonia_ops.incidents.brief import Brief
from eldonia_ops.services.api import Platform, Series
from eldonia_ops.services.incidents.briefs import IncidentBriefs, SignalChart
from eldonia_ops.web.access import Permission
from eldonia_ops.web.encoding import Json, number
from eldonia_ops.web.native.openapi import operation
from eldonia_ops.web.native.wording import wording_of


class LineShape(msgspec.Struct):
    """One line of a chart; ``points`` are ``[Unix ms, value]``, values that JSON has no number for as text."""

    labels: dict[str, str]
    points: list[tuple[int, float | str]]


class SignalShape(msgspec.Struct):
    """The chart of what one rule looks at, from ``start`` to ``end`` every ``step`` (Unix ms, ms).

    ``op`` and ``threshold`` (null: none) or the lines of ``bound`` are what ``query`` is compared with. ``metric`` is
    the first metric that the expression names. ``moments`` are ``[Unix ms, "pending" | "firing" | "resolved"]``.
    ``left_out`` counts lines beyond those that are given; ``fault`` says why there are none.
    """

    alertname: str
    summary: str
    expression: str
    query: str
    op: str
    threshold: float | str | None
    metric: str
    moments: list[tuple[int, str]]
    start: int
    end: int
    step: int
    lines: list[LineShape]
    bound: list[LineShape]
    left_out: int
    fault: str


def signal_shape(chart: SignalChart) -> SignalShape:
    """One chart."""
    signal, reading = chart.signal, chart.signal.reading
    return SignalShape(
        signal.alertname,
        signal.summary,
        signal.expression,
        reading.query,
        reading.op,
        None if reading.threshold is None else number(reading.threshold),
        reading.metric,
        list(signal.moments),
        chart.start,
        chart.end,
        chart.step,
        [_line(one) for one in chart.series],
        [_line(one) for one in chart.bound],
        chart.left_out,
        chart.fault,
    )


def _line(series: Series) -> LineShape:
    return LineShape(dict(series.labels.pairs), [(at, number(float(value))) for at, value in series.points])


def add_to(api: FastAPI, platform: Platform) -> None:
    """Add the operations on the first screen of an incident."""
    briefs = IncidentBriefs(platform)

    @api.get("/incidents/{incident}/brief", tags=["incidents"], **operation(Permission.READ, Brief))
    async def brief(request: Request, incident: str) -> Response:
        """Who is affected, who was notified, what changed before, and the next action."""
        return Json(wording_of(request).brief(await briefs.brief(incident)))

    @api.get("/incidents/{incident}/signals", tags=["incidents"], **operation(Permission.READ, list[SignalShape]))
    async def signals(request: Request, incident: str) -> Response:
        """The charts of what the incident's alerts watch, around the time of the incident."""
        wording = wording_of(request)
        found = [signal_shape(chart) for chart in await briefs.signals(incident)]
        return Json([msgspec.structs.replace(one, summary=wording.of_alert(one.summary)) for one in found])
