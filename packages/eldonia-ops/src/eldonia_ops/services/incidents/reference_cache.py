"""Which incident each alert is attached to, as far as it has been read: readers of thousands of alerts again and
again must not read thousands of incidents for their numbers."""

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from eldonia_ops.model.incidents import Incident


@dataclass(frozen=True, slots=True)
class Reference:
    """What an alert's line says of its incident."""

    id: str
    reference: str


Known: TypeAlias = Mapping[str, Reference | None]
"""By fingerprint; None for an alert without an incident."""


class IncidentReferences:
    """Safe to use from several threads.

    An alert that fires, and for which its incident holds that it does, stays with that incident until a later
    transaction has ended it; when it fires again it may be attached to another, which :meth:`attached` says. A
    reader that still sees the state before must not put that back: :meth:`keep` takes only what was read while none was
    attached.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes = 0
        self._known: dict[str, Reference | None] = {}

    def attached(self, fingerprints: Collection[str]) -> None:
        """Some alerts may belong to other incidents from now on."""
        if fingerprints:
            with self._lock:
                self._changes += 1
                for fingerprint in fingerprints:
                    self._known.pop(fingerprint, None)

    def known(self) -> tuple[int, Known]:
        """What is known, and a mark for :meth:`keep`. Ask before the transaction reads anything."""
        with self._lock:
            return self._changes, dict(self._known)

    def keep(self, mark: int, known: Known) -> None:
        """Know these, and no others."""
        with self._lock:
            if mark == self._changes:
                self._known = dict(known)


def reference_to(incident: Incident) -> Reference:
    """What an alert's line says of an incident."""
    return Reference(incident.id, incident.reference)
