"""Watches the libraries that an application uses, without a call for each.

A library that is imported already is connected at once, any other when it is imported: nothing is
imported that the application does not import itself.
"""

import importlib.abc
import importlib.machinery
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Final

from eldonia_telemetry import dropped_data

_LIBRARIES: Final = {
    "sqlalchemy": "eldonia_telemetry.integrations.sqlalchemy",
    "httpx": "eldonia_telemetry.integrations.httpx",
    "requests": "eldonia_telemetry.integrations.requests",
    "redis": "eldonia_telemetry.integrations.redis",
    "celery.signals": "eldonia_telemetry.integrations.celery",
    "django.db": "eldonia_telemetry.integrations.django_database",
}
_lock = threading.Lock()
_connected: set[str] = set()


def install() -> None:
    """Connect what is there and wait for the rest. Twice is once."""
    for library in _LIBRARIES:
        if library in sys.modules:
            _connect(library)
    if len(_connected) < len(_LIBRARIES) and not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def _connect(library: str) -> None:
    with _lock:
        if library in _connected:
            return
        _connected.add(library)
    try:
        connect: Callable[[], None] = import_module(_LIBRARIES[library]).connect
        connect()
    except Exception as error:  # noqa: BLE001  telemetry never raises into its host
        dropped_data.count("setup", f"{library} cannot be watched", error)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds nothing itself; wraps the loader that the finders after it come up with."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _LIBRARIES or fullname in _connected:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(fullname, path, target) if find is not None else None
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    """Runs the module as ever, then connects to it."""

    def __init__(self, inner: importlib.abc.Loader) -> None:
        self._inner = inner

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The module shows the loader that it has without us: some read resources through it.
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        module.__loader__ = self._inner
        self._inner.exec_module(module)
        _connect(module.__name__)
