"""Delivery to a webhook."""

import httpx

from eldonia_ops.http_client.credentials import UnresolvedError, resolve
from eldonia_ops.http_client.endpoint import TIMEOUT_SECONDS, classify, post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.webhook.config import WebhookConfig
from eldonia_ops.ports import Delivery, DeliveryResult


class WebhookNotifier:
    """Delivers to one address."""

    def __init__(self, config: WebhookConfig, client: httpx.AsyncClient) -> None:
        self._config = config
        self._client = client

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Post the payload, with the notification's key so that the receiver can recognise a repetition."""
        try:
            url = resolve(self._config.url, "webhook address")
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        seconds = self._config.timeout / 1_000 or TIMEOUT_SECONDS
        answer = await post(
            self._client,
            url,
            outgoing.payload,
            what="the webhook",
            http=self._config.http,
            timeout_seconds=min(seconds, 60.0),
            headers={"Idempotency-Key": outgoing.idempotency_key},
            secrets=(url,),
        )
        return answer if isinstance(answer, Delivery) else classify(answer, "the webhook", url)
