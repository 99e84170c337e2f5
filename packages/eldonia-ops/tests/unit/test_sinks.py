"""Receipts add up."""

from eldonia_ops.sinks import Receipt, RefusedItem


def test_a_receipt_counts_by_reason() -> None:
    receipt = Receipt(5, (RefusedItem(0, "late"), RefusedItem(3, "early"), RefusedItem(4, "late")))
    assert receipt.stored == 2
    assert receipt.by_reason == {"late": 2, "early": 1}
    assert Receipt(3).stored == 3
    assert not Receipt(3).by_reason
