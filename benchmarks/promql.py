"""``sum by`` of a rate over many series: our head and evaluation, alone and behind HTTP, beside Prometheus.

Both sides hold the same counters, one sample every 15 s. Ours stores them in chDB too, as it does in
production; Prometheus gets them by remote write.
"""

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import httpx

from benchmarks import prometheus
from benchmarks.harness import Contender, Table, alternate, durations
from benchmarks.processes import free_port, python
from benchmarks.series import QUERY, Workload
from eldonia_ops.promql import evaluate, parse, plan
from eldonia_ops.storage.clickhouse.metrics.head import Head


def run(quick: bool) -> list[Table]:
    """Milliseconds a query."""
    workload = Workload(series=100, steps=20) if quick else Workload(series=10_000, steps=355)
    rounds = 2 if quick else 9
    expression = parse(QUERY)
    head = Head(floor_ms=workload.first_ms, retention_ms=workload.span_ms + 3_600_000)
    for row in workload.rows():
        head.append_row(row)

    def bare(instants: tuple[int, int, int]) -> list[tuple[Any, Any]]:
        wanted = plan(expression, *instants)
        data = [head.select(fetch.matchers, fetch.start_ms, fetch.end_ms) for fetch in wanted.fetches]
        return [(series.labels, series.points) for series in evaluate(wanted, data).series]

    notes = [
        f"{workload.series:,} series in {workload.groups} groups, one sample every 15 s; a range query computes "
        f"{workload.steps} steps of a minute: {QUERY}"
    ]
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        arguments = [
            "-m",
            "benchmarks.series",
            name,
            str(port),
            str(workload.series),
            str(workload.steps),
            str(workload.end_ms),
        ]
        with (
            python(arguments, Path(name) / "ours.log", port, seconds=300),
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
        ):
            client.headers["Authorization"] = f"Bearer {(Path(name) / 'token').read_text()}"
            instant = [
                Contender("ours, in process", lambda: bare(workload.instant)),
                Contender("ours, over HTTP", lambda: _instant(client, workload)),
            ]
            ranges = [
                Contender("ours, in process", lambda: bare(workload.range)),
                Contender("ours, over HTTP", lambda: _range(client, workload)),
            ]
            reference = _range(client, workload)
            assert len(reference) == workload.groups, reference
            if prometheus.PROGRAM is None:
                notes.append("Prometheus is not installed here, so it is left out")
                return _tables(instant, ranges, rounds, notes)
            with prometheus.running_prometheus(Path(name) / "prometheus") as theirs:
                labels = [dict(item.pairs) for item in workload.labels]
                prometheus.remote_write(theirs, labels, workload.timestamps, workload.values)
                instant.append(Contender("Prometheus, over HTTP", lambda: _instant(theirs, workload)))
                ranges.append(Contender("Prometheus, over HTTP", lambda: _range(theirs, workload)))
                _same(reference, _range(theirs, workload))
                notes.append("both answers were compared: the same groups, instants and values")
                return _tables(instant, ranges, rounds, notes)


def _tables(instant: list[Contender], ranges: list[Contender], rounds: int, notes: list[str]) -> list[Table]:
    return [
        durations("PromQL, range query", alternate(ranges, rounds=rounds), "ms", ours="ours, over HTTP", notes=notes),
        durations("PromQL, instant query", alternate(instant, rounds=rounds), "ms", ours="ours, over HTTP"),
    ]


def _instant(client: httpx.Client, workload: Workload) -> Any:
    answer = client.get("/api/v1/query", params={"query": QUERY, "time": workload.end_ms / 1000})
    return _result(answer)


def _range(client: httpx.Client, workload: Workload) -> Any:
    start, end, step = workload.range
    parameters = {"query": QUERY, "start": start / 1000, "end": end / 1000, "step": step / 1000}
    return _result(client.get("/api/v1/query_range", params=parameters))


def _result(answer: httpx.Response) -> list[dict[str, Any]]:
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
    return json.loads(answer.content)["data"]["result"]


def _same(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> None:
    def by_group(found: list[dict[str, Any]]) -> dict[str, list[tuple[float, float]]]:
        return {
            json.dumps(item["metric"], sort_keys=True): [(float(at), float(value)) for at, value in item["values"]]
            for item in found
        }

    one, other = by_group(ours), by_group(theirs)
    if one.keys() != other.keys():
        raise RuntimeError(f"different groups: {sorted(one.keys() ^ other.keys())[:3]}")
    for group, points in one.items():
        same = len(points) == len(other[group]) and all(
            a == b and math.isclose(x, y, rel_tol=1e-9) for (a, x), (b, y) in zip(points, other[group], strict=True)
        )
        if not same:
            raise RuntimeError(f"different values in {group}")
