"""What a policy says of the age at which documents are deleted."""

from typing import Any

import pytest

from eldonia_ops.protocols.elasticsearch.errors import ElasticsearchError
from eldonia_ops.protocols.elasticsearch.lifecycles import (
    check_state_policy,
    deletion_age_ms,
    duration_ms,
    state_deletion_age_ms,
    state_policy_patterns,
)

DAY = 86_400_000


def test_durations() -> None:
    assert [duration_ms(text) for text in ("7d", "2h", "3m", "4s", "5ms", "0", 0)] == [
        7 * DAY, 7_200_000, 180_000, 4_000, 5, 0, 0,
    ]  # fmt: skip
    for bad in ("7", "d", "1w", "", None, "１d", "9999999999d"):
        with pytest.raises(ElasticsearchError):
            duration_ms(bad)


@pytest.mark.parametrize(
    ("delete", "age"),
    [
        ({"min_age": "7d", "actions": {"delete": {}}}, 7 * DAY),
        ({"actions": {"delete": {}}}, 0),
        ({"min_age": "7d"}, 7 * DAY),
        ({"min_age": "7d", "actions": {"wait_for_snapshot": {"policy": "x"}}}, None),
        (None, None),
    ],
)
def test_the_phase_that_deletes(delete: Any, age: int | None) -> None:
    assert deletion_age_ms({"policy": {"phases": {"hot": {}, **({"delete": delete} if delete else {})}}}) == age


def policy(*states: Any, **more: Any) -> dict[str, Any]:
    return {"policy": {"states": list(states), **more}}


def test_states() -> None:
    gone = {"name": "gone", "actions": [{"delete": {}}]}
    hot = {"name": "hot", "transitions": [{"state_name": "gone", "conditions": {"min_index_age": "3d"}}]}
    assert state_deletion_age_ms(policy(hot, gone)) == 3 * DAY
    assert state_deletion_age_ms(policy(gone)) == 0
    assert state_deletion_age_ms(policy(hot)) is None
    by_size = {"name": "hot", "transitions": [{"state_name": "gone", "conditions": {"min_size": "5gb"}}]}
    assert state_deletion_age_ms(policy(by_size, gone)) is None
    template = {"index_patterns": ["a-*", "b"], "priority": 1}
    assert state_policy_patterns(policy(ism_template=template)) == ["a-*", "b"]
    assert state_policy_patterns(policy(ism_template=[template, 5, {}])) == ["a-*", "b"]
    for bad in ({}, policy(), policy({"name": "a", "actions": [{"snapshot": {}}]})):
        with pytest.raises(ElasticsearchError):
            check_state_policy("p", bad)
