"""Templates of indices: which one counts for a name, and what it says."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eldonia_ops.protocols.elasticsearch.errors import illegal_argument
from eldonia_ops.protocols.elasticsearch.index_names import fits_any

_PARTS: Final = ("settings", "mappings", "aliases")
MAX_DEPTH: Final = 20


@dataclass(frozen=True, slots=True)
class Made:
    """What a new index is made with. ``settings`` are flat, their names begin with ``index.``."""

    settings: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    aliases: Mapping[str, Any] = field(default_factory=dict)
    data_stream: bool = False
    template: str = ""
    retention: str = ""
    """``data_retention`` of a data stream's lifecycle."""


BUILT_IN: Final[Mapping[str, Any]] = {
    "index_patterns": ["logs-*-*"],
    "data_stream": {},
    "priority": 100,
    "template": {},
    "_meta": {"managed": True, "description": "data streams of logs, as Elasticsearch has them from its start"},
}
"""The template ``logs``: clients write to such names without declaring anything."""


def flat_settings(settings: Any, prefix: str = "") -> dict[str, Any]:
    """Settings with dots in their names, each of which begins with ``index.``."""
    found: dict[str, Any] = {}
    waiting: list[tuple[str, Any]] = [(prefix, settings)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(f"{name}.{key}" if name else str(key), inner) for key, inner in value.items()]
        else:
            key = name if name.startswith("index.") else f"index.{name}"
            found[key] = value if isinstance(value, list) else _text(value)
    return dict(sorted(found.items()))


def nested_settings(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The same as objects in objects."""
    found: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = name.split(".")
        inner = found
        for step in path:
            following = inner.setdefault(step, {})
            inner = following if isinstance(following, dict) else inner
        inner[last] = value
    return found


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def merged(first: Mapping[str, Any], second: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Two objects as one; where both have a value that of the second counts."""
    found = dict(first)
    for key, value in second.items():
        old = found.get(key)
        both = isinstance(old, dict) and isinstance(value, dict) and depth < MAX_DEPTH
        found[key] = merged(dict(old or {}), value, depth + 1) if both else value
    return found


def check_template(name: str, body: Any, *, legacy: bool = False, component: bool = False) -> None:
    """Refuse what is no template.

    Raises:
        ElasticsearchError: the reason says what is missing.
    """
    if not isinstance(body, dict):
        raise illegal_argument(f"the template [{name}] is no object")
    template = body if legacy else body.get("template", {})
    if component and "template" not in body:
        raise illegal_argument(f"[{name}] needs [template]")
    if not isinstance(template, dict) or any(not isinstance(template.get(part, {}), dict) for part in _PARTS):
        raise illegal_argument(f"[settings], [mappings] and [aliases] of the template [{name}] are objects")
    if any(not isinstance(stated, dict | None) for stated in (template.get("aliases") or {}).values()):
        raise illegal_argument(f"each of the [aliases] of the template [{name}] is an object")
    if not isinstance(body.get("composed_of", []), list | None):
        raise illegal_argument(f"[composed_of] of the template [{name}] is no list")
    if not component and not patterns_of(body):
        raise illegal_argument(f"index_template [{name}] invalid, cause [index patterns are missing]")
    for number in ("priority", "order", "version"):
        value = body.get(number)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise illegal_argument(f"[{number}] of the template [{name}] is no whole number")


def patterns_of(body: Mapping[str, Any]) -> list[str]:
    """The patterns of a template."""
    found = body.get("index_patterns") or body.get("template") or []
    some = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return [one for one in some if isinstance(one, str)]


def made_by(
    name: str,
    templates: Mapping[str, Mapping[str, Any]],
    components: Mapping[str, Mapping[str, Any]],
    legacy: Mapping[str, Mapping[str, Any]],
) -> Made:
    """What a new index or data stream of a name is made with."""
    fitting = [(key, body) for key, body in templates.items() if fits_any(name, patterns_of(body))]
    if fitting:
        key, body = max(fitting, key=lambda one: (one[1].get("priority") or 0, one[0]))
        parts = [components[one].get("template", {}) for one in body.get("composed_of") or () if one in components]
        return _made([*parts, body.get("template") or {}], key, "data_stream" in body)
    old = [(key, body) for key, body in legacy.items() if fits_any(name, patterns_of(body))]
    old.sort(key=lambda one: (one[1].get("order") or 0, one[0]))
    return _made([body for _, body in old], old[-1][0] if old else "", False)


def _made(parts: Iterable[Mapping[str, Any]], template: str, data_stream: bool) -> Made:
    settings: dict[str, Any] = {}
    mappings: dict[str, Any] = {}
    aliases: dict[str, Any] = {}
    retention = ""
    for part in parts:
        settings |= flat_settings(part.get("settings") or {})
        mappings = merged(mappings, part.get("mappings") or {})
        aliases |= part.get("aliases") or {}
        lifecycle = part.get("lifecycle")
        retention = (
            str((lifecycle or {}).get("data_retention") or retention) if isinstance(lifecycle, dict) else retention
        )
    return Made(settings, mappings, aliases, data_stream, template, retention)
