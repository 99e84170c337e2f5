"""The profile of ``eldonia-ops alertmanager``: the router alone."""

from dataclasses import dataclass

from eldonia_ops.app.foundation import Foundation
from eldonia_ops.app.modules import Module
from eldonia_ops.app.router_modules import DeliveryModule, PurgeModule, Router, RoutingModule, SupervisionModule
from eldonia_ops.services.alerts.alerts import AlertService


@dataclass(frozen=True, slots=True)
class RouterAlone:
    """Routing and delivery: what ``eldonia-ops alertmanager`` runs."""

    modules: list[Module]
    router: Router
    alerts: AlertService


def alertmanager(base: Foundation) -> RouterAlone:
    """The router alone: alerts come from clients, open no incidents, and go to receivers."""
    router = Router(base, with_incidents=False)
    routing = RoutingModule(base, router)
    modules: list[Module] = [routing, DeliveryModule(router), SupervisionModule(base, router), PurgeModule(base)]
    return RouterAlone(modules, router, routing.alerts)
