"""What a rule of retention deletes, from how much there is of its records. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from eldonia_ops.ports import LogSize
from eldonia_ops.settings.log_retention import LogRetentionRule

DAY_MS: Final = 86_400_000
DAY_NS: Final = DAY_MS * 1_000_000
_HOUR_NS: Final = 3_600 * 10**9
_LEFT_PERCENT: Final = 90
"""Of ``max_size`` so much is left, so that parts are not written anew for each hour that passes."""


@dataclass(frozen=True, slots=True)
class Due:
    """What there is of a rule's records, and of it what is due: all before ``until_ns``. Bytes are estimates."""

    records: int
    bytes: int
    oldest_ns: int
    until_ns: int
    due_records: int
    due_bytes: int


def due(rule: LogRetentionRule, sizes: Sequence[LogSize], now_ms: int) -> Due:
    """What is due of a rule. ``sizes`` are by hours, the oldest first."""
    until = max(_by_age(rule, now_ms), _by_size(rule, sizes))
    # Hours begin at whole hours, and days at one of them: none is cut in two.
    gone = [one for one in sizes if one.start_ns < until]
    return Due(
        records=sum(one.records for one in sizes),
        bytes=sum(one.bytes for one in sizes),
        oldest_ns=sizes[0].start_ns if sizes else 0,
        until_ns=until,
        due_records=sum(one.records for one in gone),
        due_bytes=sum(one.bytes for one in gone),
    )


def _by_age(rule: LogRetentionRule, now_ms: int) -> int:
    if not rule.keep:
        return 0
    days = -(-rule.keep // DAY_MS)
    return max(0, (now_ms // DAY_MS - days) * DAY_NS)


def _by_size(rule: LogRetentionRule, sizes: Sequence[LogSize]) -> int:
    total = sum(one.bytes for one in sizes)
    if not rule.max_size or total <= rule.max_size:
        return 0
    wanted = rule.max_size * _LEFT_PERCENT // 100
    until = 0
    for one in sizes:
        if total <= wanted:
            break
        total -= one.bytes
        until = one.start_ns + _HOUR_NS
    return until
