"""Fields of a record by path."""

import pytest

from eldonia_ops.pipeline.record_fields import field_of, steps_of


def test_fields() -> None:
    record = {"a": {"b": [1, {"c": 2}]}, "a.b": 3, "$": 4}
    assert field_of(record, "a.b") == 3
    assert field_of(record, "$.a.b[1].c") == 2
    assert field_of(record, "$['a']['b'][0]") == 1
    assert field_of(record, "$.a.x.y") is None
    assert field_of(record, "$.a.b[9]") is None
    assert steps_of("$.a-b['c d']") == ("a-b", "c d")
    with pytest.raises(ValueError, match="no path"):
        steps_of("$.a[")
