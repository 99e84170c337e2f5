"""Installs the Python clients that the tests run against the platform, each into a folder of its own.

Two versions of one client cannot live in one environment, so none of them is in ours: ``tools/clients/NAME.txt`` pins
what goes into ``.venv/clients/NAME``.

    python scripts/python_clients.py
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PINS: Final = ROOT / "tools" / "clients"
FOLDER: Final = ROOT / ".venv" / "clients"


def install() -> None:
    """Install what is pinned, unless it is there already.

    Raises:
        SystemExit: pip failed.
    """
    for pins in sorted(PINS.glob("*.txt")):
        target = FOLDER / pins.stem
        stamp = target / ".pins"
        if stamp.is_file() and stamp.read_bytes() == pins.read_bytes():
            continue
        shutil.rmtree(target, ignore_errors=True)
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"]
        code = subprocess.run([*pip, "--target", str(target), "-r", str(pins)], check=False).returncode  # noqa: S603
        if code:
            sys.exit(f"the clients of {pins.name} were not installed (exit code {code})")
        stamp.write_bytes(pins.read_bytes())


if __name__ == "__main__":
    install()
