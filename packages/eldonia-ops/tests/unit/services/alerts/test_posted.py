"""How many alerts clients may keep active."""

from eldonia_ops.model.alerts import Alert
from eldonia_ops.model.labels import Labels
from eldonia_ops.services.alerts.posted import ActiveLimits, PostedAlerts


def some(name: str, numbers: range, severity: str = "warning", **times: int) -> list[Alert]:
    labels = ({"alertname": name, "n": str(number), "severity": severity} for number in numbers)
    return [Alert(Labels(one), **{"ends_at": 1_000, **times}) for one in labels]


def of(alerts: list[Alert]) -> set[str]:
    return {alert.fingerprint for alert in alerts}


def test_a_token_that_posts_without_end_costs_the_others_nothing() -> None:
    posted = PostedAlerts(ActiveLimits(total=10, token=4))
    taken, faults = posted.admit(some("a", range(6)), "noisy", 0, ())
    assert len(taken) == 4
    assert faults == ["2 alerts were left out: 4 alerts of this token are active, and no more are taken"]
    active = of(taken)
    assert posted.admit(taken, "noisy", 1, active) == (taken, []), "renewed"
    ends = some("a", range(5, 6), ends_at=1)
    assert posted.admit(ends, "noisy", 2, active) == (ends, [])
    page = some("page", range(1), "critical")
    assert posted.admit(page, "noisy", 2, active) == (page, []), "urgent ones on top"
    others = some("b", range(3))
    assert posted.admit(others, "quiet", 2, active) == (others, [])
    # What is over makes room.
    assert posted.admit(some("c", range(2), ends_at=90_000), "noisy", 70_000, set())[1] == []


def test_there_is_an_end_for_all_together() -> None:
    posted = PostedAlerts(ActiveLimits(total=5, token=100))
    active = of(some("old", range(5)))
    mixed = [*some("a", range(3)), *some("p", range(2), "page")]
    taken, faults = posted.admit(mixed, "any", 0, active)
    assert taken == mixed[3:]
    assert faults == ["3 alerts were left out: 5 alerts are active, and no more are taken"]


def test_alerts_that_wait_to_be_taken_in_count() -> None:
    posted = PostedAlerts(ActiveLimits(total=5, token=100))
    active = of(some("old", range(2)))
    assert posted.admit(some("a", range(2)), "any", 0, active)[1] == []
    taken, faults = posted.admit(some("b", range(3)), "any", 0, active)
    assert (len(taken), len(faults)) == (1, 1)
    # Two of them are active by now, and one never came to be.
    active |= of(some("a", range(2)))
    taken, faults = posted.admit(some("c", range(3), ends_at=90_000), "any", 60_000, active)
    assert (len(taken), len(faults)) == (1, 1)
