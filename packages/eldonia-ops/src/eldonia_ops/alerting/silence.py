"""Which silences keep an alert quiet."""

from collections.abc import Iterable

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
