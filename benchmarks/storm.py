"""10,000 alerts at once, through Alertmanager's API, to a webhook that answers at once; beside the real Alertmanager.

Twice: in 100 groups, and each alert a group of its own. In the middle of each storm a single critical page of another
cause comes in. Ours is ``eldonia-ops serve`` as people start it: its state is on disk before it answers.
"""

import contextlib
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import msgspec
import psutil

from benchmarks.harness import Row, Spread, Table
from benchmarks.processes import free_port, python, started_program

ALERTMANAGER: Final = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")

_A_REQUEST: Final = 100
_PAGE: Final = "the-page"
_ROUTING: Final = """
route: {{receiver: team, group_by: {group_by}, group_wait: 1s, group_interval: 5m, repeat_interval: 4h}}
receivers:
  - name: team
    webhook_configs: [{{url: 'http://127.0.0.1:{port}/hook'}}]
"""
_CASES: Final = (("in 100 groups", "['group']"), ("each its own group", "['...']"))


@dataclass(slots=True)
class Found:
    """One storm: seconds, processor seconds, and milliseconds of the lists. ``page`` is inf when it did not arrive."""

    accepted: float
    notified: float
    page: float
    processor: float
    messages: float
    resident: float
    incidents: float
    reads: dict[str, float]


def run(quick: bool) -> list[Table]:
    """A table a case."""
    count, rounds = (300, 1) if quick else (10_000, 3)
    tables: list[Table] = []
    for name, group_by in _CASES:
        found: dict[str, list[Found]] = {"ours": []}
        if ALERTMANAGER is not None:
            found["Alertmanager"] = []
        for turn in range(rounds):
            for who in list(found)[:: 1 if turn % 2 == 0 else -1]:
                with tempfile.TemporaryDirectory() as folder:
                    found[who].append(measure(who, Path(folder), group_by, count))
        tables.append(_table(f"Storm of {count:,} alerts, {name}", found))
    return tables


def measure(who: str, folder: Path, group_by: str, count: int, *, patience: float = 180.0) -> Found:
    """One storm through one of the two."""
    sink = free_port()
    (folder / "alertmanager.yml").write_text(_ROUTING.format(group_by=group_by, port=sink))
    start = _ours if who == "ours" else _alertmanager
    with (
        python(["-m", "benchmarks.webhook_sink", str(sink)], folder / "sink.log", sink),
        httpx.Client(base_url=f"http://127.0.0.1:{sink}", trust_env=False) as receiver,
        start(folder) as (client, process),
    ):
        time.sleep(1)  # what a start leaves to do is not the storm's
        before = process.cpu_times()
        began, page_at = time.time(), 0.0
        for first in range(0, count, _A_REQUEST):
            alerts = [_alert(number) for number in range(first, min(count, first + _A_REQUEST))]
            _post(client, alerts)
            if not page_at and first >= count // 2:
                _post(client, [_page()])
                page_at = time.time()
        accepted = time.time() - began
        while True:
            stat = receiver.get("/stat", params={"id": [_PAGE, str(count - 1)]}).json()
            if stat["seen"] > count or time.time() > began + patience:
                break
            time.sleep(0.05)
        notified = time.time() - began if stat["seen"] > count else float("inf")
        after = process.cpu_times()
        reads = {
            "list of all": _read(client, "/api/v2/alerts"),
            "groups": _read(client, "/api/v2/alerts/groups"),
            "one label": _read(client, "/api/v2/alerts?filter=id%3D%227%22"),
        }
        incidents = 0.0
        if who == "ours":
            reads["page of alerts"] = _read(client, "/api/ops/v1/alerts")
            listed = client.get("/api/ops/v1/incidents", params={"limit": 1_000}).json()
            incidents = float(len(listed))
        return Found(
            accepted,
            notified,
            stat["at"].get(_PAGE, float("inf")) - page_at,
            after.user + after.system - before.user - before.system,
            stat["messages"],
            process.memory_info().rss / 2**20,
            incidents,
            reads,
        )


def _alert(number: int) -> dict[str, object]:
    service = f"service-{number % 100}"
    return {
        "labels": {
            "alertname": "InstanceDown",
            "severity": "critical",
            "id": str(number),
            "instance": f"host-{number}.example.org:9100",
            "job": "node",
            "group": f"group-{number % 100}",
            "service": service,
            "region": "eu-west-1",
        },
        "annotations": {
            "summary": f"host-{number} of {service} is down",
            "description": "It has not answered for more than five minutes. " * 3,
        },
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=up+%3D%3D+0",
    }


def _page() -> dict[str, object]:
    labels = {"alertname": "DatabaseDown", "severity": "critical", "id": _PAGE, "group": "page", "service": "database"}
    return {"labels": labels, "annotations": {"summary": "the database is down"}}


def _post(client: httpx.Client, alerts: list[dict[str, object]]) -> None:
    body = msgspec.json.encode(alerts)
    client.post("/api/v2/alerts", content=body, headers={"Content-Type": "application/json"}).raise_for_status()


def _read(client: httpx.Client, path: str) -> float:
    """Milliseconds: the median of five."""
    taken: list[float] = []
    for _ in range(5):
        began = time.perf_counter()
        client.get(path).raise_for_status()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)


@contextlib.contextmanager
def _ours(folder: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    port = free_port()
    settings = folder / "eldonia-ops.yml"
    settings.write_text(
        f"data: {folder}/data\nlisten: 127.0.0.1:{port}\nhost: {{enabled: false}}\n"
        f"alertmanager: {{file: {folder}/alertmanager.yml}}\n"
    )
    with python(["-m", "eldonia_ops", "serve", "--config", str(settings)], folder / "serve.log", port) as child:
        token = (folder / "data" / "admin.token").read_text().strip()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            while client.get("/-/ready").status_code != 200:
                time.sleep(0.1)
            yield client, psutil.Process(child.pid)


@contextlib.contextmanager
def _alertmanager(folder: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    assert ALERTMANAGER is not None
    port = free_port()
    command = [
        *(ALERTMANAGER, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/data"),
        *(f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="),
    ]
    with (
        started_program(command, folder / "alertmanager.log", port) as child,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):
        while client.get("/-/ready").status_code != 200:
            time.sleep(0.1)
        yield client, psutil.Process(child.pid)


def _table(title: str, found: dict[str, list[Found]]) -> Table:
    rows: list[Row] = []

    def add(name: str, unit: str, values: dict[str, list[float]]) -> None:
        spreads = {who: Spread.of(some) for who, some in values.items()}
        for who, spread in spreads.items():
            rows.append(Row(f"{name}, {who}", spread, unit))

    def each(field: str) -> dict[str, list[float]]:
        return {who: [getattr(one, field) for one in some] for who, some in found.items()}

    add("accepted", "s", each("accepted"))
    add("all notified", "s", each("notified"))
    add("a lone page in the middle, until it arrived", "s", each("page"))
    add("processor until all were notified", "CPU-s", each("processor"))
    add("messages", "", each("messages"))
    add("resident", "MiB", each("resident"))
    for name in ("list of all", "groups", "one label", "page of alerts"):
        add(
            name, "ms", {who: [one.reads[name] for one in some] for who, some in found.items() if name in some[0].reads}
        )
    add("incidents", "", {"ours": [one.incidents for one in found["ours"]]})
    return Table(
        title,
        rows,
        [
            "100 alerts a request over one connection, group_wait 1 s; times count from the first request",
            "ours is on disk before a request is answered, opens incidents and writes down every decision; "
            "Alertmanager keeps alerts in memory",
        ],
    )
