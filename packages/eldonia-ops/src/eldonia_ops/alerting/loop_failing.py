"""The alert that a loop of the platform itself fails again and again."""

from collections.abc import Mapping
from typing import Final

from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.labels import Labels

LOOP_FAILING: Final = "PlatformLoopFailing"
SOURCE: Final = "supervision"
_LOOP: Final = "loop"


def loop_failing(loop: str, error: str, now: int) -> Alert:
    """The alert about one loop. ``error`` is the kind of its last failure, without words that could hold a secret."""
    return Alert(
        labels=Labels({"alertname": LOOP_FAILING, "severity": "critical", "service": "eldonia-ops", _LOOP: loop}),
        annotations=Labels(
            {
                "summary": f"{loop} fails again and again",
                "description": f"The last failure was {error}; the platform's log says more.",
            }
        ),
        starts_at=now,
        ends_at=UNTIL_RESOLVED,
        updated_at=now,
        source=SOURCE,
        evidence={"loop": loop, "error": error},
    )


def failing_loop(labels: Mapping[str, str]) -> str:
    """The loop that an alert of this kind is about."""
    return labels.get(_LOOP, "")
