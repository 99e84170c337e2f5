"""What the platform does to the world outside of its stores, and the clock by which it does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from eldonia_ops.model.alerts import Outgoing


class Clock(Protocol):
    """Where services take the time from; tests hand in one that they can move."""

    def now(self) -> int:
        """The current instant, Unix milliseconds."""
        ...

    async def sleep_until(self, at: int) -> None:
        """Return once ``now() >= at``, or earlier when the clock is set back: the caller has to check again."""
        ...


class DeliveryResult(StrEnum):
    """What became of one attempt to deliver."""

    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Delivery:
    """The outcome of one attempt. ``retry_after_ms`` is the far side's wish (``Retry-After``), 0 for none."""

    result: DeliveryResult
    detail: str = ""
    retry_after_ms: int = 0


class Notifier(Protocol):
    """Delivers one rendered notification. Never raises for what the far side does; has a time limit of its own."""

    async def deliver(self, outgoing: Outgoing) -> Delivery: ...


class ActuatorError(RuntimeError):
    """An action that could not be performed; the message says why."""


class Actuator(Protocol):
    """Restarts one thing that the platform is allowed to restart."""

    async def restart(self) -> str:
        """Restart and return what was done, in a sentence.

        Raises:
            ActuatorError: the restart could not be performed.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One look at an endpoint from outside. ``detail`` explains a failure in a few words."""

    success: bool
    duration_seconds: float
    status_code: int = 0
    detail: str = ""
    phases: Mapping[str, float] = field(default_factory=dict)
    certificate_expires_at: int = 0


class Prober(Protocol):
    """Looks at one endpoint. Never raises for what the endpoint does; has a time limit of its own."""

    async def probe(self) -> ProbeResult: ...
