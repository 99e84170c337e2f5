"""The modules through which alerts go, with incidents or without: routing, delivery, supervision, purge."""

from collections.abc import Callable, Mapping

from eldonia_ops.alerting.receivers import Integration
from eldonia_ops.alerting.routing import Routing
from eldonia_ops.app.configuration import Configuration
from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.metrics import loop_metrics
from eldonia_ops.app.modules import Inert
from eldonia_ops.app.routing import Notifiers, TemplateRenderer
from eldonia_ops.ports import StateTransaction
from eldonia_ops.services.alerts.alerts import AlertService
from eldonia_ops.services.alerts.intake import AlertIntake
from eldonia_ops.services.alerts.posted import ActiveLimits
from eldonia_ops.services.api import RuleGroupView
from eldonia_ops.services.incidents.no_incidents import NoIncidents
from eldonia_ops.services.incidents.transactions import IncidentTransactions
from eldonia_ops.services.messages.delivery import DeliveryService, FindNotifier
from eldonia_ops.services.messages.notification_queue import NotificationQueue
from eldonia_ops.services.messages.receiver_trials import ReceiverTrials
from eldonia_ops.services.purge import PurgeService
from eldonia_ops.services.service_loop import Wakeup
from eldonia_ops.services.supervision import SupervisionService


class Router:
    """The services of routing and delivery. Without ``with_incidents`` alerts open none.

    ``find`` gives the notifiers, where they are not those of the configuration.
    """

    def __init__(self, base: Foundation, *, with_incidents: bool, find: FindNotifier | None = None) -> None:
        configuration = base.configuration
        self._kinds = base.kinds
        self.outbox, self.escalations = Wakeup(), Wakeup()
        self.queue = NotificationQueue(
            configuration.routing,
            self._renderer(configuration),
            external_url=configuration.external_url,
            language=configuration.settings.language,
        )
        self.incidents: IncidentTransactions | NoIncidents = NoIncidents()
        if with_incidents:
            self.incidents = IncidentTransactions(configuration.policy, self.queue, configuration.routing)
        self.intake = AlertIntake(
            base.clock,
            base.state,
            configuration.routing,
            self.incidents,
            self.queue,
            [self.outbox, self.escalations],
            base.loops,
        )
        self.notifiers = None if base.client is None else Notifiers(configuration.routing, base.client, base.kinds)
        find = find or (self.notifiers.find if self.notifiers else _no_notifier)
        self.trials = ReceiverTrials(base.kinds, find, self._renderer(configuration), configuration.settings.language)
        self.delivery = DeliveryService(base.clock, base.state, self.intake, find, self.outbox, base.loops)

    def follow(self, configuration: Configuration) -> Callable[[StateTransaction], None]:
        """What gives queue and incidents a configuration, within the transaction that moves the groups."""
        renderer = self._renderer(configuration)

        def work(_tx: StateTransaction) -> None:
            self.queue.reconfigure(
                configuration.routing,
                renderer,
                external_url=configuration.external_url,
                language=configuration.settings.language,
            )
            self.trials.reconfigure(renderer, configuration.settings.language)
            if isinstance(self.incidents, IncidentTransactions):
                self.incidents.reconfigure(configuration.policy, configuration.routing)

        return work

    def _renderer(self, configuration: Configuration) -> TemplateRenderer:
        return TemplateRenderer(configuration.templates, configuration.external_url, self._kinds)


def _no_notifier(_receiver: str, _integration: str, _index: int) -> None:
    """Nothing is delivered."""


def _posted_limits(configuration: Configuration) -> ActiveLimits:
    limits = configuration.settings.limits
    return ActiveLimits(limits.posted_alerts, limits.posted_alerts_token)


class RoutingModule(Inert):
    """Groups, inhibits, silences and queues; ends alerts whose source has fallen silent."""

    name = "routing"

    def __init__(
        self, base: Foundation, router: Router, rule_views: Callable[[], list[RuleGroupView]] = lambda: []
    ) -> None:
        self._base = base
        self._router = router
        self._routing: Routing | None = base.configuration.routing
        self.alerts = AlertService(
            base.clock,
            base.state,
            router.intake,
            rule_views,
            base.configuration.routing_text,
            base.kinds,
            router.trials,
            _posted_limits(base.configuration),
        )

    async def resume(self) -> None:
        """Route what is stored by the configuration as it is now."""
        await self._router.intake.resume()

    async def run(self) -> None:
        """Flush groups until cancelled."""
        await self._router.intake.run()

    async def close(self) -> None:
        """Stop taking in posted alerts."""
        await self._router.intake.close()

    async def apply(self, configuration: Configuration) -> None:
        """Move groups, receivers, templates and incident policy to another configuration at one instant."""
        router, routing = self._router, configuration.routing
        if routing == self._routing:
            await self._base.state.write(router.follow(configuration))
        else:
            before = router.intake.routing
            self._routing = None  # unknown until all of it is done
            # A message for a receiver that is new may be due before the others have heard of it.
            if router.notifiers is not None:
                router.notifiers.add(routing)
            await router.intake.reroute(routing, router.follow(configuration))
            if router.notifiers is not None:
                router.notifiers.replace(routing)
            await router.delivery.resume()
            kept = _integrations(routing)
            router.delivery.forget(one for key, one in _integrations(before).items() if key not in kept)
            router.intake.wake()
            self._routing = routing
        self.alerts.reconfigure(configuration.routing_text, _posted_limits(configuration))

    def metrics(self) -> Mapping[str, float]:
        """Posted alerts that wait, and groups that cannot be flushed."""
        intake = self._router.intake
        return {
            "eldonia_ops_posted_alerts_waiting": float(intake.waiting),
            "eldonia_ops_alert_groups_failing": float(len(intake.failing)),
            "eldonia_ops_alert_group_failures_total": float(intake.failures),
        }


def _integrations(routing: Routing) -> dict[str, Integration]:
    return {one.key: one for receiver in routing.receivers.values() for one in receiver.integrations}


class DeliveryModule(Inert):
    """Delivers what is in the outbox. Its receivers follow with the routing."""

    name = "delivery"

    def __init__(self, router: Router) -> None:
        self._delivery = router.delivery

    async def resume(self) -> None:
        """End alerts about receivers that are gone."""
        await self._delivery.resume()

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._delivery.run()

    async def close(self) -> None:
        """Stop what is under way."""
        await self._delivery.close()

    def metrics(self) -> Mapping[str, float]:
        """Attempts by integration and outcome."""
        return {
            f'eldonia_ops_notifications_total{{integration="{integration}",outcome="{outcome}"}}': float(value)
            for (integration, outcome), value in self._delivery.counts.items()
        }


class SupervisionModule(Inert):
    """Raises an alert about each loop that fails again and again."""

    name = "supervision"

    def __init__(self, base: Foundation, router: Router) -> None:
        self._base = base
        self.service = SupervisionService(base.clock, base.state, router.intake, base.loops)

    async def run(self) -> None:
        """Follow the loops until cancelled."""
        await self.service.run()

    def metrics(self) -> Mapping[str, float]:
        """The loops, and what the clock went through."""
        clock = self._base.clock
        set_back = {"eldonia_ops_clock_set_back_total": float(getattr(clock, "times_set_back", 0))}
        return {**set_back, **loop_metrics(self._base.loops)}


class PurgeModule(Inert):
    """Forgets what is finished and old."""

    name = "purge"

    def __init__(self, base: Foundation) -> None:
        kept = base.configuration.settings.retention.state
        self.service = PurgeService(base.clock, base.state, kept, base.loops)

    async def run(self) -> None:
        """Purge until cancelled."""
        await self.service.run()

    async def apply(self, configuration: Configuration) -> None:
        """Keep things for another time."""
        self.service.reconfigure(configuration.settings.retention.state)
