"""Alerts as the router knows them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from eldonia_ops.model.alerts import Alert
from eldonia_ops.storage.state.columns import clean, from_json, to_json
from eldonia_ops.storage.state.committed import CommittedAlerts
from eldonia_ops.storage.state.rows import Conflict, chunks, insert_new, names_of, unreadable, write_rows
from eldonia_ops.storage.state.tables import alerts, counters

_NAMES = names_of(Alert)
_FIELDS = [alerts.c[name] for name in _NAMES]
_values = attrgetter(*_NAMES)
_VERSION = "alerts_version"


class SqlAlerts:
    """See :class:`~eldonia_ops.ports.AlertRepository`. ``writes`` is false in a read-only snapshot."""

    def __init__(self, connection: Connection, committed: CommittedAlerts, *, writes: bool) -> None:
        self._connection = connection
        self._committed = committed
        self._writes = writes
        self._base: Mapping[str, Alert] | None = None
        self._seen = 0
        self._written = 0
        self._changes: dict[str, Alert | None] = {}

    def put(self, *some: Alert) -> None:
        """Store alerts, each replacing the one with the same labels."""
        if not some:
            return
        self._begin_writing()
        changes = {alert.fingerprint: alert for alert in some}
        rows = ((fingerprint, *_values(alert)) for fingerprint, alert in changes.items())
        write_rows(self._connection, alerts, ("fingerprint", *_NAMES), rows, Conflict.REPLACE)
        self._changes.update((fingerprint, _as_stored(alert)) for fingerprint, alert in changes.items())

    def get(self, fingerprint: str) -> Alert | None:
        """The alert with this fingerprint."""
        return self._find(self._known(), fingerprint)

    def all(self) -> list[Alert]:
        """Every alert, in the order of their fingerprints."""
        known = {**self._known(), **self._changes}
        return [alert for _, alert in sorted(known.items(), key=lambda item: item[0]) if alert is not None]

    def version(self) -> int:
        """A number that rises with every transaction that changes any alert."""
        self._known()
        return self._written or self._seen

    def fingerprints(self) -> Collection[str]:
        """Of every alert."""
        if not self._changes:
            return self._known().keys()
        return {alert.fingerprint for alert in self._each()}

    def some(self, fingerprints: Sequence[str]) -> list[Alert]:
        """Those of the alerts that are known."""
        if not fingerprints:
            return []
        known = self._known()
        found = (self._find(known, fingerprint) for fingerprint in fingerprints)
        return [alert for alert in found if alert is not None]

    def ended(self, after: int, until: int) -> list[Alert]:
        """Alerts with ``after < ends_at <= until``."""
        query = select(alerts.c.fingerprint).where(alerts.c.ends_at > after, alerts.c.ends_at <= until)
        return self.some(list(self._connection.execute(query.order_by(alerts.c.fingerprint)).scalars()))

    def next_end(self, after: int) -> int | None:
        """The earliest ``ends_at`` later than ``after``, or None."""
        query = select(alerts.c.ends_at).where(alerts.c.ends_at > after).order_by(alerts.c.ends_at).limit(1)
        return self._connection.execute(query).scalar_one_or_none()

    def count(self, now: int) -> int:
        """How many alerts are not over at ``now``."""
        return self._connection.execute(
            select(func.count()).select_from(alerts).where(alerts.c.ends_at > now)
        ).scalar_one()

    def firing(self, now: int, having: Sequence[Mapping[str, str]]) -> list[Alert]:
        """Alerts not over at ``now`` that carry all labels of at least one of the mappings (which may be empty)."""
        known, changed = self._known(), {alert.name for alert in self._changes.values() if alert is not None}

        def is_hopeless(labels: Mapping[str, str]) -> bool:
            name = labels.get("alertname", "")
            return bool(name) and name not in changed and not self._committed.may_hold(known, name)

        having = [labels for labels in having if not is_hopeless(labels)] if having else []
        if not having:
            return []
        wanted: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for labels in having:
            names = tuple(sorted(labels))
            wanted.setdefault(names, set()).add(tuple(labels[name] for name in names))
        questions = list(wanted.items())

        def asked_for(alert: Alert) -> bool:
            get = alert.labels.get
            return any(tuple([get(name) for name in names]) in values for names, values in questions)

        found = [alert for alert in self._each() if alert.ends_at > now and asked_for(alert)]
        return sorted(found, key=lambda alert: alert.fingerprint)

    def delete(self, fingerprints: Sequence[str]) -> None:
        """Forget alerts; unknown fingerprints are passed over."""
        if not fingerprints:
            return
        self._begin_writing()
        for part in chunks(fingerprints):
            self._connection.execute(delete(alerts).where(alerts.c.fingerprint.in_(part)))
        self._changes.update(dict.fromkeys(fingerprints))

    def committed(self) -> None:
        """The transaction has been committed."""
        if self._changes:
            self._committed.commit(self._seen, self._written, self._changes)

    def _find(self, known: Mapping[str, Alert], fingerprint: str) -> Alert | None:
        return self._changes[fingerprint] if fingerprint in self._changes else known.get(fingerprint)

    def _each(self) -> Iterator[Alert]:
        known, changes = self._known(), self._changes
        for fingerprint, alert in known.items():
            if fingerprint not in changes:
                yield alert
        yield from (alert for alert in changes.values() if alert is not None)

    def _known(self) -> Mapping[str, Alert]:
        if self._base is None:
            query = select(counters.c.value).where(counters.c.name == _VERSION)
            self._seen = self._connection.execute(query).scalar_one_or_none() or 0
            self._base = self._committed.at(self._seen, shared=self._writes)
        if self._base is None:
            rows = self._connection.execute(select(alerts.c.fingerprint, *_FIELDS)).all()
            readable = (row for row in rows if not unreadable(Alert, row))
            read = {fingerprint: Alert(*values) for fingerprint, *values in readable}
            self._base = self._committed.offer(self._seen, read) if self._writes else read
        return self._base

    def _begin_writing(self) -> None:
        """Give the alerts their next version, once in a transaction, before anything of theirs is written."""
        if self._written:
            return
        self._known()
        insert_new(self._connection, counters, {"name": _VERSION, "value": 0})
        query = update(counters).where(counters.c.name == _VERSION).values(value=counters.c.value + 1)
        self._written = self._connection.execute(query.returning(counters.c.value)).scalar_one()


def _as_stored(alert: Alert) -> Alert:
    """The alert as it will be read: evidence is JSON, and the address has been cleaned."""
    url = clean(alert.generator_url)
    if not alert.evidence and url == alert.generator_url:
        return alert
    return replace(alert, generator_url=url, evidence=from_json(to_json(alert.evidence), dict[str, Any]))
