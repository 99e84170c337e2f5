"""Asks another service to restart, by an HTTP request."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import msgspec

from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import ActuatorError

_ANSWER_BYTES: Final = 2_000


@dataclass(frozen=True, slots=True)
class WebhookActuator:
    """Implements :class:`eldonia_ops.ports.Actuator`: a request that is answered 2xx counts as done.

    The body is ``body`` as JSON; by default ``{"action": "restart", "service": service}``. A redirect is
    not followed, since what is asked for must not be asked of another server.
    """

    url: Secret
    service: str
    method: str = "POST"
    headers: Mapping[str, Secret] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    timeout_ms: int = 30_000

    async def restart(self) -> str:
        """Send the request.

        Raises:
            ActuatorError: no answer in time, or one that is not 2xx.
        """
        seconds = self.timeout_ms / 1000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "eldonia-ops",
            "Accept-Encoding": "identity",
            **{name: value.reveal() for name, value in self.headers.items()},
        }
        body = dict(self.body) if self.body is not None else {"action": "restart", "service": self.service}
        try:
            async with (
                asyncio.timeout(seconds),
                httpx.AsyncClient(timeout=None, trust_env=False) as client,  # noqa: S113 - the whole has a limit above
                client.stream(
                    self.method, self.url.reveal(), headers=headers, content=msgspec.json.encode(body)
                ) as answer,
            ):
                said = "" if answer.is_success else self._masked(await _beginning(answer))
        except TimeoutError:
            raise ActuatorError(f"the webhook did not answer within {seconds:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            # httpx names the host at most; the URL may hold a token and is not repeated here.
            raise ActuatorError(f"the webhook cannot be reached: {type(error).__name__}") from None
        if not answer.is_success:
            raise ActuatorError(f"the webhook answered HTTP {answer.status_code}" + (f": {said}" if said else ""))
        return f"asked the webhook to restart {self.service} (HTTP {answer.status_code})"

    def _masked(self, text: str) -> str:
        """An answer may repeat what it was sent."""
        url = self.url.reveal()
        for secret in (url, httpx.URL(url).raw_path.decode(), *(value.reveal() for value in self.headers.values())):
            if len(secret) > 1:
                text = text.replace(secret, "<secret>")
        return " ".join(text.split())[:300]


async def _beginning(answer: httpx.Response) -> str:
    text = b""
    async for piece in answer.aiter_raw():
        text += piece
        if len(text) >= _ANSWER_BYTES:
            break
    return text[:_ANSWER_BYTES].decode("utf-8", "replace")
