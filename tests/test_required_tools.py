"""What is missing fails on CI and is skipped elsewhere, and no test decides that by itself."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from required_tools import PACKAGES, find_tool

ROOT = Path(__file__).parents[1]
PROBE = """
from required_tools import requires_host, requires_module, requires_shared, requires_tool, tool

@requires_tool("no-such-program")
def test_mark(): raise AssertionError

def test_function(): tool("no-such-program")

@requires_tool("no-such-program", "sh")
def test_found(): assert tool("no-such-program", "sh")

@requires_host(False, "not here")
def test_host(): raise AssertionError

@requires_shared("no-such-folder")
def test_shared(): raise AssertionError
"""
MODULE = 'from required_tools import requires_module\nrequires_module("no_such_module")\n'


def run(folder: Path, ci: str) -> str:
    (folder / "test_probe.py").write_text(PROBE)
    (folder / "test_module.py").write_text(MODULE)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "required_tools",
        "-p",
        "no:cacheprovider",
        "--continue-on-collection-errors",
        ".",
    ]
    environment = {"PYTHONPATH": str(ROOT / "tests"), "CI": ci, "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_what_is_missing_is_skipped_on_the_machine_of_a_developer(tmp_path: Path) -> None:
    assert "1 passed, 5 skipped" in run(tmp_path, "")


def test_what_is_missing_fails_on_ci(tmp_path: Path) -> None:
    said = run(tmp_path, "true")
    assert "1 failed, 1 passed, 2 skipped, 2 errors" in said  # a mark and a module fail before their test begins
    assert "on CI it must be there" in said


def test_no_test_skips_by_itself() -> None:
    own = re.compile(r"pytest\.skip\(|mark\.skip|importorskip|shutil\.which|unittest\.skip")
    # Three skips depend on what the kernel and the package index allow, not on what is installed.
    allowed = {
        "tests/required_tools.py",
        "tests/test_required_tools.py",
        "packages/eldonia-ops/tests/integration/pipeline_outputs/test_full_disk.py",
        "packages/eldonia-ops/tests/integration/storage/clickhouse/test_full_disk.py",
        "packages/eldonia-telemetry/tests/integration/test_fastapi_versions.py",
    }
    found = [
        f"{name}:{number}: {line.strip()}"
        for folder in ("packages", "examples", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" in path.parts and (name := path.relative_to(ROOT).as_posix()) not in allowed
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if own.search(line)
    ]
    assert found == [], "use required_tools"


def test_ci_installs_every_tool_that_tests_ask_for() -> None:
    script = (ROOT / "scripts" / "ci-tools.sh").read_text("utf-8")
    asked = {
        names.split('"')[1]
        for folder in ("packages", "examples", "tests")
        for path in (ROOT / folder).rglob("*.py")
        if "tests" in path.parts and path.name not in ("required_tools.py", "test_required_tools.py")
        for names in re.findall(r'\b(?:requires_tool|find_tool|tool)\(("[^)]*")\)', path.read_text("utf-8"))
    }
    assert len(asked) >= 8
    missing = {name for name in asked if name not in ("pyright", "node") and PACKAGES[name] not in script}
    assert missing == set()


@pytest.mark.parametrize("name", ["python", "pyright"])
def test_programs_of_our_own_environment_are_found(name: str) -> None:
    assert find_tool(name)
