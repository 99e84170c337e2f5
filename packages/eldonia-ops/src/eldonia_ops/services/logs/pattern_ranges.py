"""Which two ranges of time are compared to see what is new in the logs: since a deploy, in an incident, or chosen."""

from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.change import Change, ChangeKind
from eldonia_ops.model.incidents import Incident
from eldonia_ops.services.api import NotFoundError
from eldonia_ops.services.changes import Changes

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
SHORTEST_BEFORE_MS: Final = _HOUR_MS
"""A shorter time before would have too few records for a rate."""

LONGEST_BEFORE_MS: Final = 7 * _DAY_MS
DEPLOY_WITHIN_MS: Final = 30 * _DAY_MS
_MOST_DEPLOYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class ComparedRanges:
    """A range, and the one that it is compared with: Unix milliseconds, the ends not included.

    ``since`` names what it began with: ``deploy``, ``incident``, or '' for a time; ``title`` says which one.
    """

    start: int
    end: int
    start_before: int
    end_before: int
    since: str = ""
    title: str = ""


def ranges_from(start: int, end: int, since: str = "", title: str = "") -> ComparedRanges:
    """A range against the time right before it: as long, but an hour at least and a week at most."""
    end = max(end, start + 1)
    before = min(max(end - start, SHORTEST_BEFORE_MS), LONGEST_BEFORE_MS)
    return ComparedRanges(start, end, max(0, start - before), start, since, title)


def ranges_of_incident(incident: Incident, now: int) -> ComparedRanges:
    """From the earliest evidence of the fault until it was resolved, else until now."""
    return ranges_from(incident.started_at, incident.resolved_at or now, "incident", f"INC-{incident.ordinal}")


async def ranges_since_deploy(changes: Changes, now: int, service: str = "", id: str = "") -> ComparedRanges:
    """From the latest deploy on, or from the one with an id; ``service`` means those of it and those of no single one.

    Raises:
        NotFoundError: there was none in the last 30 days.
    """
    found = await changes.find(now - DEPLOY_WITHIN_MS, now, service, _MOST_DEPLOYS)
    deploys = [one for one in found if one.kind is ChangeKind.DEPLOY and (not id or one.id == id)]
    if not deploys:
        which = f" with the id {id}" if id else f" of {service}" if service else ""
        raise NotFoundError(f"no deploy{which} was reported in the last 30 days (eldonia-ops changes add reports one)")
    return ranges_from(deploys[0].at, now, "deploy", _title(deploys[0]))


def _title(deploy: Change) -> str:
    return " ".join(part for part in (deploy.service, deploy.version, deploy.title) if part)
