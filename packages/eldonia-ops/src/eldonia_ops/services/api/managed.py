"""What the platform offers to change its configuration by page and API: entries, changes, trials, proposals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from eldonia_ops.model.errors import Diagnostic
from eldonia_ops.services.api.log_care import RetentionView


class FaultyConfigurationError(ValueError):
    """A change would not hold: the loader refuses the configuration with it. Nothing was changed.

    ``own`` is the file that is changed: what is wrong in another one has its place in the message.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic], own: str = "") -> None:
        super().__init__("; ".join(dict.fromkeys(_placed(one, own) for one in diagnostics)))
        self.diagnostics = tuple(diagnostics)


def _placed(one: Diagnostic, own: str) -> str:
    elsewhere = own and one.file and one.file != own
    return f"{one.file}, line {one.line}: {one.message}" if elsewhere and one.line else one.message


@dataclass(frozen=True, slots=True)
class WantedChange:
    """An entry to be added (``name`` ''), replaced, or removed (``values`` None)."""

    section: str
    name: str = ""
    values: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry and where it is written. ``values`` is what a managed one says, without the secrets that it has
    (``secrets`` names their keys). One that does not hold is also in the written file."""

    section: str
    name: str
    managed: bool
    holds: bool
    file: str
    line: int
    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepView:
    """What became of one entry: ``before`` None for one that was added, ``after`` None for one that was removed.
    Secrets are not in them; ``secrets`` names those that were changed."""

    section: str
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change of the configuration. ``undoes`` and ``undone_by`` are ids of others; ``at`` is Unix ms."""

    id: str
    at: int
    actor: str
    steps: tuple[StepView, ...]
    undoes: str = ""
    undone_by: str = ""


@dataclass(frozen=True, slots=True)
class ConfigurationView:
    """What can be managed. ``version`` is another for every other content; ``file`` is where it is kept; ``written``
    is the file that people write, '' without one. ``changes`` are the last ones, the newest first."""

    enabled: bool
    version: str
    file: str
    written: str
    entries: tuple[EntryView, ...]
    changes: tuple[ChangeView, ...]


@dataclass(frozen=True, slots=True)
class FieldView:
    """One field of a form. ``type`` is text, texts, boolean, number, duration, choice, labels, secret. ``key`` may be
    dotted. A field that is not ``main`` is shown on demand; ``default`` is what holds without it, as a text."""

    key: str
    type: str
    required: bool = False
    default: str = ""
    choices: tuple[str, ...] = ()
    main: bool = False
    doc: str = ""


@dataclass(frozen=True, slots=True)
class FormView:
    """The form of an entry: ``section`` with, for receivers, the ``kind`` of integration and its title."""

    section: str
    kind: str
    title: str
    fields: tuple[FieldView, ...]


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of a log file as it is understood. ``at`` is Unix ms."""

    at: int
    level: str
    service: str
    message: str
    fields: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True)
class SampleView:
    """A series with its value, as text: numbers that JSON lacks too."""

    name: str
    labels: Mapping[str, str]
    value: str


@dataclass(frozen=True, slots=True)
class LabelValuesView:
    """A label of a metric, its field, and how many values that has."""

    label: str
    field: str
    values: int


@dataclass(frozen=True, slots=True)
class BucketView:
    """How many numbers are in a bucket: above the bound before, and up to this one (``+Inf`` for none)."""

    le: str
    count: int


@dataclass(frozen=True, slots=True)
class PromqlView:
    """A question in PromQL. ``key`` says what it answers: rate, increase, now, highest, p95, mean."""

    key: str
    query: str


@dataclass(frozen=True, slots=True)
class LogMetricPreview:
    """What a metric of logs would have counted in the last ``hours``.

    ``records`` match, and make ``series`` of which ``max_series`` are kept apart. Of the newest ``sample`` of them
    ``skipped`` lack a usable number; the others lie between ``lowest`` and ``highest`` (None without any), and are in
    ``buckets``. ``fitting`` are bounds that fit these numbers. ``taken``: there are series of this name already.
    """

    hours: float
    records: int
    sample: int
    skipped: int
    lowest: float | None
    highest: float | None
    series: int
    max_series: int
    labels: tuple[LabelValuesView, ...]
    buckets: tuple[BucketView, ...]
    fitting: tuple[float, ...]
    queries: tuple[PromqlView, ...]
    taken: bool


@dataclass(frozen=True, slots=True)
class TrialView:
    """What an entry would bring, tried once. ``message`` is what went wrong, in a sentence, '' if nothing did.

    ``status`` and ``certificate_expires_at`` (Unix ms, 0 for none) are of a probe, ``series`` and ``samples`` of
    metrics, ``lines``, ``recognised`` (the form) and ``file`` (the newest that matches) of log files, ``sent`` of
    receivers, ``log_metric`` of metrics made of logs, ``retention`` of rules of retention. ``diagnostics`` say what is
    wrong with the entry itself.
    """

    successful: bool
    message: str = ""
    seconds: float = 0.0
    status: int = 0
    certificate_expires_at: int = 0
    series: int = 0
    samples: tuple[SampleView, ...] = ()
    files: int = 0
    file: str = ""
    recognised: str = ""
    lines: tuple[LineView, ...] = ()
    sent: int = 0
    log_metric: LogMetricPreview | None = None
    retention: RetentionView | None = None
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundView:
    """An entry that fits this machine, with the reason. ``step`` is what a person has to do first, '' for nothing;
    ``present`` says that there is such an entry already."""

    section: str
    name: str
    values: Mapping[str, Any]
    why: str
    step: str = ""
    present: bool = False


@dataclass(frozen=True, slots=True)
class MachineView:
    """What was found on this machine, and what could not be seen."""

    hostname: str
    found: tuple[FoundView, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleCardView:
    """An alerting rule that can be changed. ``shipped``: by name in ``rules.defaults``; else it is an own one of the
    managed file (``managed``) or of a rule file. ``threshold`` None: it asks for a state; ``shipped_threshold``,
    ``shipped_for`` and ``shipped_severity`` are as shipped. ``value`` is what it measures now, None where that is
    nothing. ``unit`` is that of threshold and value, '' for a plain number. With ``logs`` the expression is a search of
    the logs of ``range_seconds``. ``state`` is inactive, pending, firing, off or unknown. Durations are seconds."""

    name: str
    alert: str
    shipped: bool
    managed: bool
    changed: bool
    enabled: bool
    expr: str
    severity: str
    for_seconds: float
    threshold: float | None = None
    value: float | None = None
    state: str = "unknown"
    summary: str = ""
    file: str = ""
    line: int = 0
    shipped_threshold: float | None = None
    shipped_for: float = 0.0
    shipped_severity: str = ""
    writable: bool = True
    logs: bool = False
    range_seconds: float = 0.0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule to be previewed: a shipped one by ``name`` with changes, an expression, or a search of ``logs`` over
    ``range_ms``. ``for_ms`` None: as it is."""

    name: str = ""
    expr: str = ""
    threshold: float | None = None
    for_ms: int | None = None
    logs: str = ""
    range_ms: int = 0


@dataclass(frozen=True, slots=True)
class PreviewView:
    """What a rule would have done: how often it would have fired, for how many series, when (start and end, Unix ms,
    the first fifty), and what it measures: highest, lowest and last value of all series (None without any). ``hours``
    is the range, ``step_seconds`` how far two looks are apart."""

    fired: int
    series: int
    firing: tuple[tuple[int, int], ...]
    hours: float
    step_seconds: float
    expr: str
    threshold: float | None = None
    value: float | None = None
    highest: float | None = None
    lowest: float | None = None
    points: tuple[tuple[int, float], ...] = ()


class ManagedConfiguration(Protocol):
    """The configuration that pages and API change. Every change is checked as a whole, applied live, and can be
    undone."""

    async def view(self) -> ConfigurationView:
        """Every entry that there is, and the last changes."""
        ...

    async def change(
        self, actor: str, wanted: Sequence[WantedChange], replacing: Callable[[str], bool]
    ) -> ConfigurationView:
        """Make some changes at once, all or none. ``replacing`` says whether the version that is there may be replaced.

        Raises:
            PreconditionError: it may not.
            RefusedError: an entry is not there, or its name is taken, or changes are switched off.
            FaultyConfigurationError: the loader refuses what would result, or it could not be applied.
        """
        ...

    async def undo(self, actor: str, id: str, replacing: Callable[[str], bool]) -> ConfigurationView:
        """Take one change back; that is a change too. Raises as :meth:`change`, and RefusedError for one that cannot
        be undone."""
        ...

    def forms(self) -> list[FormView]:
        """The forms of entries."""
        ...

    async def attempt(self, actor: str, wanted: WantedChange) -> TrialView:
        """Try an entry without keeping it: fetch, read or send once. ``name`` is the entry whose secrets it keeps."""
        ...

    async def look_around(self) -> MachineView:
        """What there is to watch on this machine. Takes some seconds."""
        ...

    async def rules(self) -> list[RuleCardView]:
        """The alerting rules, shipped ones first."""
        ...

    async def preview(self, wanted: WantedRule) -> PreviewView:
        """What a rule would have done in the last day.

        Raises:
            QueryError: the expression cannot be evaluated.
            NotFoundError: there is no shipped rule of that name.
        """
        ...
