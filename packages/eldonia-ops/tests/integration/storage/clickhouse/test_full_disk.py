"""What the disk has no room for is refused, whole, and can be sent again."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from required_tools import requires_tool

CHILD = Path(__file__).with_name("full_disk_child.py")


def run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@requires_tool("unshare")
def test_an_insert_that_a_full_disk_refuses_is_completed_by_another_try_and_doubles_nothing(tmp_path: Path) -> None:
    """An insert into several days has a part for each. Those that were there when the disk got full stay, and the next
    try, by the same token, adds the others: the journal tries until all are there."""
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    allowed = run([*namespace, "mount", "-t", "tmpfs", "tmpfs", tmp_path])
    if allowed.returncode:
        pytest.skip(f"this host lets a test mount nothing: {allowed.stderr}")
    child = run([*namespace, sys.executable, CHILD, tmp_path])
    assert child.returncode == 0, child.stderr
    attempts = defaultdict(list)
    for line in child.stdout.splitlines():
        attempt = json.loads(line)
        attempts[attempt["table"]].append(attempt)
    assert set(attempts) == {"samples", "logs"}
    for tried in attempts.values():
        *refused, acknowledged = tried
        assert acknowledged["rows"] == acknowledged["of"], acknowledged
        # One file more each time, and every insert takes several: the disk got full in each of them.
        assert len(refused) > 2 * acknowledged["of"]
        there = [attempt["rows"] for attempt in tried]
        assert there == sorted(there), "what is there stays"
        assert refused[0]["rows"] == 0
        assert all("No space left" in attempt["error"] for attempt in refused), refused
