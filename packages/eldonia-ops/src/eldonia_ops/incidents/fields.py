"""The fields of an incident that people fill in, checked one by one."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from eldonia_ops.incidents.events import ActError
from eldonia_ops.model.errors import nearest
from eldonia_ops.model.incidents import Impact, Incident

TEXTS: Final[Mapping[str, int]] = {
    "title": 500,
    "description": 10_000,
    "component": 200,
    "root_cause": 20_000,
    "resolution": 20_000,
    "lessons_learned": 20_000,
    "postmortem": 500_000,
}
"""Text fields with the most characters that each takes."""

_KEPT_IN_TIMELINE = 2_000


def apply_fields(incident: Incident, fields: Mapping[str, Any]) -> tuple[Incident, list[str], dict[str, Any]]:
    """The incident with the fields set, the names that changed, and their new values for the timeline.

    Raises:
        ActError: a field is unknown, too long, empty where it must not be, or of the wrong type.
    """
    changes: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "impact":
            changes[name] = parse_impact(value, incident.impact)
        elif name in TEXTS:
            changes[name] = _text(name, value)
        else:
            hint = nearest(name, [*TEXTS, "impact", "severity"])
            raise ActError(f"no such field: {name!r}" + (f" ({hint})" if hint else ""))
    changed = [name for name, value in changes.items() if getattr(incident, name) != value]
    values = {name: _for_timeline(name, changes[name]) for name in changed}
    return replace(incident, **{name: changes[name] for name in changed}), changed, values


def parse_impact(value: object, before: Impact) -> Impact:
    """An impact from a mapping; what it does not name stays as before.

    Raises:
        ActError: not a mapping, an unknown name, a negative or infinite number.
    """
    if not isinstance(value, Mapping):
        raise ActError("impact must be a mapping with users, revenue, reputation")
    unknown = set(value) - {"users", "revenue", "reputation"}
    if unknown:
        raise ActError(f"no such part of the impact: {sorted(map(str, unknown))[0]!r}")
    try:
        users = int(value.get("users", before.users))
        revenue = float(value.get("revenue", before.revenue))
    except (TypeError, ValueError, OverflowError):
        raise ActError("impact.users and impact.revenue must be numbers") from None
    if not 0 <= users < 2**53 or revenue < 0 or not math.isfinite(revenue):
        raise ActError("impact.users and impact.revenue must be finite and not negative")
    return Impact(users, revenue, str(value.get("reputation", before.reputation))[:2_000])


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise ActError(f"{name} must be a text")
    text = value.strip()
    if name == "title" and not text:
        raise ActError("an incident needs a title")
    if len(text) > TEXTS[name]:
        raise ActError(f"{name} is longer than {TEXTS[name]} characters")
    return text


def _for_timeline(name: str, value: Any) -> Any:
    if isinstance(value, Impact):
        return {"users": value.users, "revenue": value.revenue, "reputation": value.reputation}
    # A postmortem is kept on the incident; its whole text would only repeat itself on the timeline.
    return f"{len(value)} characters" if name == "postmortem" else value[:_KEPT_IN_TIMELINE]
