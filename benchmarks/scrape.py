"""Reading what a target exposes: our parser and rows beside prometheus_client's parser."""

import random

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.harness import Contender, Table, alternate, rates
from eldonia_ops.model.labels import Labels
from eldonia_ops.protocols.prometheus.scrape_rows import ScrapeRows
from eldonia_ops.protocols.prometheus.text import ScrapeParser

TITLE = "Scrape parsing"


def run(quick: bool) -> list[Table]:
    """Lines a second."""
    handlers = 20 if quick else 1_000
    pages = [_page(handlers, seed) for seed in range(4)]
    lines = sum(1 for line in pages[0].splitlines() if not line.startswith(b"#"))
    parser = ScrapeParser()
    rows = ScrapeRows("shop/a", Labels({"job": "shop", "instance": "a"}))
    turn = 0

    def ours() -> None:
        nonlocal turn
        turn += 1
        assert parser.parse(pages[turn % 4]).count == lines

    def ours_rows() -> None:
        nonlocal turn
        turn += 1
        assert len(rows.scraped(pages[turn % 4], turn, 0.01).row.values) == lines + 5

    def ours_first() -> None:
        assert ScrapeParser().parse(pages[0]).count == lines

    def theirs() -> None:
        families = text_string_to_metric_families(pages[0].decode())
        assert np.array([sample.value for family in families for sample in family.samples]).size == lines

    found = alternate(
        [
            Contender("ours, a target scraped before", ours, lines),
            Contender("ours, with target labels and staleness (ScrapeRows)", ours_rows, lines),
            Contender("ours, a target's first scrape", ours_first, lines),
            Contender("prometheus_client's parser", theirs, lines),
        ],
        rounds=2 if quick else 7,
    )
    size = f"{len(pages[0]) // 1024:,} KiB"
    note = f"one page of {lines:,} samples (histograms and counters, {size}), values differ each time"
    return [rates(TITLE, found, "lines", notes=[note])]


def _page(handlers: int, seed: int) -> bytes:
    chance = random.Random(seed)
    lines = ["# HELP http_request_duration_seconds Time to answer.", "# TYPE http_request_duration_seconds histogram"]
    for number in range(handlers):
        labels = f'method="GET",handler="/works/{number}/orders"'
        lines += [
            f'http_request_duration_seconds_bucket{{{labels},le="{bound}"}} {chance.randrange(10**6)}'
            for bound in ("0.005", "0.01", "0.05", "0.1", "0.5", "1", "+Inf")
        ]
        lines.append(f"http_request_duration_seconds_sum{{{labels}}} {chance.random() * 1000!r}")
        lines.append(f"http_request_duration_seconds_count{{{labels}}} {chance.randrange(10**6)}")
    lines += ["# HELP http_requests_total Requests.", "# TYPE http_requests_total counter"]
    for number in range(handlers):
        labels = f'method="GET",handler="/works/{number}/orders",status="200"'
        lines.append(f"http_requests_total{{{labels}}} {chance.randrange(10**6)}")
    return ("\n".join(lines) + "\n").encode()
