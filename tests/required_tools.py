"""Which tests need programs, modules or folders that not every machine has: a plugin of pytest, and functions.

On a developer's machine a test is skipped for want of what it needs, and says so. Where ``CI=true`` everything is
installed first (``scripts/ci-tools.sh``), so there the want of it fails the test. Folders beside the checkout
(``../shared``) are an exception: they may be missing anywhere.
"""

import importlib
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

ON_CI: Final = os.environ.get("CI") == "true"
PACKAGES: Final = {
    "amtool": "prometheus-alertmanager",
    "alertmanager": "prometheus-alertmanager",
    "chromium": "chromium",
    "curl": "curl",
    "initdb": "postgresql",
    "journalctl": "systemd",
    "logger": "bsdutils",
    "nginx": "nginx-light",
    "openssl": "openssl",
    "pebble": "pebble",
    "prometheus": "prometheus",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "prometheus-node-exporter": "prometheus-node-exporter",
    "prometheus-nginx-exporter": "prometheus-nginx-exporter",
    "prometheus-redis-exporter": "prometheus-redis-exporter",
    "promtool": "prometheus",
    "redis-server": "redis-server",
    "rsyslogd": "rsyslog rsyslog-elasticsearch rsyslog-gnutls",
    "systemd-analyze": "systemd",
    "systemd-journal-remote": "systemd-journal-remote",
    "systemd-journal-upload": "systemd-journal-remote",
    "unshare": "util-linux",
}
"""Debian's package of a program."""
_ROOT: Final = Path(__file__).parents[1]


def missing(reason: str) -> Any:
    """Skip the test that runs, or fail it on CI, with the reason. Never returns."""
    if ON_CI:
        pytest.fail(f"{reason}; on CI it must be there (scripts/ci-tools.sh)")
    pytest.skip(reason)


def find_tool(*names: str) -> str | None:
    """The path of the first of these programs that is there; scripts of our own environment count."""
    for name in names:
        if found := shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent)):
            return found
    return None


def tool(*names: str) -> str:
    """The path of the first of these programs that is installed. Without any the test is skipped, or fails on CI."""
    return find_tool(*names) or missing(_wanted(names))


def requires_tool(*names: str) -> pytest.MarkDecorator:
    """A mark for tests, classes and modules (``pytestmark``) that need one of these programs."""
    return pytest.mark.requires_tool(*names)


def requires_module(name: str) -> Any:
    """A module that is not of our own dependencies. At the top of a file, so that the whole file waits for it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        reason = f"{name} is not installed: {error}"
    if ON_CI:
        pytest.fail(f"{reason}; on CI it must be there (requirements-dev.txt)", pytrace=False)
    return pytest.skip(reason, allow_module_level=True)


def shared_folder(name: str) -> Path | None:
    """A folder of public files that may lie in ``../shared``, beside the checkout."""
    found = _ROOT.parent / "shared" / name
    return found if found.is_dir() else None


def folder_named_by(variable: str) -> Path | None:
    """The folder that an environment variable names, for data that need not be there."""
    found = os.environ.get(variable, "")
    return Path(found) if found else None


def requires_folder_named_by(variable: str) -> pytest.MarkDecorator:
    """A test of data in a folder that an environment variable names; it may be unset anywhere."""
    return pytest.mark.skipif(folder_named_by(variable) is None, reason=f"{variable} names no folder")


def requires_variable(variable: str) -> pytest.MarkDecorator:
    """A test that asks a server which an environment variable names; it may be unset anywhere."""
    return pytest.mark.skipif(not os.environ.get(variable), reason=f"{variable} is not set")


def requires_shared(name: str) -> pytest.MarkDecorator:
    """A mark for tests over the files of such a folder; without it they are skipped everywhere."""
    return pytest.mark.skipif(shared_folder(name) is None, reason=f"../shared/{name} is not there")


def requires_host(holds: Callable[[], bool] | bool, reason: str) -> pytest.MarkDecorator:
    """A mark for tests that only some systems or accounts can run (Linux, root): skipped elsewhere, on CI as well."""
    return pytest.mark.skipif(not (holds() if callable(holds) else holds), reason=reason)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "requires_tool(*names): needs one of these programs")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for what a test says it needs, before its fixtures are made."""
    for mark in item.iter_markers("requires_tool"):
        if find_tool(*mark.args) is None:
            missing(_wanted(mark.args))


def _wanted(names: tuple[str, ...]) -> str:
    package = PACKAGES.get(names[0])
    return f"{' or '.join(names)} is not installed" + (f" (Debian: apt-get install {package})" if package else "")
