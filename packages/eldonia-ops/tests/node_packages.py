"""Clients from npm, for tests that speak with the real thing: they lie in ``tools/javascript/node_modules``."""

import subprocess
from pathlib import Path
from typing import Final

from required_tools import missing, tool

_FOLDER: Final = Path(__file__).parents[3] / "tools" / "javascript"


def run_node(script: Path, *arguments: str, packages: tuple[str, ...], seconds: float = 60) -> str:
    """What a CommonJS script prints. It finds the packages by ``require``; the test is skipped when one is missing."""
    for name in packages:
        if not (_FOLDER / "node_modules" / name).is_dir():
            missing(f"the package {name} is not installed: run python scripts/javascript.py --install")
    text = f"const require = require_at({str(_FOLDER / 'package.json')!r});\n{script.read_text()}"
    start = f"const require_at = require('module').createRequire;\n{{\n{text}\n}}"
    done = subprocess.run(
        [tool("node"), "-", *arguments], input=start, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
