"""Integrations that this program lacks: every delivery fails at once, with the reason."""

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.ports import Delivery, DeliveryResult


class UndeliverableNotifier:
    """Rejects, so that the ledger says why and a critical message raises NotificationFailed without delay."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Deliver nothing."""
        del outgoing
        return Delivery(DeliveryResult.REJECTED, self._reason)
