"""Settings that cannot change while the platform runs."""

from dataclasses import replace
from typing import Any, Final

from eldonia_ops.settings import Settings

_TOP: Final = ("listen", "tls", "telemetry", "external_url")
_NESTED: Final = {
    "retention": ("logs", "traces", "metrics", "head"),
    "rules": ("speed",),
    "elasticsearch": ("index",),
    "storage": ("logs_dsn", "metrics_dsn", "traces_dsn", "tables", "cluster", "instance"),
    "limits": (
        "request",
        "request_expanded",
        "labels",
        "label_value",
        "series",
        "query_samples",
        "query_timeout",
        "query_concurrency",
    ),
}


def with_fixed(running: Settings, wanted: Settings) -> tuple[Settings, tuple[str, ...]]:
    """The settings that are wanted, as far as they can be in force without a restart, and the names of those that
    cannot."""
    names: list[str] = []
    changes: dict[str, Any] = {}
    if wanted.data != running.data:
        names.append("data")
        wanted = wanted.with_data(running.data)
    for name in ("state", *_TOP):
        if getattr(wanted, name) != getattr(running, name):
            names.append(name)
            changes[name] = getattr(running, name)
    for section, keys in _NESTED.items():
        now, then = getattr(running, section), getattr(wanted, section)
        kept = {key: getattr(now, key) for key in keys if hasattr(now, key) and getattr(now, key) != getattr(then, key)}
        if kept:
            names += [f"{section}.{key}" for key in kept]
            changes[section] = replace(then, **kept)
    return replace(wanted, **changes) if changes else wanted, tuple(names)
