"""Which filter a ``@type`` names."""

from collections.abc import Callable
from functools import partial
from typing import Final

from eldonia_ops.model.errors import Level, nearest
from eldonia_ops.pipeline.filters.concat import Concat
from eldonia_ops.pipeline.filters.detect_exceptions import DetectExceptions
from eldonia_ops.pipeline.filters.filter import Filter
from eldonia_ops.pipeline.filters.grep import Grep
from eldonia_ops.pipeline.filters.kubernetes_path import KubernetesPath
from eldonia_ops.pipeline.filters.parser import ParserFilter
from eldonia_ops.pipeline.filters.prometheus import Prometheus
from eldonia_ops.pipeline.filters.record_modifier import RecordModifier
from eldonia_ops.pipeline.filters.record_transformer import RecordTransformer
from eldonia_ops.pipeline.filters.redaction import Redaction
from eldonia_ops.pipeline.filters.sampling import Sampling
from eldonia_ops.pipeline.filters.stdout import Stdout
from eldonia_ops.pipeline.filters.throttle import Throttle
from eldonia_ops.pipeline.other_plugins import OTHER_FILTERS
from eldonia_ops.pipeline.section import SectionReader

_BY_TYPE: Final[dict[str, Callable[[SectionReader], Filter]]] = {
    "concat": Concat,
    "detect_exceptions": DetectExceptions,
    "grep": Grep,
    "kubernetes_metadata": KubernetesPath,
    "kubernetes_path": KubernetesPath,
    "parser": ParserFilter,
    "redaction": Redaction,
    "sampling": Sampling,
    "stdout": Stdout,
    "throttle": Throttle,
}

_WITH_HOSTNAME: Final[dict[str, Callable[..., Filter]]] = {
    "prometheus": Prometheus,
    "record_modifier": RecordModifier,
    "record_transformer": RecordTransformer,
}

FILTER_TYPES: Final = tuple(sorted((*_BY_TYPE, *_WITH_HOSTNAME)))
"""The names that ``@type`` of a ``<filter>`` section may have."""


def filter_of(reader: SectionReader, hostname: str = "") -> Filter | None:
    """The filter that a ``<filter>`` section describes; None when there is none that could be used. What is wrong is
    noted in ``reader.problems``, with parameters that have no effect. ``hostname`` is that of the machine."""
    kind = reader.section.type
    made = _BY_TYPE.get(kind)
    if (named := _WITH_HOSTNAME.get(kind)) is not None:
        made = partial(named, hostname=hostname)
    if made is None:
        hint = OTHER_FILTERS.get(kind) or nearest(kind, FILTER_TYPES) or f"there are: {', '.join(FILTER_TYPES)}"
        reader.problem(f"there is no filter of type {kind!r}" if kind else "<filter> needs @type", "@type", hint=hint)
        return None
    errors = sum(problem.level is Level.ERROR for problem in reader.problems)
    found = made(reader)
    reader.finish()
    return found if errors == sum(problem.level is Level.ERROR for problem in reader.problems) else None
