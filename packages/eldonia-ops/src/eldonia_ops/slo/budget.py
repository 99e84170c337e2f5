"""Error budgets in numbers."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """How an objective stands over its window; ratios are shares of 1.

    ``remaining`` is the share of the budget that is left: 1 untouched, 0 spent, negative overspent.
    ``burn_rate`` is 1 when the budget would just last the window.
    """

    good: float
    total: float
    availability: float
    error_ratio: float
    remaining: float
    burn_rate: float


def budget(good: float, total: float, target: float) -> Budget | None:
    """The budget after ``total`` events of which ``good`` were good; None before the first event.

    Raises:
        ValueError: the target is not between 0 and 1, or the counts are negative or not numbers.
    """
    _check_target(target)
    if not (total >= 0 and good >= 0):
        raise ValueError("counts cannot be negative")
    if total == 0:
        return None
    # Extrapolated rates may put good a hair above total.
    availability = min(1.0, good / total)
    bad = 1 - availability
    return Budget(good, total, availability, bad, remaining(bad, target), burn_rate(bad, target))


def burn_rate(error_ratio: float, target: float) -> float:
    """How many times faster than sustainable the budget is spent at that share of errors.

    Raises:
        ValueError: the target is not between 0 and 1.
    """
    _check_target(target)
    return error_ratio / (1 - target)


def remaining(error_ratio: float, target: float) -> float:
    """The share of the budget left when ``error_ratio`` holds over the whole window (negative: overspent).

    Raises:
        ValueError: the target is not between 0 and 1.
    """
    return 1 - burn_rate(error_ratio, target)


def allowed_downtime_ms(target: float, window_ms: int) -> float:
    """How long the service may be down within a window: 43.2 minutes for 99.9 % over 30 days.

    Raises:
        ValueError: the target is not between 0 and 1.
    """
    _check_target(target)
    return (1 - target) * window_ms


def exhausted_in_ms(remaining_share: float, rate: float, window_ms: int) -> float | None:
    """When the rest of the budget is gone at a steady burn ``rate``; 0 when it is, None when it is not being spent."""
    if remaining_share <= 0:
        return 0.0
    return remaining_share * window_ms / rate if rate > 0 else None


def _check_target(target: float) -> None:
    if not 0 < target < 1:
        raise ValueError(f"a target lies between 0 and 1, such as 0.999, not {target}")
