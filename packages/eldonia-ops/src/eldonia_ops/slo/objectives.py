"""Service-level objectives, and the windows in which their error budget is watched.

The method is that of Google's SRE workbook, chapter 5: an alert fires when the budget burns too fast over a
long window and over a short one; the long window makes it significant, the short one ends it soon after the fault.
"""

from dataclasses import dataclass
from typing import Final

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR

WINDOW_PLACEHOLDER: Final = "$window"


@dataclass(frozen=True, slots=True)
class Objective:
    """``target`` (such as 0.999) of what ``service`` does over ``window_ms`` must be good.

    What is good is said in one of two ways:

    * ``good`` and ``total``: PromQL for the rates of good and of all events over a window written ``$window``,
      such as ``sum(rate(http_requests_total{code!~"5.."}[$window]))``; both with the same labels, best with none;
    * ``probe``: a selector of a series that is 1 while the service is up, such as ``probe_success{job="payment"}``.

    Raises:
        ValueError: the target is not between 0 and 1, neither or both ways are given, or a query lacks ``$window``.
    """

    name: str
    service: str
    target: float = 0.999
    window_ms: int = 30 * DAY
    good: str = ""
    total: str = ""
    probe: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if not self.name or not self.service:
            raise ValueError("an objective needs a name and a service")
        if "{{" in self.name + self.service:
            raise ValueError("the name and service of an objective appear in alert texts and cannot contain {{")
        if not 0 < self.target < 1:
            raise ValueError(f"the target of {self.name} must lie between 0 and 1, such as 0.999, not {self.target}")
        if self.window_ms < HOUR:
            raise ValueError(f"the window of {self.name} must be an hour or more")
        if bool(self.probe) == bool(self.good or self.total) or bool(self.good) != bool(self.total):
            raise ValueError(f"{self.name} needs either good and total, or probe")
        for key, query in (("good", self.good), ("total", self.total)):
            if query and WINDOW_PLACEHOLDER not in query:
                raise ValueError(f"the {key} query of {self.name} needs the range [{WINDOW_PLACEHOLDER}]")

    @property
    def budget(self) -> float:
        """The share that may be bad: 0.001 for a target of 0.999."""
        return 1 - self.target


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A burn-rate condition: ``factor`` times the sustainable rate over both windows (ms)."""

    factor: float
    long_ms: int
    short_ms: int


@dataclass(frozen=True, slots=True)
class BurnAlert:
    """Conditions of which any one raises an alert of that severity."""

    severity: str
    pairs: tuple[BurnPair, ...]


MINUTE: Final = 60_000

BURN_ALERTS: Final = (
    # 2 % of a 30-day budget within an hour, or 5 % within six: a person has to act now.
    BurnAlert("critical", (BurnPair(14.4, HOUR, 5 * MINUTE), BurnPair(6, 6 * HOUR, 30 * MINUTE))),
    # 10 % within one day, or within three: a person has to look at it in working hours.
    BurnAlert("warning", (BurnPair(3, DAY, 2 * HOUR), BurnPair(1, 3 * DAY, 6 * HOUR))),
)
"""The workbook's recommended parameters (table 5-8), made for a window of 30 days."""
