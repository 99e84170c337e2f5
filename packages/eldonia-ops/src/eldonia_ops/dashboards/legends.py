"""Names of series: what ``{{label}}`` in a legend becomes, and names that tell series apart where there is none."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

_LABEL: Final = re.compile(r"\{\{([^{}]{0,200})\}\}")
_MOST: Final = 500


def from_template(template: str, labels: Mapping[str, str]) -> str:
    """The template with the values of labels; nothing for a label that is missing."""
    return _LABEL.sub(lambda match: labels.get(match[1].strip(), ""), template)[:_MOST]


def written(labels: Mapping[str, str]) -> str:
    """The series as PromQL writes it: ``up{job="a"}``."""
    inner = ", ".join(f'{name}="{value}"' for name, value in labels.items() if name != "__name__")
    name = labels.get("__name__", "")
    return f"{name}{{{inner}}}"[:_MOST] if inner or not name else name


def names_of(series: Sequence[Mapping[str, str]], expr: str) -> list[str]:
    """Names for series without a legend: the labels in which they differ; the expression where there is only one
    without labels, or one at all that has none but its name."""
    if len(series) == 1:
        return [written(series[0]) if series[0] else expr.strip()[:_MOST]]
    names = sorted({name for labels in series for name in labels})
    differing = [name for name in names if len({labels.get(name) for labels in series}) > 1]
    found: list[str] = []
    for labels in series:
        shown = [name for name in differing if labels.get(name)]
        if len(shown) == 1 and shown[0] != "__name__":
            found.append(labels[shown[0]][:_MOST])
        else:
            found.append(written({name: labels[name] for name in shown}) if shown else written(labels))
    return found
