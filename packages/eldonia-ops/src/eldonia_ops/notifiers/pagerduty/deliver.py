"""Delivery to PagerDuty's Events API v2.

Error codes: https://developer.pagerduty.com/docs/events-api-v2-overview
"""

import httpx

from eldonia_ops.http_client.credentials import UnresolvedError, resolve
from eldonia_ops.http_client.endpoint import classify, post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.pagerduty.config import PagerDutyConfig
from eldonia_ops.ports import Delivery, DeliveryResult


class PagerDutyNotifier:
    """Delivers to one PagerDuty service."""

    def __init__(self, config: PagerDutyConfig, client: httpx.AsyncClient) -> None:
        self._config = config
        self._client = client

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Send the event with its routing key."""
        try:
            key = resolve(self._config.routing_key, "PagerDuty routing key")
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        event = {**outgoing.payload, "routing_key": key}
        answer = await post(
            self._client, self._config.url, event, what="PagerDuty", http=self._config.http, secrets=(key,)
        )
        return answer if isinstance(answer, Delivery) else classify(answer, "PagerDuty", key)
