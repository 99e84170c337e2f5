"""A message that is not about a group of alerts: an escalation, a recovery, a status."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    """What to tell, for every kind of receiver.

    ``severity`` is one of the incident severities; ``links`` are ``(text, address)``. ``dedup_key``
    names the matter, so that a later message with ``resolved`` closes what an earlier one opened.
    """

    title: str
    text: str
    severity: str = "high"
    links: tuple[tuple[str, str], ...] = ()
    dedup_key: str = ""
    resolved: bool = False
