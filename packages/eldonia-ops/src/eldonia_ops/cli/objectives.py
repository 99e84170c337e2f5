"""``eldonia-ops slo``: objectives with their error budgets."""

from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Token,
    Url,
    connect,
    print_json,
    print_table,
)
from eldonia_ops.model.durations import format_duration


def slo(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """Objectives with their error budgets."""
    found = connect(url, token).get("/objectives")
    if as_json:
        print_json(found)
        return
    rows = [
        (
            item["name"],
            item["service"],
            f"{item['target'] * 100:g} %",
            _percent(item["measured_availability"]),
            format_duration(round(item["measured_seconds"]) * 1000),
            _percent(item["budget_remaining"]),
            "-" if item["burn_rate"] is None else f"{item['burn_rate']:.2f}",
        )
        for item in found
    ]
    columns = ("objective", "service", "target", "attained", "measured for", "budget left", "burn rate")
    print_table(columns, rows, empty="No objectives are configured (key objectives).")


def _percent(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio * 100:.3f} %"
