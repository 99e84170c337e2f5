"""What the business counts; every call also writes a business record."""

from typing import Any

from eldonia_telemetry import metrics
from eldonia_telemetry.logs import Logger

_log = Logger("business")


def order(order_id: object, *, user_id: object = None, **fields: Any) -> None:
    """An order was placed (``orders_total``)."""
    metrics.standard.orders.inc()
    _log.business("order_placed", user_id=user_id, metadata={"orderId": order_id, **fields})


def revenue(amount: float, currency: str, *, user_id: object = None, **fields: Any) -> None:
    """Money was taken, in the currency's main unit (``revenue_total{currency}``)."""
    metrics.standard.revenue.labels(currency).inc(amount)
    _log.business("revenue", user_id=user_id, metadata={"amount": amount, "currency": currency, **fields})


def signup(user_id: object, **fields: Any) -> None:
    """An account was created (``signups_total``)."""
    metrics.standard.signups.inc()
    _log.business("signup", user_id=user_id, metadata=fields or None)
