"""Searches for traces of panels: ``service:checkout duration>500ms status:error http.status_code>=500``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from eldonia_ops.model.condition_text import ConditionError, parse_conditions
from eldonia_ops.model.conditions import Condition
from eldonia_ops.model.durations import parse_duration

_FIELD: Final = re.compile(r"(service|operation|name|status):(.+)")
_DURATION: Final = re.compile(r"duration(>=|<=|>|<)([0-9a-z]{1,20})")
_NS: Final = 1_000_000


class TraceTermsError(ValueError):
    """A search that cannot be read; ``position`` is where, from 0."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class TraceTerms:
    """What a trace has to have: durations in nanoseconds, 0 for no bound."""

    service: str = ""
    operation: str = ""
    min_ns: int = 0
    max_ns: int = 0
    errors_only: bool = False
    where: tuple[Condition, ...] = ()


def parse_trace_terms(text: str) -> TraceTerms:
    """Read a search.

    Raises:
        TraceTermsError: one of the terms is none.
    """
    found: dict[str, str | int | bool] = {}
    where: list[Condition] = []
    for term, position in _terms(text):
        if match := _FIELD.fullmatch(term):
            value = match[2].strip('"')
            if match[1] == "status":
                if value != "error":
                    raise TraceTermsError("status can be error alone; leave it out to find all", position)
                found["errors_only"] = True
            else:
                found["service" if match[1] == "service" else "operation"] = value
        elif match := _DURATION.fullmatch(term):
            try:
                ns = parse_duration(match[2]) * _NS
            except ValueError as error:
                raise TraceTermsError(str(error), position) from None
            found["min_ns" if match[1].startswith(">") else "max_ns"] = ns
        else:
            try:
                where += parse_conditions([term])
            except ConditionError as error:
                raise TraceTermsError(str(error), position + max(0, error.position)) from None
    return TraceTerms(**found, where=tuple(where))  # type: ignore[arg-type]


def _terms(text: str) -> Iterator[tuple[str, int]]:
    """The terms between blanks, with their places; blanks in quotation marks belong to a term."""
    start, quoted, escaped = -1, False, False
    for at, char in enumerate(text):
        if char.isspace() and not quoted:
            if start >= 0:
                yield text[start:at], start
            start = -1
            continue
        start = at if start < 0 else start
        if char == '"' and not escaped:
            quoted = not quoted
        escaped = char == "\\" and not escaped
    if start >= 0:
        yield text[start:], start
