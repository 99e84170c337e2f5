"""Error budgets in numbers."""


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


def _check_target(target: float) -> None:
    if not 0 < target < 1:
        raise ValueError(f"a target lies between 0 and 1, such as 0.999, not {target}")
