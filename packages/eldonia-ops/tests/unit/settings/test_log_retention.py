"""Rules of retention as settings write them, and what is said of those that cannot be."""

from pathlib import Path

import pytest

from eldonia_ops.model.errors import Diagnostic, Level
from eldonia_ops.settings import examine_settings
from eldonia_ops.settings.log_retention import LogRetentionRule
from eldonia_ops.settings.units import DAY


def examined(text: str) -> tuple[tuple[LogRetentionRule, ...], list[Diagnostic]]:
    settings, found = examine_settings(text, Path("/srv/eldonia-ops.yml"), {"HOME": "/home/hana"})
    return settings.retention.log_rules, found


def test_rules_by_age_and_size() -> None:
    rules, found = examined(
        "retention:\n  logs: 90d\n  log_rules:\n"
        "    - {name: debug, search: 'level:debug', keep: 3d}\n"
        "    - {name: all, max_size: 20GiB}\n"
    )
    assert found == []
    assert rules == (
        LogRetentionRule("debug", "level:debug", 3 * DAY),
        LogRetentionRule("all", "", 0, 20 << 30),
    )


@pytest.mark.parametrize(
    ("text", "line", "level", "message"),
    [
        ("{name: a}", 3, Level.ERROR, "needs keep or max_size"),
        ("{name: a, keep: 1h}", 3, Level.ERROR, "too short"),
        ("{name: a, keep: 36h}", 3, Level.WARNING, "keep becomes 2d"),
        ("{name: a, keep: 40d}", 3, Level.ERROR, "never deletes"),
        ("{name: a, keep: 3d, search: 'level:('}", 3, Level.ERROR, "search"),
        ("{name: a, max_size: 10KB}", 3, Level.ERROR, "smaller than 1MiB"),
        ("{name: a, keep: 3d}\n  - {name: a, keep: 4d}", 4, Level.ERROR, "two rules"),
    ],
)
def test_what_cannot_be_has_its_place(text: str, line: int, level: Level, message: str) -> None:
    _, found = examined(f"retention:\n  log_rules:\n  - {text}\n")
    assert [(one.line, one.level, message in one.message) for one in found] == [(line, level, True)], found
