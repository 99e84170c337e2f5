"""Notifiers of plug-ins, held to their contract: whatever they do, the others go on."""

import asyncio
import logging
from typing import Any, Final

import msgspec

from eldonia_ops.http_client.credentials import shorten
from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.ports import Delivery, DeliveryResult, Notifier

log = logging.getLogger("eldonia_ops.notifiers")

LONGEST_SECONDS: Final = 60.0
"""A delivery that hangs would hold a place among those that run at once."""

_UNRENDERED: Final = "eldonia_ops_unrendered"


def checked_payload(payload: Any) -> dict[str, Any]:
    """A payload as the outbox can keep it.

    Raises:
        TypeError: it is not a mapping of what JSON knows.
    """
    if not isinstance(payload, dict):
        raise TypeError(f"a payload is a dict, not {type(payload).__name__}")
    # What comes back from the outbox is what JSON makes of it, so the pages and the first attempt see that too.
    return msgspec.json.decode(msgspec.json.encode(payload), type=dict[str, Any])


def unrendered(reason: str) -> dict[str, Any]:
    """The payload of a message that could not be rendered; delivering it fails with the reason."""
    return {_UNRENDERED: reason}


class GuardedNotifier:
    """Delivers by another one, within a time limit. What that raises is logged, and the message is tried again."""

    def __init__(self, notifier: Notifier, origin: str) -> None:
        self._notifier = notifier
        self._origin = origin

    async def deliver(self, outgoing: Outgoing) -> Delivery:
        """Deliver; never raises."""
        if _UNRENDERED in outgoing.payload:
            return Delivery(DeliveryResult.REJECTED, str(outgoing.payload[_UNRENDERED]))
        task = asyncio.create_task(self._attempt(outgoing))
        try:
            # Not asyncio.timeout: it would wait for one that does not let itself be cancelled.
            await asyncio.wait({task}, timeout=LONGEST_SECONDS)
        finally:
            task.cancel()
        if not task.done():
            return Delivery(DeliveryResult.RETRY, f"{self._origin} did not deliver within {LONGEST_SECONDS:g} s")
        delivery = task.result()
        if isinstance(delivery, BaseException):
            log.error("the plug-in %s failed to deliver to %s", self._origin, outgoing.receiver, exc_info=delivery)
            return Delivery(DeliveryResult.RETRY, f"{self._origin} failed with {type(delivery).__name__}")
        if not isinstance(delivery, Delivery) or not isinstance(delivery.result, DeliveryResult):
            log.error("the plug-in %s returned no Delivery", self._origin)
            return Delivery(DeliveryResult.REJECTED, f"{self._origin} does not say what became of the message")
        return Delivery(delivery.result, _text(delivery.detail), _milliseconds(delivery.retry_after_ms))

    async def _attempt(self, outgoing: Outgoing) -> Any:
        try:
            return await self._notifier.deliver(outgoing)
        except BaseException as error:  # noqa: BLE001 - returned, since some kinds would end the event loop
            return error


def _text(detail: Any) -> str:
    try:
        return shorten(str(detail))
    except Exception:  # noqa: BLE001 - whatever a plug-in's __str__ does: what became of the message counts
        return ""


def _milliseconds(pause: Any) -> int:
    try:
        return max(0, int(pause or 0))
    except (TypeError, ValueError, OverflowError):
        return 0
