"""How a pipeline is doing, for pages and the API."""

from collections.abc import Iterable, Sequence

from eldonia_ops.collectors.status import TargetHealth, TargetStatus
from eldonia_ops.pipeline.inputs import Input
from eldonia_ops.pipeline_outputs.running import OutputStatus
from eldonia_ops.services.api import PipelineOutputView, PipelineSourceView
from eldonia_ops.services.pipeline.entry import PipelineEntry


def source_view(source: Input, entry: PipelineEntry, statuses: Sequence[TargetStatus]) -> PipelineSourceView:
    """One source. It is down when anything of it is, such as one of its files; that fault is shown first."""
    faulty = next((one for one in statuses if one.health is TargetHealth.DOWN), None)
    fault, fault_at = (entry.fault, entry.fault_ms) if faulty is None else (faulty.error, faulty.last_at or 0)
    return PipelineSourceView(
        id=source.id,
        type=source.type,
        summary=source.summary,
        health=_health(statuses),
        events=entry.events,
        per_minute=entry.per_minute(),
        unread=entry.unread,
        waiting=entry.waiting,
        last_at=entry.last_ms,
        fault=fault,
        fault_at=fault_at,
    )


def output_views(statuses: Iterable[OutputStatus]) -> tuple[PipelineOutputView, ...]:
    """The outputs."""
    return tuple(
        PipelineOutputView(
            id=one.id,
            type=one.type,
            summary=one.summary,
            queued_events=one.queued_events,
            queued_bytes=one.queued_bytes,
            oldest_at=one.oldest_ms,
            written=one.written_events,
            failed=one.failed_writes,
            retries=one.retries,
            next_retry_at=one.next_retry_ms,
            dropped=one.dropped_events,
            given_up=one.given_up_events,
            fault=one.last_error,
        )
        for one in statuses
    )


def _health(statuses: Sequence[TargetStatus]) -> str:
    found = {one.health for one in statuses}
    for health in (TargetHealth.DOWN, TargetHealth.UP):
        if health in found:
            return str(health)
    return str(TargetHealth.UNKNOWN)
