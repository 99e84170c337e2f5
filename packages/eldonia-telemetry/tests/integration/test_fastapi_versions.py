"""The whole paths of routes under ``include_router(prefix=...)`` and mounts, with each generation of FastAPI."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from required_tools import requires_host

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src"
OLDER = ("0.115.0", "0.128.0")


def asked(python: str) -> dict:
    done = subprocess.run(
        [python, HERE / "fastapi_prefixes.py"],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check(found: dict) -> None:
    from packages_fastapi_prefixes import WANTED

    for how in ("inside", "around"):
        assert {path: handler for path, (handler, _) in found[how].items()} == WANTED
        spans = {path: "GET" if handler == "unmatched" else f"GET {handler}" for path, handler in WANTED.items()}
        assert {path: span for path, (_, span) in found[how].items()} == spans
    # What a proxy in front has taken off is no part of any route.
    for how in ("root_path inside", "root_path around"):
        assert [handler for handler, _ in found[how].values()] == ["/users/{id}", "/direct/{id}"]


@pytest.fixture(autouse=True)
def _prefixes():
    import importlib.util

    spec = importlib.util.spec_from_file_location("packages_fastapi_prefixes", HERE / "fastapi_prefixes.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["packages_fastapi_prefixes"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def test_the_version_that_is_installed():
    check(asked(sys.executable))


@requires_host(bool(os.environ.get("ELDONIA_TEST_INSTALLS")), "installs packages: ELDONIA_TEST_INSTALLS=1")
@pytest.mark.parametrize("version", OLDER)
def test_versions_that_came_before(tmp_path, version):
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv" / "bin" / "python")
    packages = (f"fastapi=={version}", "httpx", "msgspec")
    done = subprocess.run(
        [python, "-m", "pip", "install", "-q", *packages], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no registry: {done.stderr[-200:]}")
    found = asked(python)
    assert found["version"] == version
    check(found)
