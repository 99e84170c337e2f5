"""What a rule about logs would have done in the last day."""

import math
from typing import Final

from eldonia_ops.ports import Clock
from eldonia_ops.rules.log_expression import DEFAULT_RANGE_MS, LogExpressionError, read_log_expression
from eldonia_ops.search import SearchError
from eldonia_ops.services.api import QueryError
from eldonia_ops.services.api.managed import PreviewView, WantedRule
from eldonia_ops.services.logs.rules import LogRules

_DAY: Final = 86_400_000
_SHOWN: Final = 50


async def preview(wanted: WantedRule, rules: LogRules, clock: Clock, language: str) -> PreviewView:
    """How often it would have fired: looked at once in each of its ranges.

    Raises:
        QueryError: the search cannot be read, or makes no numbers.
    """
    try:
        expression = read_log_expression(wanted.logs, wanted.range_ms or DEFAULT_RANGE_MS)
    except SearchError as error:
        raise QueryError(error.message(language), error.start, hint=error.hint(language), field="logs") from None
    except LogExpressionError as error:
        raise QueryError(str(error), error.position, hint=error.hint, field="logs") from None
    step = max(expression.range_ms, 60_000)
    end = clock.now() // step * step
    try:
        found = await rules.preview(expression, end - max(_DAY // step, 1) * step, end, wanted.for_ms or 0)
    except ValueError as error:
        raise QueryError(str(error), kind="execution") from None
    values = [value for _, value in found.points if math.isfinite(value)]
    return PreviewView(
        fired=len(found.firing),
        series=found.series,
        firing=found.firing[:_SHOWN],
        hours=_DAY / 3_600_000,
        step_seconds=found.step_ms / 1000,
        expr=expression.text,
        value=values[-1] if values else None,
        highest=max(values, default=None),
        lowest=min(values, default=None),
        points=found.points,
    )
