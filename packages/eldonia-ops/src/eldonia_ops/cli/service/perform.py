"""Carries out the steps of a plan, or shows them."""

import grp
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from eldonia_ops.cli.screen import Screen
from eldonia_ops.cli.service.plan import Command, MakeFolder, RemoveFile, Step, WriteFile
from eldonia_ops.model.errors import ConfigError, Diagnostic

_SECONDS: Final = 900


def show(steps: Iterable[Step], out: Screen) -> None:
    """Print every step; files with their text."""
    for step in steps:
        match step:
            case Command():
                out.print(f"# {step.why}\n{shlex.join(step.words)}\n")
            case MakeFolder():
                out.print(f"# {step.why}\nmkdir -m {step.mode:o} {step.path}\n")
            case RemoveFile():
                out.print(f"# {step.why}\nrm {step.path}\n")
            case WriteFile():
                out.print(f"# {step.why}: {step.path} (mode {step.mode:o})\n{step.text}")


def perform(steps: Iterable[Step], out: Screen, root: Path) -> None:
    """Do every step. Below another ``root`` than ``/`` files alone are written, for an image.

    Raises:
        ConfigError: a step failed; those before it are done, and the same command again does them once more.
    """
    for step in steps:
        try:
            match step:
                case Command():
                    if root == Path("/"):
                        _run(step)
                    else:
                        continue
                case MakeFolder():
                    path = _below(root, step.path)
                    path.mkdir(parents=True, exist_ok=True)
                    path.chmod(step.mode)
                    _give(path, step.group, root)
                case WriteFile():
                    _write(_below(root, step.path), step, root)
                case RemoveFile():
                    _below(root, step.path).unlink(missing_ok=True)
        except OSError as error:
            place = "" if isinstance(step, Command) else str(_below(root, step.path))
            raise ConfigError(Diagnostic(f"{step.why}: {error.strerror or error}", place)) from None
        out.print(f"done: {step.why}")


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _run(step: Command) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - words of ours
            step.words, capture_output=True, text=True, timeout=_SECONDS, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{shlex.join(step.words)} did not end") from None
    if done.returncode and step.needed:
        said = (done.stderr or done.stdout).strip()[-600:]
        raise ConfigError(f"{shlex.join(step.words)} ended with {done.returncode}: {said}")


def _write(path: Path, step: WriteFile, root: Path) -> None:
    """Put a file in place in one step, with its mode from the beginning."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(step.text)
    os.chmod(file.name, step.mode)
    _give(Path(file.name), step.group, root)
    os.replace(file.name, path)


def _give(path: Path, group: str, root: Path) -> None:
    if group and root == Path("/"):
        try:
            number = grp.getgrnam(group).gr_gid
        except KeyError:
            raise ConfigError(f"there is no group {group}") from None
        os.chown(path, -1, number)
