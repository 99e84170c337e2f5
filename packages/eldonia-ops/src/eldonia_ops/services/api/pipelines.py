"""How the log pipeline is doing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PipelineSourceView:
    """One source of the log pipeline. ``health`` is ``up``, ``down`` or ``unknown``; ``unread`` counts what its parser
    could not read; ``waiting`` batches are on their way. ``fault`` is the last one, at ``fault_at`` (Unix ms)."""

    id: str
    type: str
    summary: str
    health: str
    events: int
    per_minute: int
    unread: int
    waiting: int
    last_at: int
    fault: str
    fault_at: int


@dataclass(frozen=True, slots=True)
class PipelineOutputView:
    """One output of the log pipeline. What is ``queued`` waits in its buffer, since ``oldest_at``; ``failed`` counts
    writes that went wrong, ``dropped`` events that found no room, ``given_up`` events that were tried to the end.
    ``next_retry_at`` is 0 when nothing is tried again. Times are Unix ms."""

    id: str
    type: str
    summary: str
    queued_events: int
    queued_bytes: int
    oldest_at: int
    written: int
    failed: int
    retries: int
    next_retry_at: int
    dropped: int
    given_up: int
    fault: str


@dataclass(frozen=True, slots=True)
class PipelineView:
    """The log pipeline. ``held`` events are held back by filters; ``lost`` were not taken by any output since the
    start, the last of them for ``lost_reason`` at ``lost_at`` (Unix ms)."""

    sources: tuple[PipelineSourceView, ...]
    outputs: tuple[PipelineOutputView, ...]
    held: int
    lost: int
    lost_reason: str
    lost_at: int
