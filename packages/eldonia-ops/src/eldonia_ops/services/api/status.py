"""How the platform, its targets and its objectives are doing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from eldonia_ops.model.labels import Labels
from eldonia_ops.services.api.pipelines import PipelineView


@dataclass(frozen=True, slots=True)
class ObjectiveView:
    """One objective: ratios are 0..1; ``burn_rate``, over the last hour, is 1 when the budget just lasts the window.

    ``availability`` and ``budget_remaining`` are of the whole window, of which ``measured_seconds`` have been watched
    so far and the rest counts as good: the budget is used up exactly when the availability is the target.
    ``measured_availability`` is of the measured part alone, and equals the other once the whole window is measured.
    """

    name: str
    service: str
    target: float
    window_seconds: float
    measured_seconds: float
    availability: float | None
    budget_remaining: float | None
    burn_rate: float | None
    measured_availability: float | None = None


@dataclass(frozen=True, slots=True)
class ObjectivePoint:
    """An objective as it was at an instant (Unix ms), by the same definitions; None where nothing was measured."""

    at: int
    availability: float | None
    budget_remaining: float | None
    burn_rate: float | None


@dataclass(frozen=True, slots=True)
class TargetView:
    """One scraped, tailed or probed thing. ``health`` is ``up``, ``down`` or ``unknown``.

    ``interval_ms`` and ``timeout_ms`` are 0 for what has none, such as a file. ``parse_errors`` counts the lines of a
    log file that could not be read and are kept as their text, since it is followed; ``recognised`` is the form of its
    lines.
    """

    kind: str
    name: str
    url: str
    labels: Labels
    health: str
    last_at: int
    duration_seconds: float
    error: str
    interval_ms: int = 0
    timeout_ms: int = 0
    parse_errors: int = 0
    recognised: str = ""


@dataclass(frozen=True, slots=True)
class LoopView:
    """One of the platform's own loops.

    ``failures`` counts since the start, ``in_row`` since the last success; ``error`` is the kind of the last failure;
    ``succeeded_at`` is Unix ms, 0 for never. ``item``: a part of a loop, known only while it fails.
    """

    name: str
    item: bool
    failing: bool
    ended: bool
    failures: int
    in_row: int
    error: str
    succeeded_at: int


@dataclass(frozen=True, slots=True)
class DurationView:
    """How long one kind of work takes since the start: its metric, labels, count, and quantiles in seconds."""

    name: str
    labels: Mapping[str, str]
    count: int
    p50: float | None
    p99: float | None


@dataclass(frozen=True, slots=True)
class StoredView:
    """What one signal takes on disk."""

    name: str
    rows: int
    bytes: int
    parts: int


@dataclass(frozen=True, slots=True)
class DiskView:
    """The disk that holds the data folder, in bytes."""

    total: int
    free: int


@dataclass(frozen=True, slots=True)
class ListenerView:
    """A port that is open. ``address`` is a URL such as ``http://127.0.0.1:9090``, of the scheme ``http``, ``https``,
    ``tcp`` or ``tls``; ``anonymous`` is the role of programs of this machine that show no token, or ``none``.

    ``connections`` are open now; ``accepted`` were since it was opened.
    """

    name: str
    address: str
    anonymous: str
    connections: int
    accepted: int


@dataclass(frozen=True, slots=True)
class PlatformHealth:
    """The state of the platform itself.

    ``queues`` are lengths by name, ``files`` sizes in bytes (``state``, ``wal``) of what the data folder holds beside
    telemetry, ``versions`` those of what runs; ``disk`` is None where it cannot be asked. ``started_at`` and ``now``
    are Unix ms. ``pipeline`` is None where none is configured.
    """

    now: int
    started_at: int
    ready: bool
    resident_bytes: int
    loops: tuple[LoopView, ...]
    durations: tuple[DurationView, ...]
    queues: Mapping[str, int]
    stored: tuple[StoredView, ...]
    files: Mapping[str, int]
    detached_parts: int
    lost_samples: int
    disk: DiskView | None
    refused: int
    versions: Mapping[str, str]
    listeners: tuple[ListenerView, ...] = ()
    pipeline: PipelineView | None = None


class Status(Protocol):
    """The platform looking at itself."""

    async def health(self) -> PlatformHealth:
        """Loops, durations, queues, what is stored, versions."""
        ...

    def targets(self) -> list[TargetView]: ...
    async def objectives(self) -> list[ObjectiveView]: ...
    async def objective_history(self, name: str) -> list[ObjectivePoint]:
        """An objective from when it was first watched, at most over its window, until now; about 200 points.

        Raises:
            NotFoundError: there is no such objective.
        """
        ...

    async def overview(self) -> dict[str, Any]:
        """Rows and bytes stored, queue lengths, parse errors, loop lag, uptime, version."""
        ...

    def ready(self) -> bool: ...
    def failing_loops(self) -> list[str]:
        """Names of the platform's own loops that fail again and again."""
        ...

    def metrics(self, accept: str) -> tuple[str, bytes]:
        """The platform's own metrics: content type and body, by an Accept header."""
        ...

    def request_ended(self, listener: str, api: str, route: str, method: str, code: int, seconds: float) -> None:
        """Count an answer over HTTP: the listener, the dialect, the pattern of its path, method, status, seconds."""
        ...
