import pytest

from eldonia_ops.model.condition_fields import log_value
from eldonia_ops.model.conditions import FieldName
from eldonia_ops.model.logs import LogRecord


@pytest.mark.parametrize(
    ("name", "value"),
    [("host", "web-1"), ("host.name", "web-1"), ("app", "shop"), ("logger", "shop.pay"), ("action", "buy")],
)
def test_what_became_a_field_is_found_by_the_name_that_was_written(name: str, value: str) -> None:
    record = LogRecord(
        timestamp_ns=1, message="m", hostname="web-1", service="shop", component="shop.pay", operation="buy"
    )
    assert log_value(record, FieldName(tuple(name.split(".")))) == value


def test_an_attribute_of_the_name_counts_first() -> None:
    record = LogRecord(timestamp_ns=1, message="m", hostname="web-1", metadata={"host": "other"})
    assert log_value(record, FieldName(("host",))) == "other"
