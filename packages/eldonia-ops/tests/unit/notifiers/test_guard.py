import asyncio
from typing import Any

import pytest

from eldonia_ops.model.alerts import Outgoing
from eldonia_ops.notifiers import guard
from eldonia_ops.notifiers.guard import GuardedNotifier, checked_payload, unrendered
from eldonia_ops.ports import Delivery, DeliveryResult


class Acting:
    def __init__(self, act: Any) -> None:
        self.act = act

    async def deliver(self, outgoing: Outgoing) -> Any:
        if isinstance(self.act, BaseException):
            raise self.act
        if self.act == "hang":
            await asyncio.Event().wait()
        return self.act


def outgoing(payload: dict[str, Any] | None = None) -> Outgoing:
    return Outgoing(1, "k", "r", "pigeon", 0, "o", payload or {})


@pytest.mark.parametrize(
    ("act", "result", "detail", "retry_after"),
    [
        (Delivery(DeliveryResult.DELIVERED, "it flew"), "delivered", "it flew", 0),
        (Delivery(DeliveryResult.RETRY, "rain\nagain", 5_000), "retry", "rain again", 5_000),
        (RuntimeError("S3CRET"), "retry", "pigeons 1 failed with RuntimeError", 0),
        (SystemExit(1), "retry", "pigeons 1 failed with SystemExit", 0),
        ("hang", "retry", "pigeons 1 did not deliver within 0.05 s", 0),
        (None, "rejected", "pigeons 1 does not say what became of the message", 0),
        (Delivery("flown"), "rejected", "pigeons 1 does not say what became of the message", 0),  # type: ignore[arg-type]
    ],
)
async def test_whatever_a_plug_in_does_there_is_an_outcome(
    monkeypatch: pytest.MonkeyPatch, act: Any, result: str, detail: str, retry_after: int
) -> None:
    monkeypatch.setattr(guard, "LONGEST_SECONDS", 0.05)
    found = await GuardedNotifier(Acting(act), "pigeons 1").deliver(outgoing())
    assert (found.result, found.detail, found.retry_after_ms) == (result, detail, retry_after)


async def test_a_message_that_could_not_be_rendered_is_rejected_with_the_reason() -> None:
    guarded = GuardedNotifier(Acting(RuntimeError()), "pigeons 1")
    assert await guarded.deliver(outgoing(unrendered("KeyError"))) == Delivery(DeliveryResult.REJECTED, "KeyError")


def test_payloads_are_what_the_outbox_keeps() -> None:
    assert checked_payload({"a": (1, 2), "b": {"c": None}}) == {"a": [1, 2], "b": {"c": None}}
    for wrong in ([], None, {"a": object()}, {1j: "a"}):
        with pytest.raises(TypeError):
            checked_payload(wrong)
