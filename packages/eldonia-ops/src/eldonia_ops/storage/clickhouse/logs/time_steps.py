"""SQL for the steps of time in which rows are counted.

:func:`eldonia_ops.search.time_steps.start_of` says what they mean; tests compare the two.
"""

from collections.abc import Mapping
from typing import Final

from eldonia_ops.search.time_steps import ByTime, TimeUnit

_CALENDAR: Final[Mapping[TimeUnit, str]] = {
    TimeUnit.DAY: "toStartOfDay",
    TimeUnit.WEEK: "toMonday",
    TimeUnit.MONTH: "toStartOfMonth",
    TimeUnit.QUARTER: "toStartOfQuarter",
    TimeUnit.YEAR: "toStartOfYear",
}


def step_sql(step: ByTime, zone: str) -> str:
    """SQL of the start of a row's step, in Unix nanoseconds (Int64); ``zone`` is SQL of the zone's name."""
    offset = int(step.offset_ns)
    at = f"(toUnixTimestamp64Nano(timestamp) - {offset})" if offset else "toUnixTimestamp64Nano(timestamp)"
    local = f"fromUnixTimestamp64Nano({at}, {zone})"
    width = step.width_ns
    if width is None:
        day = f"toDateTime64({_CALENDAR[TimeUnit(step.width)]}({local}), 0, {zone})"
        start = f"toUnixTimestamp64Second({day}) * 1000000000"
    else:
        # By the clock of the zone: its distance from UTC is added before the width is looked for.
        ahead = f" + toInt64(timezoneOffset({local})) * 1000000000" if step.zone != "UTC" else ""
        start = f"{at} - positiveModulo({at}{ahead}, {int(width)})"
    return f"({start} + {offset})" if offset else f"({start})"
