import math

from eldonia_ops.collectors.failure_info import FailureSamples, reason_of
from eldonia_ops.model.labels import Labels


def test_a_reason_lasts_as_long_as_it_is_the_reason() -> None:
    failures = FailureSamples(Labels({"job": "shop", "instance": "a:1"}))
    assert failures.of("", 1) == ()
    [first] = failures.of("connection refused", 2)
    assert (first.value, first.labels.get("reason"), first.labels.get("instance")) == (1.0, "connection refused", "a:1")
    [again] = failures.of("connection refused", 3)
    assert (again.labels, again.value) == (first.labels, 1.0)
    ended, other = failures.of("no answer within 5 s", 4)
    assert ended.labels == first.labels
    assert math.isnan(ended.value)
    assert other.labels.get("reason") == "no answer within 5 s"
    [over] = failures.of("", 5)
    assert (over.labels, math.isnan(over.value)) == (other.labels, True)
    assert failures.of("", 6) == ()


def test_a_reason_is_one_short_line() -> None:
    assert reason_of("a\n  b\tc") == "a b c"
    assert len(reason_of("x" * 5_000)) == 200
