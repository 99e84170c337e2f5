"""How hard to try before people are called (the seed's section 9.8)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class RecoveryPolicy:
    """Periods in ms; the figures of the seed (3 restarts, 30 s apart) are the defaults.

    * ``failures`` probes in a row must fail before the service counts as down;
    * at most ``max_attempts`` restarts, 0 for none (watching only), at least ``delay_ms`` apart; after each the
      service has ``delay_ms`` to pass ``successes`` probes in a row;
    * ``restart_timeout_ms``: an attempt that has not reported by then is judged by the service's health alone;
    * ``stable_ms`` of unbroken health give the attempts back. A service that dies again sooner goes on with
      what is left of them, so that one that flaps is not restarted without end;
    * ``labels`` are put on the alerts beside ``alertname``, ``service`` and ``severity``.
    """

    failures: int = 3
    successes: int = 2
    max_attempts: int = 3
    delay_ms: int = 30_000
    restart_timeout_ms: int = 120_000
    stable_ms: int = 600_000
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.failures < 1 or self.successes < 1 or self.max_attempts < 0:
            raise ValueError("recovery needs failures >= 1, successes >= 1 and max_attempts >= 0")
        if min(self.delay_ms, self.restart_timeout_ms, self.stable_ms) < 1:
            raise ValueError("the periods of a recovery policy must be positive")

    def faster(self, factor: float) -> "RecoveryPolicy":
        """The same policy with every period divided by ``factor``, for demonstrations.

        Raises:
            ValueError: the factor is not positive.
        """
        if factor <= 0:
            raise ValueError("the factor must be positive")
        return replace(
            self,
            delay_ms=max(1, round(self.delay_ms / factor)),
            restart_timeout_ms=max(1, round(self.restart_timeout_ms / factor)),
            stable_ms=max(1, round(self.stable_ms / factor)),
        )
