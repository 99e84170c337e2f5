from eldonia_ops.incidents.metrics import measure, report, response_target_met, time_to_acknowledge, time_to_resolve
from eldonia_ops.model.incidents import Incident, IncidentStatus, Severity

MINUTE = 60_000


def incident(severity=Severity.CRITICAL, **fields):
    return Incident("i", 1, "t", "", severity, IncidentStatus.OPEN, "shop", **fields)


def test_mean_and_median():
    found = measure(
        [
            incident(
                started_at=1 * MINUTE, detected_at=2 * MINUTE, acknowledged_at=4 * MINUTE, resolved_at=12 * MINUTE
            ),
            incident(
                started_at=1 * MINUTE, detected_at=4 * MINUTE, acknowledged_at=5 * MINUTE, resolved_at=24 * MINUTE
            ),
            incident(started_at=1 * MINUTE, detected_at=12 * MINUTE),
        ],
        now=13 * MINUTE,
    )
    assert (found.incidents, found.resolved) == (3, 2)
    assert (found.mttd.count, found.mttd.mean, found.mttd.median) == (3, 5 * MINUTE, 3 * MINUTE)
    assert (found.mtta.count, found.mtta.mean) == (2, 1.5 * MINUTE)
    assert (found.mttr.mean, found.mttr.median) == (15 * MINUTE, 15 * MINUTE)
    assert measure([], 0).mttr.mean is None


def test_targets():
    kept = incident(detected_at=1, respond_by=100, acknowledged_at=100)
    late = incident(detected_at=1, respond_by=100, acknowledged_at=101)
    open_ = incident(detected_at=1, respond_by=100)
    mended = incident(detected_at=1, respond_by=100, resolved_at=50)
    low = incident(Severity.LOW, detected_at=1)
    assert [response_target_met(item, 99) for item in (kept, late, open_, mended, low)] == [
        True,
        False,
        None,
        None,
        None,
    ]
    assert response_target_met(open_, 101) is False
    assert response_target_met(mended, 1000) is None
    found = measure([kept, late, open_, mended, low], 101)
    assert (found.targets_met, found.targets_missed) == (1, 2)


def test_after_reopening_the_response_counts_from_there():
    assert time_to_acknowledge(incident(detected_at=10, reopened_at=1000, acknowledged_at=1200)) == 200


def test_the_time_in_which_an_end_is_only_watched_is_not_time_to_resolve():
    healed = incident(detected_at=10, recovered_at=500, resolved_at=860)
    by_hand = incident(detected_at=10, resolved_at=860)
    under_way = incident(detected_at=10, recovered_at=500)
    assert [time_to_resolve(item) for item in (healed, by_hand, under_way)] == [490, 850, None]


def test_report_by_severity():
    rows = report([incident(detected_at=5, resolved_at=9), incident(Severity.LOW, detected_at=5)], 10)
    assert rows["all"]["incidents"] == 2
    assert rows["by_severity"]["critical"]["mttr"] == {"count": 1, "mean": 4.0, "median": 4.0}
    assert rows["by_severity"]["medium"]["incidents"] == 0
