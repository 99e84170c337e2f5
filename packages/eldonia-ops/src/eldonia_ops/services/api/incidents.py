"""Incidents and what people do to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from eldonia_ops.incidents.policy import Policy
from eldonia_ops.model.incidents import Incident, IncidentStatus, TimelineEntry


@dataclass(frozen=True, slots=True)
class Postmortem:
    """A postmortem in Markdown: the text that people ``saved``, or a draft written for this reading."""

    text: str
    saved: bool


class Incidents(Protocol):
    """What people do with incidents. ``incident`` is an id or a reference such as ``INC-12``.

    Every method raises :class:`NotFoundError` for an unknown incident and :class:`RefusedError` for
    an act that its state does not allow, and returns the changed incident.
    """

    @property
    def policy(self) -> Policy:
        """What opens an incident, how fast to respond, who is notified next."""
        ...

    def dependents(self, service: str) -> frozenset[str]:
        """Declared services that do not work without this one, directly or through others."""
        ...

    async def get(self, incident: str) -> tuple[Incident, list[TimelineEntry]]: ...
    async def find(
        self, *, statuses: Sequence[IncidentStatus] = (), service: str = "", limit: int = 100
    ) -> list[Incident]: ...
    async def mentioning(self, name: str, *, statuses: Sequence[IncidentStatus] = (), limit: int = 100) -> list[str]:
        """The references of those of :meth:`find` in which a note mentions somebody."""
        ...

    async def acknowledge(self, incident: str, actor: str) -> Incident: ...
    async def change_status(self, incident: str, actor: str, status: IncidentStatus, note: str = "") -> Incident: ...
    async def tick(self, incident: str, actor: str, key: str, done: bool) -> Incident: ...
    async def note(self, incident: str, actor: str, text: str) -> Incident: ...
    async def assign(self, incident: str, actor: str, to: str) -> Incident: ...
    async def describe(self, incident: str, actor: str, fields: dict[str, Any]) -> Incident:
        """Set ``title``, ``root_cause``, ``resolution``, ``lessons_learned``, ``impact``, ``severity``."""
        ...

    async def open(self, actor: str, title: str, severity: str, service: str, description: str = "") -> Incident:
        """Open an incident by hand."""
        ...

    async def postmortem(self, incident: str, language: str) -> Postmortem:
        """The saved postmortem, or a fresh draft."""
        ...

    async def draft_postmortem(self, incident: str, language: str) -> str:
        """A fresh draft, whatever has been saved."""
        ...

    async def save_postmortem(self, incident: str, actor: str, text: str, replacing: Callable[[str], bool]) -> Incident:
        """Save a postmortem in place of what is stored.

        ``replacing`` says whether the stored text ('' for none) may be replaced. It is asked in the transaction
        that saves, so no other save can come in between.

        Raises:
            PreconditionError: it may not, and is not the text to save already.
        """
        ...

    async def runbook(self, incident: str, language: str) -> list[dict[str, Any]]:
        """The checklist for display: ``{key, phase, phase_title, text, hint, done_at, done_by}`` in order."""
        ...

    async def metrics(self, since_ms: int) -> dict[str, Any]:
        """MTTD, MTTA, MTTR (milliseconds, mean and median), counts and targets met since an instant."""
        ...
