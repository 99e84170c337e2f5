"""The shop's client of the payment gateway."""

import httpx

from eldonia_telemetry.integrations.httpx import TelemetryTransport


class GatewayError(RuntimeError):
    """The gateway did not do its work; nothing is known to be charged. ``code`` says how it failed."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class CardDeclinedError(RuntimeError):
    """The gateway works, and the card's bank said no."""


class Gateway:
    """Charges cards at ``url``; gives up after ``timeout`` seconds."""

    def __init__(self, url: str, timeout: float = 2.0) -> None:
        self._client = httpx.Client(
            base_url=url, timeout=timeout, transport=TelemetryTransport(httpx.HTTPTransport(trust_env=False))
        )

    def charge(self, order_id: int, amount_yen: int, card_number: str) -> str:
        """Charge once, however often this is called for an order; returns the charge's id.

        Raises:
            CardDeclinedError: the bank said no.
            GatewayError: no answer in time, no connection, or an answer that is none.
        """
        try:
            response = self._client.post(
                "/charge",
                json={"amount": amount_yen, "currency": "JPY", "card": {"number": card_number}},
                headers={"Idempotency-Key": f"order-{order_id}"},
            )
        except httpx.TimeoutException as error:
            raise GatewayError("the payment gateway did not answer in time", "timeout") from error
        except httpx.HTTPError as error:
            raise GatewayError(f"the payment gateway is not reachable: {error}", "unreachable") from error
        if response.status_code == 402:
            raise CardDeclinedError
        if response.status_code != 201:
            raise GatewayError(
                f"the payment gateway answered HTTP {response.status_code}", f"http_{response.status_code}"
            )
        try:
            return str(response.json()["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise GatewayError("the payment gateway's answer makes no sense", "bad_answer") from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
