"""Filters: events to events, by ``@type``. Each is a file of this package, and one line in :mod:`.registry`."""

from eldonia_ops.pipeline.filters.filter import Counted, Filter, Filtered
from eldonia_ops.pipeline.filters.registry import FILTER_TYPES, filter_of

__all__ = ["FILTER_TYPES", "Counted", "Filter", "Filtered", "filter_of"]
