"""Every benchmark runs and prints its tables; how fast anything is, is no test's business."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


OUTSIDE = {"log_queries": "ELDONIA_LOG_GENERATOR"}
"""What measures by something that is not ours, and the variable that names it."""
NAMES = run("--list").stdout.split()


@pytest.mark.parametrize("name", [name for name in NAMES if OUTSIDE.get(name, "PATH") in os.environ])
def test_it_runs(name: str) -> None:
    notified = run(name, "--quick")
    assert notified.returncode == 0, notified.stderr[-3000:]
    figures = [line for line in notified.stdout.splitlines() if line.startswith("  ") and not line.startswith("  *")]
    assert len(figures) >= 2, notified.stdout


@pytest.mark.parametrize("name", [name for name in NAMES if OUTSIDE.get(name, "PATH") not in os.environ])
def test_what_it_needs_is_named(name: str) -> None:
    said = run(name, "--quick")
    assert said.returncode == 0
    assert f"{OUTSIDE[name]} names no" in said.stdout


def test_wrong_usage_is_told() -> None:
    unknown = run("logger", "nonsense")
    assert unknown.returncode == 2
    assert "nonsense" in unknown.stderr
    part = run("logger", "--write")
    assert part.returncode == 2
    assert "whole run" in part.stderr
