"""Attacks that show only in the sum of failed logins.

A failed login by itself is a typing error. From a stream of them this derives further events, which
then count in windows of their own like any others:

* many failures from one address: each is a ``brute_force_attempt`` of that address (``password_guessing``);
* many failures on one account from several addresses: each is a ``brute_force_attempt`` on that account
  (``distributed_guessing``), which no count per address would ever notice;
* one address trying account after account: each account beyond the first few is a
  ``suspicious_activity`` of that address (``credential_stuffing``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from eldonia_ops.model.security import SecurityEvent, SecurityEventType, SecuritySeverity
from eldonia_ops.security.severity import gravest


@dataclass(frozen=True, slots=True)
class DetectionLimits:
    """``ordinary_accounts`` is how many accounts one address may fail on within ``window_ms`` before
    further ones count (a family or an office shares an address). At most ``tracked`` addresses and as many
    accounts are remembered, the least recently seen forgotten first, each with ``kept`` counterparts."""

    window_ms: int = 600_000
    ordinary_accounts: int = 3
    tracked: int = 2_000
    kept: int = 32


@dataclass(frozen=True, slots=True)
class Seen:
    """Counterparts (accounts of an address, addresses of an account) with the instant of the last sight."""

    at: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DetectionState:
    """Who failed on what lately; both mappings are in order of last use."""

    accounts_of: dict[str, Seen] = field(default_factory=dict)
    addresses_of: dict[str, Seen] = field(default_factory=dict)


DEFAULT_LIMITS = DetectionLimits()


def step(
    state: DetectionState, event: SecurityEvent, limits: DetectionLimits = DEFAULT_LIMITS
) -> tuple[DetectionState, tuple[SecurityEvent, ...]]:
    """The state after an event, and the events derived from it. Ids derive from the event's own, so a
    repetition of the event repeats them and is recognised."""
    if event.type is not SecurityEventType.FAILED_LOGIN:
        return state, ()
    derived: list[SecurityEvent] = []
    account = event.user_id
    # Without an address the source is the account or the service, and failures count there already.
    if event.ip_address:
        address = event.source
        derived.append(_brute_force(event, address, "password_guessing"))
        if account:
            accounts_of, accounts, is_new = _see(state.accounts_of, address, account, event.at, limits)
            addresses_of, addresses, _ = _see(state.addresses_of, account, address, event.at, limits)
            state = DetectionState(accounts_of, addresses_of)
            if addresses > 1:
                derived.append(_brute_force(event, account, "distributed_guessing"))
            if is_new and accounts > limits.ordinary_accounts:
                derived.append(_stuffing(event, address, accounts))
    elif account:
        derived.append(_brute_force(event, account, "password_guessing"))
    return state, tuple(derived)


def _see(
    table: Mapping[str, Seen], key: str, counterpart: str, at: int, limits: DetectionLimits
) -> tuple[dict[str, Seen], int, bool]:
    """Note a sight; returns the table, how many counterparts the window holds, and whether this one is new in it."""
    before = table.get(key, Seen()).at
    recent = {name: seen for name, seen in before.items() if abs(at - seen) <= limits.window_ms}
    is_new = counterpart not in recent
    recent.pop(counterpart, None)
    recent[counterpart] = max(at, before.get(counterpart, at))
    while len(recent) > limits.kept:
        del recent[next(iter(recent))]
    changed = dict(table)
    changed.pop(key, None)
    changed[key] = Seen(recent)
    while len(changed) > limits.tracked:
        del changed[next(iter(changed))]
    return changed, len(recent), is_new


def _brute_force(event: SecurityEvent, source: str, pattern: str) -> SecurityEvent:
    return replace(
        event,
        id=f"{event.id}:{pattern}",
        type=SecurityEventType.BRUTE_FORCE_ATTEMPT,
        severity=gravest(event.severity, SecuritySeverity.MEDIUM),
        source=source,
        details={**event.details, "pattern": pattern, "derived_from": event.id},
    )


def _stuffing(event: SecurityEvent, source: str, accounts: int) -> SecurityEvent:
    return replace(
        event,
        id=f"{event.id}:credential_stuffing",
        type=SecurityEventType.SUSPICIOUS_ACTIVITY,
        severity=SecuritySeverity.HIGH,
        source=source,
        details={**event.details, "pattern": "credential_stuffing", "accounts": accounts, "derived_from": event.id},
    )
