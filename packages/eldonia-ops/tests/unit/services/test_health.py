"""The state of the platform itself."""

from pathlib import Path

from eldonia_ops.services import health
from eldonia_ops.services.loops import Loops
from eldonia_ops.services.metric_declarations import DELIVERY


def test_what_fails_comes_first_and_a_success_is_dated() -> None:
    now = [1_000]
    loops = Loops(lambda: now[0])
    quiet, delivery, rule = loops.watch("quiet"), loops.watch("delivery"), loops.item("rule A")
    delivery.failed(OSError("hunter2"))
    for _ in range(3):
        rule.failed(ValueError())
    now[0] = 2_000
    quiet.succeeded()
    found = health.loop_views(loops)
    assert [(one.name, one.failing, one.in_row, one.error, one.succeeded_at) for one in found] == [
        ("rule A", True, 3, "ValueError", 0),
        ("delivery", False, 1, "OSError", 0),
        ("quiet", False, 0, "", 2_000),
    ]
    delivery.succeeded()
    rule.succeeded()
    # An item is known only while it fails; a loop stays, with its failures.
    assert [(one.name, one.failures) for one in health.loop_views(loops)] == [("delivery", 1), ("quiet", 0)]


def test_an_item_of_the_name_of_a_loop_does_not_make_the_loop_forgotten() -> None:
    loops = Loops()
    loops.watch("scrape shop")
    item = loops.item("scrape shop")
    item.failed(OSError())
    item.succeeded()
    assert [one.name for one in loops.all()] == ["scrape shop"]


def test_only_what_happened_has_a_duration() -> None:
    loops = Loops()
    assert health.duration_views(loops) == ()
    loops.metrics.observe(DELIVERY, 0.3, "slack")
    (one,) = health.duration_views(loops)
    assert (one.name, one.labels, one.count) == (DELIVERY, {"integration": "slack"}, 1)
    assert one.p50 is not None
    assert 0.25 < one.p50 <= 0.5


def test_the_disk_and_the_files_of_the_data_folder(tmp_path: Path) -> None:
    assert health.disk_view(None) is None
    assert health.disk_view(tmp_path / "none") is None
    disk = health.disk_view(tmp_path)
    assert disk is not None
    assert 0 < disk.free <= disk.total
    assert health.file_sizes(tmp_path) == {}
    (tmp_path / "state.db").write_bytes(b"x" * 10)
    (tmp_path / "state.db-wal").write_bytes(b"x" * 5)
    (tmp_path / "wal").mkdir()
    (tmp_path / "wal" / "1").write_bytes(b"x" * 7)
    assert health.file_sizes(tmp_path) == {"state": 15, "wal": 7}


def test_statistics_that_lack_something_are_shown_as_far_as_they_go() -> None:
    assert health.stored_views({"logs": {"rows": 1, "bytes": 2, "parts": 3}})[0].rows == 1
    assert health.stored_views({}) == ()
    assert set(health.versions({})) == {"eldonia-ops", "Python", "SQLite"}
    assert health.versions({"version": "26.9.1"})["ClickHouse"] == "26.9.1"
