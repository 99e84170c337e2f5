"""The platform's own counters under the names by which they are exposed."""

from collections.abc import Mapping

from eldonia_ops.services.loops import Loops


def escaped(value: str) -> str:
    """A label's value as the text exposition format writes it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def refused_metrics(totals: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """One series for each signal and reason."""
    return {
        f'eldonia_ops_refused_total{{signal="{escaped(signal)}",reason="{escaped(reason)}"}}': float(count)
        for (signal, reason), count in totals.items()
    }


def loop_metrics(loops: Loops) -> dict[str, float]:
    """Two series for each loop, and one for each of their items that fails."""
    found: dict[str, float] = {}
    for loop in loops.all():
        label = f'{{loop="{escaped(loop.name)}"}}'
        found[f"eldonia_ops_loop_failing{label}"] = float(loop.failing)
        if not loop.item:
            found[f"eldonia_ops_loop_failures_total{label}"] = float(loop.failures)
    return found
