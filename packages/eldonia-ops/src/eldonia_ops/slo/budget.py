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


def over_window(error_ratio: float, measured_ms: float, window_ms: float) -> float:
    """The share of errors over a whole window of which ``measured_ms`` have passed, with ``error_ratio`` in them.

    What has not passed yet counts as good: the budget is a share of the whole window. Attainment is 1 minus this, and
    :func:`remaining` of this is the budget that is left, so the two always agree.
    """
    return error_ratio * min(1.0, measured_ms / window_ms)


def _check_target(target: float) -> None:
    if not 0 < target < 1:
        raise ValueError(f"a target lies between 0 and 1, such as 0.999, not {target}")
