"""Clients of Elasticsearch from their own packages, and a platform whose listener they talk to."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_server import free_port
from required_tools import missing, tool
from serving import Serving, serving

_ROOT = Path(__file__).parents[3]
_SCRIPTS = Path(__file__).parent / "integration" / "web" / "elasticsearch_clients"
_MODULES = _ROOT / "tools" / "javascript" / "node_modules"
_CLIENTS = _ROOT / ".venv" / "clients"


@contextlib.contextmanager
def elasticsearch_serving(folder: Path) -> Iterator[tuple[Serving, str]]:
    """A platform, and the address of its listener ``elasticsearch``."""
    port = free_port()
    with serving(folder, {"listeners": {"elasticsearch": {"port": port}}}) as running:
        yield running, f"http://127.0.0.1:{port}"


def run_python(script: str, name: str, url: str, token: str) -> dict[str, Any]:
    """What a script prints that uses the client of a folder of ``.venv/clients``."""
    if not (_CLIENTS / name).is_dir():
        missing(f"{name} is not installed: python scripts/python_clients.py")
    return _run(sys.executable, str(_SCRIPTS / script), url, token, name, path=str(_CLIENTS / name))


def run_javascript(script: str, package: str, url: str, token: str) -> dict[str, Any]:
    """The same for a package of npm."""
    if not (_MODULES / package).is_dir():
        missing(f"{package} is not installed: python scripts/javascript.py --install")
    return _run(tool("node"), str(_SCRIPTS / script), str(_MODULES), url, token)


def _run(*command: str, path: str = "") -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": path, "NO_PROXY": "*"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
