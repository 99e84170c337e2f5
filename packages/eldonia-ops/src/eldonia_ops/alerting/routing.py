"""Everything that decides who is notified about an alert, as one value."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from eldonia_ops.alerting.causes import Outages
from eldonia_ops.alerting.inhibition import InhibitRule
from eldonia_ops.alerting.notification_failed import FAILED_LABELS, failed_integration
from eldonia_ops.alerting.receivers import Integration, Receiver
from eldonia_ops.alerting.route import Route
from eldonia_ops.alerting.time_interval import TimeInterval


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing tree with what it refers to. ``resolve_timeout`` is ms.

    ``outages`` says which alerts are of one outage, so that one of them is sent; with None each is sent.
    """

    route: Route
    receivers: Mapping[str, Receiver]
    inhibit_rules: tuple[InhibitRule, ...] = ()
    time_intervals: Mapping[str, TimeInterval] = field(default_factory=dict)
    resolve_timeout: int = 300_000
    outages: Outages | None = None

    def routes(self, labels: Mapping[str, str]) -> list[Route]:
        """The routes that take an alert, in order.

        That an integration fails goes to the default receiver too, wherever the tree leads it: that may be to the
        very receiver that cannot be notified.
        """
        found = self.route.match(labels)
        if failed_integration(labels) and all(route.receiver != self.route.receiver for route in found):
            found.append(self.route)
        return found

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels that :meth:`routes` depends on."""
        matched = {matcher.name for route in self.route.walk() for matcher in route.matchers}
        return tuple(sorted({*matched, *FAILED_LABELS}))

    def integration(self, receiver: str, kind: str, index: int) -> Integration | None:
        """The integration of that key, or None when the configuration has none (any more)."""
        found = self.receivers.get(receiver)
        for integration in found.integrations if found else ():
            if (integration.kind, integration.index) == (kind, index):
                return integration
        return None
