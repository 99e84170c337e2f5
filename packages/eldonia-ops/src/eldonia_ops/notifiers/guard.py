"""Notifiers of plug-ins, held to their contract: whatever they do, the others go on."""

import asyncio
import logging
from typing import Any, Final

import msgspec

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers.http.credentials import shorten
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
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                delivery: Any = await self._notifier.deliver(outgoing)
        except TimeoutError:
            return Delivery(DeliveryResult.RETRY, f"{self._origin} did not deliver within {LONGEST_SECONDS:g} s")
        except (Exception, SystemExit) as error:
            log.exception("the plug-in %s failed to deliver to %s", self._origin, outgoing.receiver)
            return Delivery(DeliveryResult.RETRY, f"{self._origin} failed with {type(error).__name__}")
        if not isinstance(delivery, Delivery) or not isinstance(delivery.result, DeliveryResult):
            log.error("the plug-in %s returned no Delivery", self._origin)
            return Delivery(DeliveryResult.REJECTED, f"{self._origin} does not say what became of the message")
        return Delivery(delivery.result, shorten(str(delivery.detail)), max(0, int(delivery.retry_after_ms or 0)))
