"""Delivery to Slack, which reports failures with status 200 too.

Source: https://api.slack.com/messaging/webhooks#handling_errors
"""

import httpx

from eldonia_ops.http_client.credentials import UnresolvedError, resolve, shorten
from eldonia_ops.http_client.endpoint import classify, post
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.slack.config import SlackConfig
from eldonia_ops.ports import Delivery, DeliveryResult

# What another try may cure, in Slack's own words.
_PASSING = frozenset(
    {"rate_limited", "ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout",
     "team_added_to_org", "rollup_error"}
)  # fmt: skip


class SlackNotifier:
    """Delivers to one Slack address."""

    def __init__(self, config: SlackConfig, client: httpx.AsyncClient) -> None:
        self._config = config
        self._client = client

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Post the payload. Slack also reports failures with status 200: ``ok`` alone means delivered."""
        try:
            url = resolve(self._config.api_url, "Slack address")
        except UnresolvedError as error:
            return Delivery(DeliveryResult.RETRY, str(error))
        answer = await post(self._client, url, outgoing.payload, what="Slack", http=self._config.http, secrets=(url,))
        if isinstance(answer, Delivery):
            return answer
        delivery = classify(answer, "Slack", url)
        if delivery.result is not DeliveryResult.DELIVERED:
            return delivery
        said = answer.json if answer.headers.get("content-type", "").startswith("application/json") else None
        if isinstance(said, dict):
            error = "" if said.get("ok") is True else str(said.get("error") or "no reason given")
        else:
            error = "" if answer.text.strip() == "ok" else answer.text.strip() or "an empty answer"
        if not error:
            return Delivery(
                DeliveryResult.DELIVERED, f"Slack took it for {outgoing.payload.get('channel', 'its channel')}"
            )
        result = DeliveryResult.RETRY if error in _PASSING else DeliveryResult.REJECTED
        return Delivery(result, f"Slack refused it: {shorten(error, url, *answer.secrets)}")
