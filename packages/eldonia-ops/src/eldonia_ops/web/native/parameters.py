"""Query parameters that several operations have."""

from datetime import UTC, tzinfo
from typing import Annotated, Final

from fastapi import Query

from eldonia_ops.model.condition_text import ConditionError, parse_conditions
from eldonia_ops.model.conditions import Condition
from eldonia_ops.services.api import QueryError
from eldonia_ops.web.bad_request import BadRequestError
from eldonia_ops.web.times import parse_instant

NS: Final = 1_000_000
"""Nanoseconds of a millisecond."""

Several = Annotated[list[str], Query(max_length=50)]
Instant = Annotated[
    str, Query(max_length=60, description="Unix ms, RFC 3339, relative such as -15m, or words such as yesterday")
]
Text = Annotated[str, Query(max_length=1_000)]
Where = Annotated[
    list[str],
    Query(
        max_length=20,
        description="conditions on fields and attributes, repeatable: user.id=42, duration>=500, path=~^/a, "
        "note*=part, !exists(session)",
    ),
]
Zone = Annotated[str, Query(max_length=100, description="IANA name of the reader's time zone, for times in words")]


def time_range(since: str, until: str, now: int, zone: tzinfo = UTC) -> tuple[int, int]:
    """Both ends in Unix ms.

    Raises:
        BadRequestError: one of them is no instant, or the end comes before the start.
    """
    start, end = parse_instant(since, now, zone), parse_instant(until, now, zone, end=True)
    if end < start:
        raise BadRequestError(f"the range ends before it begins: since {since}, until {until}")
    return start, end


def conditions_of(texts: list[str]) -> tuple[Condition, ...]:
    """Conditions of ``where``.

    Raises:
        QueryError: one of them cannot be read.
    """
    try:
        return parse_conditions(texts)
    except ConditionError as error:
        raise QueryError(str(error), error.position, field="where") from None
