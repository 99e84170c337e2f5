"""Which silences keep an alert quiet, and how silences change."""

from collections.abc import Iterable
from dataclasses import replace

from eldonia_ops.model.alerts import Silence
from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import all_match


def silencing(silences: Iterable[Silence], labels: Labels, now: int) -> tuple[Silence, ...]:
    """The silences that hold at ``now`` and match; one without matchers matches nothing."""
    return tuple(
        silence
        for silence in silences
        if silence.matchers and silence.active(now) and all_match(silence.matchers, labels)
    )


def changed(previous: Silence | None, wanted: Silence, now: int, new_id: str) -> tuple[Silence, ...]:
    """What is stored when ``wanted`` takes the place of ``previous`` (None: nothing); ``wanted`` comes last.

    The rules are Alertmanager's (silence/silence.go, Set and canUpdate): what was silenced in the past is never
    rewritten. A change that would do that, of the matchers or of a start that has passed, ends the previous
    silence and makes another with ``new_id``; so does a change of one that has ended. A start in the past means now.
    """
    if previous is not None and _keeps_history(previous, wanted, now):
        return (replace(wanted, id=previous.id, updated_at=now),)
    fresh = replace(wanted, id=new_id, starts_at=max(wanted.starts_at, now), updated_at=now)
    if previous is None or previous.ends_at <= now:
        return (fresh,)
    return ended(previous, now), fresh


def ended(silence: Silence, now: int) -> Silence:
    """The silence, over at ``now``; one that had not begun never was in force."""
    if silence.ends_at <= now:
        return silence
    return replace(silence, starts_at=min(silence.starts_at, now), ends_at=now, updated_at=now)


def _keeps_history(previous: Silence, wanted: Silence, now: int) -> bool:
    if previous.matchers != wanted.matchers or previous.ends_at <= now:
        return False
    if previous.starts_at <= now:
        # Clients give the start back as they were shown it, with less than a second lost.
        return previous.starts_at // 1000 == wanted.starts_at // 1000
    return wanted.starts_at >= now
