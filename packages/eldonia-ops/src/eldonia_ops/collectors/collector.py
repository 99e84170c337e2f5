"""What a collector is: the contract between the platform and each folder beside this file, or a plug-in.

A collector turns the settings into :class:`LoopPlan` s, and the platform runs a loop for each. When the settings
change, it compares the plans: a loop whose plan is the same goes on as it is, others are stopped, started or replaced.
A plan is compared by its name and its ``specification``; everything that the loop depends on has to be in there.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from eldonia_ops.collectors.status import TargetStatus, TurnWatch
from eldonia_ops.model.logs import LogRecord
from eldonia_ops.ports import Clock, ProbeResult
from eldonia_ops.protocols.prometheus.scrape_rows import CollectedSink
from eldonia_ops.settings import Settings
from eldonia_ops.settings.declaration import Setting

OnProbe: TypeAlias = Callable[[str, ProbeResult, int], Awaitable[None]]
"""Takes each result of a probe: the probe's name, the result, Unix ms."""


class LogIntake(Protocol):
    """Where collectors put log records."""

    async def __call__(self, records: Sequence[LogRecord], *, source: str, batch_key: str = "") -> None:
        """Return when the records are stored. ``source`` is shown with those that are refused; records that are
        offered again under the same ``batch_key`` are stored once.

        Raises:
            TelemetryError: none of them is stored. They have to be offered again.
        """
        ...


class Positions(Protocol):
    """Where readers of files remember how far they have come, and what the store knows of it."""

    async def load_position(self, path: str) -> tuple[str, int] | None:
        """``(identity, offset)`` saved last for a path."""
        ...

    async def save_position(self, path: str, identity: str, offset: int) -> None:
        """Remember that everything of ``path#identity`` up to ``offset`` is stored."""
        ...

    async def source_position(self, source: str) -> int | None:
        """The largest offset stored for a source, see :meth:`eldonia_ops.ports.LogStore.source_position`."""
        ...


@dataclass(frozen=True, slots=True)
class CollectorContext:
    """What the platform gives to a collector as long as it runs. ``environment`` is that of records which name none."""

    clock: Clock
    logs: LogIntake
    positions: Positions
    on_probe: OnProbe
    environment: str = ""


@dataclass(frozen=True, slots=True)
class LoopContext:
    """What the platform gives to one loop.

    ``store`` takes its samples; the platform writes the staleness markers when the loop is removed. ``watch`` gives
    what the loop, or a part of it with a name of its own, notes its failures in.
    """

    clock: Clock
    store: CollectedSink
    watch: Callable[[str], TurnWatch]


class CollectorLoop(Protocol):
    """One running loop. It is made before it runs and may never run."""

    async def run(self) -> None:
        """Collect until cancelled. One that raises or returns is started again after a pause."""
        ...

    def statuses(self) -> Sequence[TargetStatus]:
        """How its targets are, for the targets page. Does not wait."""
        ...

    async def close(self) -> None:
        """Let go of connections, after ``run`` has ended. Idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """One loop that the settings ask for.

    ``name`` identifies a loop of the collector and is shown. ``specification`` is whatever the loop is made from,
    an immutable value with ``==``. ``build`` makes the loop; it does no I/O.
    """

    name: str
    specification: object
    build: Callable[[LoopContext], CollectorLoop] = field(compare=False)


class OpenCollector(Protocol):
    """A collector with what its loops share, such as a pool of connections."""

    def plans(self, settings: Settings) -> Iterable[LoopPlan]:
        """The loops that these settings ask for, in a fixed order. Does no I/O and takes microseconds a loop."""
        ...

    async def close(self) -> None:
        """Let go of what is shared; no loop runs any more."""
        ...


@dataclass(frozen=True, slots=True)
class Collector:
    """The declaration of a collector.

    ``kind`` is the kind of its targets, in the API and on the targets page; ``titles`` is what the page calls it,
    by language (``en``, ``ja``). ``open`` makes what its loops share and does no I/O. ``section`` declares the
    section of the settings whose key the collector is registered under, such as a list of a dataclass whose fields
    are declared; what was read is ``settings.collectors[key]``.
    """

    kind: str
    open: Callable[[CollectorContext], OpenCollector]
    section: Setting | None = None
    titles: Mapping[str, str] = field(default_factory=dict)


class Independent:
    """Implements :class:`OpenCollector` for a collector whose loops share nothing."""

    def __init__(self, plans: Callable[[Settings], Iterable[LoopPlan]]) -> None:
        self._plans = plans

    def plans(self, settings: Settings) -> Iterable[LoopPlan]:
        """The loops that these settings ask for."""
        return self._plans(settings)

    async def close(self) -> None:
        """Nothing is shared."""
