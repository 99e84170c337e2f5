"""Asks somebody else to restart, by an HTTP request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import ActuatorError


@dataclass(frozen=True, slots=True)
class WebhookActuator:
    """Implements :class:`eldonia_ops.ports.Actuator`: a request that is answered 2xx counts as done.

    The body is ``body`` as JSON; by default ``{"action": "restart", "service": service}``.
    """

    url: Secret
    service: str
    method: str = "POST"
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    timeout_ms: int = 30_000

    async def restart(self) -> str:
        """Send the request.

        Raises:
            ActuatorError: no answer in time, or one that is not 2xx.
        """
        seconds = self.timeout_ms / 1000
        headers = {name: value.reveal() if isinstance(value, Secret) else value for name, value in self.headers.items()}
        body = dict(self.body) if self.body is not None else {"action": "restart", "service": self.service}
        try:
            async with httpx.AsyncClient(timeout=seconds, trust_env=False) as client:
                answer = await client.request(self.method, self.url.reveal(), headers=headers, json=body)
        except httpx.TimeoutException:
            raise ActuatorError(f"the webhook did not answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # httpx names the host at most; the URL may hold a token and is not repeated here.
            raise ActuatorError(f"the webhook cannot be reached: {type(error).__name__}") from None
        if not answer.is_success:
            raise ActuatorError(f"the webhook answered HTTP {answer.status_code}: {answer.text[:300]}")
        return f"asked the webhook to restart {self.service} (HTTP {answer.status_code})"
