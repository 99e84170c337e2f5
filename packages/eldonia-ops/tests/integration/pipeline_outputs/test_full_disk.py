"""A buffer on a disk that is full refuses what has no room, whole, and goes on when there is room."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from required_tools import requires_tool

CHILD = Path(__file__).with_name("buffer_full_disk_child.py")


@requires_tool("unshare")
def test_what_was_taken_is_written_once_and_what_was_refused_was_not_taken(tmp_path: Path) -> None:
    namespace = ["unshare", "--user", "--map-root-user", "--mount"]
    mounting = [*namespace, "mount", "-t", "tmpfs", "tmpfs", str(tmp_path)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("this host lets a test mount nothing")
    child = subprocess.run(
        [*namespace, sys.executable, str(CHILD), str(tmp_path)],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    result = json.loads(child.stdout)
    assert any("No space left" in one for one in result["refusals"]), result["refusals"][:3]
    assert len(result["taken"]) > 4_000
    assert sorted(result["written"]) == result["taken"]
    assert result["broken"] == 0
