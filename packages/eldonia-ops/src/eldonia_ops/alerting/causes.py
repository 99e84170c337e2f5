"""Which firing alert is the cause of another one, so that one outage is one page.

Two alerts are of one outage when

* one is about a service that the other's service depends on, or both are about one declared service, which is one of
  ``services`` or has an objective;
* both are about one address, and one of them says that nothing answers there;
* one is about an error budget that burns, and the other about the same service or probe.

One of the two notifies, the other is suppressed as by an inhibit rule. Which one is decided by
:meth:`Causes.speaks_at`: by time, but what others depend on comes before them when both begin within the time that
a group waits for its first notification. The order is total, so alerts can never suppress each other in a circle, and
an alert that was sent is not suppressed by one that begins later. Only an alert of the same severity or a graver one
suppresses.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from eldonia_ops.model.alerts import Alert

OUTAGE_ALERTS: Final = ("TargetDown", "ProbeFailed")
"""Alerts that say that nothing answers at an address."""

BUDGET_ALERT: Final = "ErrorBudgetBurn"
SECURITY: Final = "security"
"""The service of security findings, which neither suppress nor are suppressed: none may hide another."""

TOGETHER_WAITS: Final = 2
"""Alerts that begin within so many times the wait of a group began together."""

_SEVERITIES: Final = {"critical": 3, "warning": 2, "info": 1}
_PORTS: Final = {"http": 80, "https": 443, "tls": 443, "postgresql": 5432, "postgres": 5432, "redis": 6379}
_LOCAL: Final = frozenset({"localhost", "::1"})
_LONGEST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Services:
    """Declared services, each with all others that it depends on and that depend on it, and how many levels of others
    lie below it."""

    upstream: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    downstream: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    levels: Mapping[str, int] = field(default_factory=dict[str, int])


def services_of(direct: Mapping[str, Iterable[str]]) -> Services:
    """What each service depends on directly, followed to the end.

    Raises:
        ValueError: services depend on each other in a circle, which the message names.
    """
    upstream: dict[str, frozenset[str]] = {}
    levels: dict[str, int] = {}
    needed = {name: tuple(needs) for name, needs in direct.items()}
    for name in list(needed):
        _follow(name, needed, upstream, levels)
    downstream = {name: frozenset(other for other, needs in upstream.items() if name in needs) for name in upstream}
    return Services(upstream, downstream, levels)


def _follow(
    name: str, needed: Mapping[str, Sequence[str]], upstream: dict[str, frozenset[str]], levels: dict[str, int]
) -> None:
    """Depth first, with a stack of our own: people may declare a long chain."""
    path: dict[str, Iterator[str]] = {name: iter(needed.get(name, ()))}
    while path:
        current = next(reversed(path))
        below = next(path[current], None)
        if below is None:
            needs = needed.get(current, ())
            upstream[current] = frozenset(needs).union(*(upstream[one] for one in needs))
            levels[current] = 1 + max((levels[one] for one in needs), default=-1)
            del path[current]
        elif below in path:
            circle = [*list(path)[list(path).index(below) :], below]
            raise ValueError(f"services depend on each other: {' -> '.join(circle)}")
        elif below not in upstream:
            path[below] = iter(needed.get(below, ()))


@dataclass(frozen=True, slots=True)
class Cause:
    """The firing alert because of which another one is suppressed, and what they share."""

    source: Alert
    reason: str


@dataclass(frozen=True, slots=True)
class Outages:
    """What decides which alerts are of one outage.

    ``wait`` is how long a group waits for its first notification, ms. ``budgets`` are the services that have an
    objective.
    """

    services: Services = field(default_factory=Services)
    wait: int = 30_000
    budgets: frozenset[str] = frozenset()


class Causes:
    """The alerts that fire at one instant, arranged for looking up the cause of one of them."""

    def __init__(self, outages: Outages, alerts: Iterable[Alert]) -> None:
        self._services = outages.services
        self._budgets = outages.budgets
        self._wait = outages.wait
        self._deepest = max(self._services.levels.values(), default=0)
        self._first: dict[tuple[str, str], list[Alert]] = {}
        for alert in alerts:
            for key in self._keys(alert):
                self._note(key, alert)

    def of(self, alert: Alert) -> list[Cause]:
        """Because of which alerts this one is suppressed, the first of them first."""
        if not self._first:
            return []
        own = self._order(alert)
        return [
            cause
            for cause in self.related(alert)
            if self._order(cause.source) < own and _gravity(cause.source) >= _gravity(alert)
        ]

    def leads(self, alert: Alert) -> bool:
        """Whether an alert is sent for others that fire already."""
        own = self._order(alert)
        related = self.related(alert)
        return bool(related) and all(own < self._order(cause.source) for cause in related)

    def related(self, alert: Alert) -> list[Cause]:
        """The alerts that are of one outage with this one, as far as they could suppress another; the first first."""
        if not self._first:  # a storm asks thousands of times
            return []
        found = {
            source.fingerprint: Cause(source, reason)
            for key, reason in self._related(alert)
            for source in self._first.get(key, ())
            if source.fingerprint != alert.fingerprint
        }
        return sorted(found.values(), key=lambda cause: self._order(cause.source))

    def companions(self, alert: Alert) -> list[Cause]:
        """Those of :meth:`related`, and alerts that may have a cause in common with this one, which is not known yet:
        of services behind one other, which began together. They are for finding an incident; none of them suppresses.
        """
        found = self.related(alert)
        seen = {alert.fingerprint, *(cause.source.fingerprint for cause in found)}
        service = _service(alert)
        for name in sorted(self._services.upstream.get(service, ())):
            for other in sorted(self._services.downstream.get(name, frozenset()) - {service}):
                for source in self._first.get(("service", other), ()):
                    together = abs(source.starts_at - alert.starts_at) <= TOGETHER_WAITS * self._wait
                    if together and source.fingerprint not in seen:
                        seen.add(source.fingerprint)
                        found.append(Cause(source, f"both depend on {name}"))
        return found

    def speaks_at(self, alert: Alert) -> float:
        """When an alert has its turn, Unix ms: its beginning, later by a part of ``wait`` for each level of services
        below its own, and by all of it for an error budget."""
        if alert.name == BUDGET_ALERT:
            return alert.starts_at + self._wait
        level = self._services.levels.get(_service(alert), 0)
        return alert.starts_at + self._wait * level / max(1, self._deepest)

    def _order(self, alert: Alert) -> tuple[float, bool, str]:
        """Of two at the same time, the probe says better what is broken for people."""
        return self.speaks_at(alert), alert.name != OUTAGE_ALERTS[1], alert.fingerprint

    def _note(self, key: tuple[str, str], alert: Alert) -> None:
        """Of each gravity the first two alerts are enough: one of them is not the alert that is asked about."""
        known = self._first.setdefault(key, [])
        known.append(alert)
        same = [other for other in known if _gravity(other) == _gravity(alert)]
        if len(same) > 2:
            known.remove(max(same, key=self._order))

    def _keys(self, alert: Alert) -> Iterator[tuple[str, str]]:
        """Under what an alert is found as a cause."""
        service, probe = _service(alert), alert.labels.get("probe", "")
        if service == SECURITY:
            return
        if alert.name == BUDGET_ALERT:
            yield "budget of service", service
            if probe:
                yield "budget of probe", probe
            return
        if self._declared(service) and alert.labels.get("severity") == "critical":
            yield "service", service
        if alert.name in OUTAGE_ALERTS:
            if address := address_of(alert):
                yield "outage at", address
            if probe:
                yield "outage of probe", probe

    def _related(self, alert: Alert) -> Iterator[tuple[tuple[str, str], str]]:
        """Where to look for the cause of an alert, each with what the two share."""
        service, probe, address = _service(alert), alert.labels.get("probe", ""), address_of(alert)
        if service == SECURITY:
            return
        budget = alert.name == BUDGET_ALERT
        for name in sorted(self._services.upstream.get(service, ())):
            yield ("service", name), f"{service} depends on {name}"
        if budget:
            if service:
                yield ("service", service), f"both are about {service}"
            if probe:
                yield ("outage of probe", probe), f"both are about the probe {probe}"
            return
        if self._declared(service):
            yield ("service", service), f"both are about {service}"
        for name in sorted(self._services.downstream.get(service, ())):
            yield ("service", name), f"{name} depends on {service}"
        if service in self._budgets:
            yield ("budget of service", service), f"both are about {service}"
        if probe and self._budgets:
            yield ("budget of probe", probe), f"both are about the probe {probe}"
        if address:
            yield ("outage at", address), f"both are about {address}"

    def _declared(self, service: str) -> bool:
        return service in self._services.upstream or service in self._budgets


def wanted_causes(outages: Outages, targets: Iterable[Alert]) -> list[dict[str, str]]:
    """What the alerts that are of one outage with any of these have in common: each carries all labels of at least one
    of the answers."""
    found: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
    for alert in targets:
        if _service(alert) != SECURITY:
            for labels in _wanted(outages, alert):
                found[tuple(sorted(labels.items()))] = labels
    return list(found.values())


def _wanted(outages: Outages, alert: Alert) -> Iterator[dict[str, str]]:
    services, service, probe = outages.services, _service(alert), alert.labels.get("probe", "")
    upstream = services.upstream.get(service, frozenset())
    related = upstream.union(services.downstream.get(service, ()), *(services.downstream[name] for name in upstream))
    related -= {service}
    if service and (alert.name == BUDGET_ALERT or service in services.upstream or service in outages.budgets):
        related |= {service}
    for name in sorted(related):
        yield {"service": name, "severity": "critical"}
    if alert.name == BUDGET_ALERT:
        if probe:
            for name in OUTAGE_ALERTS:
                yield {"alertname": name, "probe": probe}
        return
    if service in outages.budgets:
        yield {"alertname": BUDGET_ALERT, "service": service}
    if probe and outages.budgets:
        yield {"alertname": BUDGET_ALERT, "probe": probe}
    if ":" in alert.labels.get("instance", ""):
        # One address is written in many ways, so all of these are wanted. They are in few groups.
        for name in OUTAGE_ALERTS:
            yield {"alertname": name}


def address_of(alert: Alert) -> str:
    """Host and port that an alert's ``instance`` names, in one spelling; '' for what names no port."""
    text = alert.labels.get("instance", "")
    if not text or len(text) > _LONGEST:
        return ""
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, port = (parts.hostname or "").rstrip("."), parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return ""
    if not host or not port:
        return ""
    return f"{'127.0.0.1' if host in _LOCAL else host}:{port}"


def _service(alert: Alert) -> str:
    return alert.labels.get("service", "")


def _gravity(alert: Alert) -> int:
    return _SEVERITIES.get(alert.labels.get("severity", ""), 0)
