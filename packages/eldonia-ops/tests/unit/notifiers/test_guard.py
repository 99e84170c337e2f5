import asyncio
import contextlib
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
        if self.act == "deaf":
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.sleep(1)
        if self.act == "hang":
            await asyncio.Event().wait()
        return self.act


class Speechless:
    def __str__(self) -> str:
        raise RuntimeError


def outgoing(payload: dict[str, Any] | None = None) -> Outgoing:
    return Outgoing(1, "k", "r", "pigeon", 0, "o", payload or {})


@pytest.mark.parametrize(
    ("act", "result", "detail", "retry_after"),
    [
        (Delivery(DeliveryResult.DELIVERED, "it flew"), "delivered", "it flew", 0),
        (Delivery(DeliveryResult.RETRY, "rain\nagain", 5_000), "retry", "rain again", 5_000),
        (RuntimeError("S3CRET"), "retry", "pigeons 1 failed with RuntimeError", 0),
        (SystemExit(1), "retry", "pigeons 1 failed with SystemExit", 0),
        (KeyboardInterrupt(), "retry", "pigeons 1 failed with KeyboardInterrupt", 0),
        (GeneratorExit(), "retry", "pigeons 1 failed with GeneratorExit", 0),
        (asyncio.CancelledError(), "retry", "pigeons 1 failed with CancelledError", 0),
        ("deaf", "retry", "pigeons 1 did not deliver within 0.05 s", 0),
        (Delivery(DeliveryResult.DELIVERED, "it flew", float("nan")), "delivered", "it flew", 0),  # type: ignore[arg-type]
        (Delivery(DeliveryResult.RETRY, "rain", "soon"), "retry", "rain", 0),  # type: ignore[arg-type]
        (Delivery(DeliveryResult.RETRY, Speechless(), -1), "retry", "", 0),  # type: ignore[arg-type]
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


async def test_a_delivery_that_is_cancelled_by_us_ends_what_the_plug_in_does() -> None:
    ended = asyncio.Event()

    class Waiting:
        async def deliver(self, outgoing: Outgoing) -> Any:
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

    task = asyncio.create_task(GuardedNotifier(Waiting(), "pigeons 1").deliver(outgoing()))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait({task}, timeout=1)
    assert task.cancelled()
    await asyncio.wait_for(ended.wait(), 1)


def test_payloads_are_what_the_outbox_keeps() -> None:
    assert checked_payload({"a": (1, 2), "b": {"c": None}}) == {"a": [1, 2], "b": {"c": None}}
    for wrong in ([], None, {"a": object()}, {1j: "a"}):
        with pytest.raises(TypeError):
            checked_payload(wrong)
