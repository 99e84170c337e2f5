"""Rows as objects, as they were committed last: a storm looks at the same alerts and incidents again and again, and
sends what it has just written.

What is kept here is never more than a shorter way to what the database holds. Alerts have a version as a whole, counted
in the database by every transaction that changes any; incidents have one each. Where a version differs, another
process has written, and the rows are read.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from eldonia_ops.model.alerts import Alert, Outgoing
from eldonia_ops.model.incidents import Incident

_MOST_INCIDENTS: Final = 5_000
_MOST_IN_MESSAGES: Final = 5_000
_WAIT_SECONDS: Final = 0.02


class CommittedAlerts:
    """Every alert, by fingerprint. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = -1
        self._alerts: dict[str, Alert] = {}
        self._names = Counter[str]()

    def at(self, version: int, *, shared: bool) -> Mapping[str, Alert] | None:
        """The alerts of a version, or None when they have to be read. ``shared``: the mapping may change with the next
        commit, which is right for the one transaction that writes."""
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            with self._lock:
                if self._version == version:
                    return self._alerts if shared else dict(self._alerts)
                behind = 0 <= self._version < version
            # A commit is seen by readers a moment before it is taken in here.
            if not behind or shared or time.monotonic() > until:
                return None
            time.sleep(0.001)

    def offer(self, version: int, alerts: dict[str, Alert]) -> Mapping[str, Alert]:
        """Take what was read of a version, unless a later one is known."""
        with self._lock:
            if version > self._version:
                self._version, self._alerts = version, alerts
                self._names = Counter(alert.name for alert in alerts.values())
        return alerts

    def may_hold(self, alerts: Mapping[str, Alert], name: str) -> bool:
        """Whether an alert of a name may be among those that :meth:`at` or :meth:`offer` gave: to look at each of them
        takes long in a storm, and most names that are asked for are not there."""
        with self._lock:
            return alerts is not self._alerts or self._names[name] > 0

    def commit(self, before: int, after: int, changes: Mapping[str, Alert | None]) -> None:
        """A transaction that saw one version has committed the next; None means that the alert is gone."""
        with self._lock:
            if self._version != before:
                self._version, self._alerts, self._names = -1, {}, Counter()
                return
            self._version = after
            for fingerprint, alert in changes.items():
                replaced = self._alerts.pop(fingerprint, None)
                if replaced is not None:
                    self._names[replaced.name] -= 1
                if alert is not None:
                    self._alerts[fingerprint] = alert
                    self._names[alert.name] += 1


class CommittedIncidents:
    """Incidents by id, each as it was seen committed last. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Incident] = {}

    def at(self, id: str, version: int) -> Incident | None:
        """The incident at a version, or None when it has to be read."""
        found = self._known.get(id)
        return found if found is not None and found.version == version else None

    def keep(self, some: Mapping[str, Incident]) -> None:
        """Know these as well."""
        with self._lock:
            if len(self._known) + len(some) > _MOST_INCIDENTS:
                self._known = {}
            self._known.update(some)


class CommittedMessages:
    """Messages that were put into the outbox lately and were not asked for yet, by idempotency key; those about a few
    thousand alerts at most. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Outgoing] = {}
        self._alerts = 0

    def keep(self, some: Iterable[Outgoing]) -> None:
        """Know these as well; the oldest are forgotten when there are too many."""
        with self._lock:
            for message in some:
                self._known[message.idempotency_key] = message
                self._alerts += _weight(message)
            while self._alerts > _MOST_IN_MESSAGES:
                self._alerts -= _weight(self._known.pop(next(iter(self._known))))

    def take(self, keys: Iterable[str]) -> dict[str, Outgoing]:
        """Those of the messages that are known, by key; they are not kept any longer."""
        with self._lock:
            taken = {key: self._known.pop(key) for key in keys if key in self._known}
            self._alerts -= sum(map(_weight, taken.values()))
            return taken


def _weight(message: Outgoing) -> int:
    return max(1, len(message.fingerprints))


class Committed:
    """What one store knows of what it has committed."""

    def __init__(self) -> None:
        self.alerts = CommittedAlerts()
        self.incidents = CommittedIncidents()
        self.messages = CommittedMessages()
