"""The alert that notifications fail: about an integration, and never sent through it."""

from collections.abc import Mapping
from typing import Final

from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.model.alerts import UNTIL_RESOLVED, Alert
from eldonia_ops.model.labels import Labels

NOTIFICATION_FAILED: Final = "NotificationFailed"
SOURCE: Final = "delivery"
ALARMING_MS: Final = 15 * 60_000
"""For how long a critical message may be on its way before others are notified: the time to respond to what it says."""

_INTEGRATION: Final = "integration"

FAILED_LABELS: Final = ("alertname", _INTEGRATION)
"""What :func:`failed_integration` looks at."""


def alarming(created_at: int, now: int, *, critical: bool, given_up: bool) -> bool:
    """Whether others have to hear that a message did not get through (Unix ms; 0: unknown).

    Only what may wake a person: the rest is on the pages, in the ledger and in the metrics.
    """
    return critical and (given_up or (created_at > 0 and now - created_at >= ALARMING_MS))


def notification_failed(integration: Integration, detail: str, now: int) -> Alert:
    """The alert that critical messages do not get through an integration; one for each, however many they are."""
    text = f"{integration.receiver} is not notified: {integration.kind} does not take critical messages"
    return Alert(
        labels=Labels(
            {
                "alertname": NOTIFICATION_FAILED,
                "severity": "critical",
                "service": "eldonia-ops",
                "receiver": integration.receiver,
                _INTEGRATION: integration.key,
            }
        ),
        annotations=Labels({"summary": text, "description": detail[:500]}),
        starts_at=now,
        ends_at=UNTIL_RESOLVED,
        updated_at=now,
        source=SOURCE,
        evidence={"integration": integration.key, "detail": detail[:500]},
    )


def failed_integration(labels: Mapping[str, str]) -> str:
    """The key of the integration that a ``NotificationFailed`` is about, '' for any other alert."""
    return labels.get(_INTEGRATION, "") if labels.get("alertname") == NOTIFICATION_FAILED else ""
