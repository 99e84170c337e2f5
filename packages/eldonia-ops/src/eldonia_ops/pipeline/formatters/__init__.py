"""Formatters: events to bytes, by ``@type``. Each is a file of this package, and one line in :mod:`.registry`."""

from eldonia_ops.pipeline.formatters.formatter import Formatter
from eldonia_ops.pipeline.formatters.registry import FORMATTER_TYPES, formatter_of

__all__ = ["FORMATTER_TYPES", "Formatter", "formatter_of"]
