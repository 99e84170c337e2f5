"""Parsers: text to records, by ``@type``. Each is a file of this package, and one line in :mod:`.registry`."""

from eldonia_ops.pipeline.parsers.parser import Parsed, ParseError, Parser
from eldonia_ops.pipeline.parsers.registry import PARSER_TYPES, parser_of

__all__ = ["PARSER_TYPES", "ParseError", "Parsed", "Parser", "parser_of"]
