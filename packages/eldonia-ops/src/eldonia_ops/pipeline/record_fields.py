"""Fields of a record by the names that ``fluent.conf`` has for them.

``name``, ``$.a.b[0]`` and ``$['a']['b']``:
https://docs.fluentd.org/plugin-helper-overview/api-plugin-helper-record_accessor#syntax
"""

import re
from functools import lru_cache
from typing import Any, Final

_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(-?[0-9]+)\]|\[(?:'([^']*)'|\"([^\"]*)\")\]", re.ASCII)


@lru_cache(maxsize=2_048)
def steps_of(name: str) -> tuple[str | int, ...]:
    """The keys and places that lead to a field.

    Raises:
        ValueError: it begins with ``$`` and a point or bracket, and is no such path.
    """
    if not name.startswith(("$.", "$[")):
        return (name,)
    found: list[str | int] = []
    at = 1
    while at < len(name):
        step = _STEP.match(name, at)
        if step is None:
            raise ValueError(f"{name} is no path of fields: write $.a.b or $['a']['b']")
        found.append(int(step[2]) if step[2] is not None else step[1] or step[3] or step[4] or "")
        at = step.end()
    return tuple(found)


def field_of(record: Any, name: str) -> Any:
    """The value of a field, None where the record has none."""
    value = record
    for step in steps_of(name):
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
