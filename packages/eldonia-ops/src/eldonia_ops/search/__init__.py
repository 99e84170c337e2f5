"""The language in which people search logs: texts to a tree and back, and what the tree means of a record.

It is described for its users in ``docs/search.md``.
"""

from eldonia_ops.search.errors import SearchError
from eldonia_ops.search.evaluate import matches
from eldonia_ops.search.parser import parse_search
from eldonia_ops.search.printer import format_search
from eldonia_ops.search.tree import EVERYTHING, Node

__all__ = ["EVERYTHING", "Node", "SearchError", "format_search", "matches", "parse_search"]
