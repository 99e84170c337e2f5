"""The lock files hold every package that is asked for, each with hashes, and no address of an index."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECTS = [*sorted(ROOT.glob("packages/*/pyproject.toml")), ROOT / "examples/shop/pyproject.toml"]
OURS = {"eldonia-ops", "eldonia-telemetry", "eldonia-shop"}
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")


def _name(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-").replace(".", "-")


def _locked(file: str) -> dict[str, set[str]]:
    """The hashes of each pin, by ``name==version``."""
    found: dict[str, set[str]] = {}
    for entry in (ROOT / file).read_text().replace("\\\n", " ").splitlines():
        if not entry or entry.startswith("#"):
            continue
        pin = re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry)
        assert pin, f"{file}: not pinned: {entry[:80]}"
        found[f"{_name(pin[1])}=={pin[2]}"] = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
    return found


def _asked_for(*files: str) -> set[str]:
    lines = "\n".join((ROOT / file).read_text() for file in files).splitlines()
    return {_name(line) for line in lines if line and not line.startswith("#")}


def _of_projects() -> set[str]:
    found: set[str] = set()
    for file in PROJECTS:
        project = tomllib.loads(file.read_text())["project"]
        extra = project.get("optional-dependencies", {}).get("postgresql", [])
        found |= {_name(requirement) for requirement in [*project["dependencies"], *extra]}
    return found - OURS


@pytest.mark.parametrize("file", LOCKS)
def test_every_pin_has_hashes(file):
    locked = _locked(file)
    assert locked
    assert [pin for pin, hashes in locked.items() if not hashes] == []


@pytest.mark.parametrize("file", LOCKS)
def test_no_address_is_written(file):
    assert not re.search(r"://|^-|--index|@ ", (ROOT / file).read_text(), re.MULTILINE)


def test_what_is_asked_for_is_locked():
    product = {pin.partition("==")[0] for pin in _locked("requirements.lock")}
    tests = {pin.partition("==")[0] for pin in _locked("requirements-dev.lock")}
    assert _of_projects() | _asked_for("requirements-build.txt") <= product
    assert _asked_for("requirements-dev.txt", "requirements-node.txt") <= tests


def test_the_sets_agree():
    largest = _locked("requirements-dev.lock")
    for file in LOCKS:
        for pin, hashes in _locked(file).items():
            assert hashes <= largest[pin], pin
