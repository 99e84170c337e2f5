"""Delivery to an incoming webhook of Microsoft Teams.

A connector takes a message with status 200 and may report in the body that Teams refused it:
https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
"""

import re
from typing import Final

import httpx

from eldonia_ops.alerting.http_config import Credential, HttpConfig
from eldonia_ops.http_client.credentials import UnresolvedError, resolve, shorten
from eldonia_ops.http_client.endpoint import classify, post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.ports import Delivery, DeliveryResult

_REFUSED: Final = re.compile(r"HTTP error (\d{3})")


class TeamsNotifier:
    """Delivers to one address."""

    def __init__(self, url: Credential, http: HttpConfig, client: httpx.AsyncClient) -> None:
        self._url = url
        self._http = http
        self._client = client

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Post the card."""
        try:
            url = resolve(self._url, "Microsoft Teams address")
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        answer = await post(
            self._client, url, outgoing.payload, what="Microsoft Teams", http=self._http, secrets=(url,)
        )
        if isinstance(answer, Delivery):
            return answer
        delivery = classify(answer, "Microsoft Teams", url)
        refused = _REFUSED.search(answer.text)
        if delivery.result is not DeliveryResult.DELIVERED or refused is None:
            return delivery
        status = int(refused[1])
        result = DeliveryResult.RETRY if status in (408, 425, 429) or status >= 500 else DeliveryResult.REJECTED
        return Delivery(result, f"Microsoft Teams refused it: {shorten(answer.text, url, *answer.secrets)}")
