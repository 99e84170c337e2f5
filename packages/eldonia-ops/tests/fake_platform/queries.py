"""Answers to the overview's queries: smooth curves by the name of the metric."""

import math
from collections.abc import Callable, Sequence

from eldonia_ops.model.labels import Labels
from eldonia_ops.model.matchers import Matcher, MatchOp
from eldonia_ops.services.api import QueryError, QueryResult, Series
from fake_platform.times import MINUTE

SHAPES: list[tuple[str, str, list[str], float, float]] = [
    # a fragment of the query, the label, its values, the middle, the swing
    ("http_requests_total{status", "job", ["shop", "gateway"], 0.6, 0.5),
    ("http_request_duration", "job", ["shop", "gateway", "search"], 0.16, 0.06),
    ("http_requests_total", "job", ["shop", "gateway", "search"], 42.0, 12.0),
    ("orders_total", "job", ["shop"], 31.0, 8.0),
    ("node_cpu", "instance", ["web-1", "web-2"], 38.0, 14.0),
    ("node_memory", "instance", ["web-1", "web-2"], 61.0, 3.0),
    ("node_filesystem", "mountpoint", ["/", "/var/lib/postgresql"], 48.0, 0.5),
    ("node_network", "device", ["eth0"], 840_000.0, 300_000.0),
    ("db_client_operation", "operation", ["select", "insert", "update"], 0.012, 0.006),
    ("pg_stat_database_numbackends", "datname", ["shop"], 22.0, 7.0),
    ("pg_database_size", "datname", ["shop"], 734_003_200.0, 2_000_000.0),
    ("probe_success", "instance", ["payment gateway", "CDN", "AWS health"], 1.0, 0.0),
    ("probe_duration", "instance", ["payment gateway", "CDN", "AWS health"], 0.12, 0.05),
    ("payment_requests_total", "status", ["success", "error"], 28.0, 7.0),
    ("(up)", "job", ["shop", "node", "postgresql"], 1.0, 0.0),
]


class FakeQueries:
    """Answers the overview's queries with smooth curves; everything else with one constant."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._now = clock
        self.asked = (0, 0)  # lookback and timeout of the last query, in ms

    async def instant(
        self, query: str, at_ms: int | None = None, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        self.asked = (lookback_ms, timeout_ms)
        at = self._now() if at_ms is None else at_ms
        if query == "42":
            return QueryResult("scalar", [Series(Labels(), [(at, 42.0)])])
        if query == '"text"':
            return QueryResult("string", text="text")
        if query == "remarks":
            return QueryResult("vector", warnings=("PromQL warning: w",), infos=("PromQL info: i",))
        return QueryResult("vector", [Series(one.labels, one.points[-1:]) for one in self._series(query, at, at, 1)])

    async def range(
        self, query: str, start_ms: int, end_ms: int, step_ms: int, *, lookback_ms: int = 0, timeout_ms: int = 0
    ) -> QueryResult:
        self.asked = (lookback_ms, timeout_ms)
        if (end_ms - start_ms) // step_ms > 11_000:
            raise QueryError("too many points", kind="bad_data")
        return QueryResult("matrix", self._series(query, start_ms, end_ms, step_ms))

    def format(self, query: str) -> str:
        self._check(query)
        return " ".join(query.split())

    def matcher_sets(self, selectors: Sequence[str]) -> list[tuple[Matcher, ...]]:
        for selector in selectors:
            self._check(selector)
        return [(Matcher("__name__", MatchOp.EQUAL, selector),) for selector in selectors]

    def _check(self, query: str) -> None:
        if query.count("(") != query.count(")"):
            raise QueryError(f"unexpected end of input in {query!r}", position=len(query))
        if query == "slow":
            raise QueryError("query timed out", kind="timeout")

    def _series(self, query: str, start: int, end: int, step: int) -> list[Series]:
        self._check(query)
        for fragment, label, values, middle, swing in SHAPES:
            if fragment in query:
                return [
                    Series(
                        Labels({label: value}),
                        [(at, _curve(at, middle, swing, index, query)) for at in range(start, end + 1, step)],
                    )
                    for index, value in enumerate(values)
                ]
        if "replication" in query:
            return []
        special = {"nan": math.nan, "inf": math.inf}.get(query, 1.0)
        return [
            Series(Labels({"__name__": "up", "job": "shop"}), [(at, special) for at in range(start, end + 1, step)])
        ]


def _curve(at: int, middle: float, swing: float, index: int, query: str) -> float:
    if swing == 0.0:
        return middle
    phase = index * 2.1 + len(query) * 0.37
    minutes = at / MINUTE
    slow = math.sin(minutes / 9 + phase) * 0.6 + math.sin(minutes / 3.1 + phase * 2) * 0.25
    noise = math.sin(minutes * 7.3 + index * 5) * 0.08 + math.sin(minutes * 17.7 + index) * 0.07
    spike = 2.2 * math.exp(-(((minutes + index * 4) % 47 - 20) ** 2) / 3)
    return max(0.0, middle * (1 - 0.22 * index) + swing * (slow + noise + spike))
