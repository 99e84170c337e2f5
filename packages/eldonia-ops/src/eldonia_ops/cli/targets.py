"""``eldonia-ops targets``: what is collected, and whether it works."""

from eldonia_ops.cli.session import (
    DEFAULT,
    AsJson,
    Token,
    Url,
    connect,
    print_json,
    print_table,
    shown_time,
)


def targets(url: Url = DEFAULT, token: Token = "", as_json: AsJson = False) -> None:
    """What is scraped, tailed and probed, and whether it works."""
    found = connect(url, token).get("/targets")
    if as_json:
        print_json(found)
        return
    rows = [
        (item["health"], item["kind"], item["name"], item["url"], shown_time(item["last_at"]), item["error"])
        for item in found
    ]
    print_table(("health", "kind", "name", "where", "last", "error"), rows, empty="Nothing is configured.")
