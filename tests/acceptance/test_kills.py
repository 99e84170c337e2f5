"""``scripts/kills.py`` with few kills: what is acknowledged is there once. Outside of CI it is run with a hundred."""

import json
import os
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "scripts" / "kills.py"
ROUNDS = os.environ.get("ELDONIA_KILLS", "3")
WITHOUT_RECEIPTS = ("syslog",)


def test_nothing_is_lost_and_nothing_is_there_twice() -> None:
    """All ways in at once: each kill is one of each."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--rounds", ROUNDS, "--pause", "0.3"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(results) >= 13
    for one in results:
        assert (one["twice"], one["kills"]) == (0, int(ROUNDS)), one
        assert not one["lost"] or one["way"] in WITHOUT_RECEIPTS, one
        assert one["acknowledged"] > 100, one
