"""Distributions with entry points, as pip leaves them in a folder of the import path."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Install = Callable[[str, str, Mapping[str, str]], None]
"""``install(name, source, points)``: a distribution of one module ``name``; ``points`` are names and objects."""


def installer(folder: Path, monkeypatch: pytest.MonkeyPatch, group: str) -> Install:
    """What installs into a folder, which is part of the import path for the time of a test."""
    monkeypatch.syspath_prepend(folder)

    def install(name: str, source: str, points: Mapping[str, str]) -> None:
        (folder / f"{name}.py").write_text(source, "utf-8")
        info = folder / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.2\n")
        lines = "".join(f"{point} = {value}\n" for point, value in points.items())
        (info / "entry_points.txt").write_text(f"[{group}]\n{lines}")
        importlib.invalidate_caches()

    return install
