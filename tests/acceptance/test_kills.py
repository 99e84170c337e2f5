"""``scripts/kills.py`` with few kills: what is acknowledged is there once. Outside of CI it is run with a hundred."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "kills.py"
ROUNDS = os.environ.get("ELDONIA_KILLS", "3")


@pytest.mark.parametrize("way", ["tail", "buffered", "source"])
def test_nothing_is_lost_and_nothing_is_there_twice(way: str) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), way, "--rounds", ROUNDS], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(done.stdout)
    assert (result["lost"], result["twice"], result["kills"]) == (0, 0, int(ROUNDS))
    assert result["acknowledged"] > 1_000
