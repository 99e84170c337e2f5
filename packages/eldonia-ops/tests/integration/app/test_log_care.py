"""A platform as its own process: metrics of logs in PromQL, rules of retention, and an erasure that is killed."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from serving import Serving, run_command, serving

DAY_NS = 86_400 * 10**9


def send(http: httpx.Client, records: list[tuple[int, str, dict[str, Any]]]) -> None:
    """Log records by OTLP: nanoseconds back from now, message, attributes."""
    now = time.time_ns()

    def value(of: Any) -> dict[str, Any]:
        return {"doubleValue": of} if isinstance(of, float) else {"stringValue": of}

    logs = [
        {
            "timeUnixNano": str(now - back),
            "severityText": attributes.get("level", "INFO"),
            "body": {"stringValue": message},
            "attributes": [{"key": key, "value": value(of)} for key, of in attributes.items() if key != "level"],
        }
        for back, message, attributes in records
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}]}
    answer = http.post("/v1/logs", json=body)
    assert answer.status_code == 200, answer.text


def count(http: httpx.Client, query: str) -> int:
    found = http.get("/api/ops/v1/logs/histogram", params={"query": query, "since": "-20d", "buckets": 1}).json()
    return sum(sum(counts) for counts in found["counts"].values())


def within(seconds: float, holds: Callable[[], Any]) -> Any:
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.25)
    return found


def files_with(folder: Path, needle: str) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and needle.encode() in path.read_bytes()]


def stored_parts(folder: Path, who: str) -> dict[str, Any]:
    """What the engine has when no other process holds the folder: rows behind masks too, and old parts."""
    code = """
import asyncio, json, sys
from pathlib import Path
from eldonia_ops.storage.clickhouse.engines.chdb import ChdbEngine
async def main():
    engine = ChdbEngine(Path(sys.argv[1]))
    await engine.open()
    rows = await engine.query(
        "SELECT count() AS n FROM logs WHERE user_id = {who:String} "
        "SETTINGS apply_deleted_mask = 0, apply_patch_parts = 0",
        {"who": sys.argv[2]})
    parts = await engine.query("SELECT name FROM system.parts WHERE table = 'logs' AND NOT active")
    await engine.close()
    print(json.dumps({"rows": rows.decode(), "old": parts.decode()}))
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "telemetry"), who], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


METRICS = [
    {"name": "payments_failed_total", "search": 'service:shop "payment failed"', "labels": ["card"]},
    {"name": "order_seconds", "type": "histogram", "value": "took", "unit": "ms", "buckets": [0.1, 1]},
]
SETTINGS = {
    "log_metrics": METRICS,
    "retention": {"log_rules": [{"name": "debug", "search": "level:debug", "keep": "2d"}]},
}


def promql(http: httpx.Client, query: str) -> float | None:
    found = http.get("/api/v1/query", params={"query": query}).json()["data"]["result"]
    return float(found[0]["value"][1]) if found else None


def test_metrics_of_logs_and_rules_of_retention(tmp_path: Path) -> None:
    with serving(tmp_path, SETTINGS) as platform, platform.client() as http:
        send(http, [(0, "payment failed", {"card": "visa", "took": 50.0})] * 7 + [(0, "fine", {"took": 500.0})])
        assert within(40, lambda: promql(http, "payments_failed_total")) == 7
        assert promql(http, 'order_seconds_bucket{le="0.1"}') == 7
        assert promql(http, "order_seconds_sum") == 0.85
        assert (promql(http, 'increase(payments_failed_total{card="visa"}[5m])') or 0) >= 7, "the first ones count"
        listed = json.loads(run_command(tmp_path, "log-metrics", "list", "--json").stdout)
        assert [(one["name"], one["records"], one["skipped"]) for one in listed] == [
            ("payments_failed_total", 7, 0),
            ("order_seconds", 8, 0),
        ]
        shown = run_command(
            tmp_path, "log-metrics", "preview", '"payment failed"', "--label", "card", "--value", "took"
        )
        assert shown.returncode == 0, shown.stderr
        assert "visa" in shown.stdout
        assert "log_metrics:" in shown.stdout

        debug = [(day * DAY_NS, "details", {"level": "DEBUG"}) for day in (0, 1, 4, 5)]
        send(http, [*debug, *((day * DAY_NS, "kept", {}) for day in (0, 4, 5))])
        (rule,) = within(20, lambda: json.loads(run_command(tmp_path, "log-retention", "list", "--json").stdout))
        assert (rule["records"], rule["due_records"]) == (4, 2)
        asked = run_command(tmp_path, "log-retention", "apply", given="n\n")
        assert (asked.returncode, count(http, "level:debug")) == (1, 4), "it asks"
        assert "2 records deleted" in run_command(tmp_path, "log-retention", "apply", "--yes").stdout
        assert (count(http, "level:debug"), count(http, "kept")) == (2, 3)
        (rule,) = http.get("/api/ops/v1/logs/retention").json()
        assert (rule["deleted_records"], rule["due_records"]) == (2, 0)
        acts = [(one["kind"], one["action"]) for one in http.get("/api/ops/v1/audit").json()]
        assert ("log_retention", "deleted") in acts
        exposed = http.get("/metrics").text
        assert 'eldonia_ops_log_retention_deleted_total{rule="debug"} 2' in exposed
        assert 'eldonia_ops_log_metric_records_total{metric="payments_failed_total"} 7' in exposed


def test_an_erasure_that_is_killed_is_done_after_the_next_start(tmp_path: Path) -> None:
    needle = secrets.token_hex(12)
    who = f"u-{secrets.token_hex(8)}"

    def hers(of: int) -> list[tuple[int, str, dict[str, Any]]]:
        return [
            (number % 3 * DAY_NS, f"order {number} {needle if number % 50 == 0 else 'x'}",
             {"user.id": who if number % 50 == 0 else "u-bob"})
            for number in range(of)
        ]  # fmt: skip

    def started(platform: Serving, http: httpx.Client) -> str:
        send(http, hers(3_000))
        assert within(20, lambda: count(http, f"user_id:{who}")) == 60
        assert files_with(platform.data, needle), "the write-ahead log holds it as it is"
        preview = http.post("/api/ops/v1/logs/erasures/preview", json={"query": f"user_id:{who}"}).json()
        assert (preview["records"], preview["services"]) == (60, [{"value": "shop", "count": 60}])
        body = {"query": f"user_id:{who}", "reason": "request 4711"}
        return http.post("/api/ops/v1/logs/erasures", json=body).json()["id"]

    with serving(tmp_path) as platform, platform.client() as http:
        id = started(platform, http)
        platform.kill()
    with serving(tmp_path) as platform:
        time.sleep(4)
        platform.kill()
    with serving(tmp_path) as platform, platform.client() as http:
        done = within(100, lambda: _done(http, id))
        assert (done["matched"], done["found_after"], done["newer"], done["error"]) == (60, 0, 0, "")
        assert done["deleted"] == 60
        assert done["search"] == ""
        assert count(http, f"user_id:{who}") == 0
        assert count(http, "user_id:u-bob") == 2_940
        assert files_with(platform.data, needle) == []
        assert files_with(platform.data, who) == [], "nor what was asked for"
        acts = [one for one in http.get("/api/ops/v1/audit").json() if one["kind"] == "erasure"]
        assert "finished" in {one["action"] for one in acts}
        shown = run_command(tmp_path, "erasures", "show", id).stdout
        assert "60 found, 60 deleted, 0 found after it" in shown
        refused = run_command(tmp_path, "erasures", "run", "*", "--yes")
        assert refused.returncode != 0
        assert "finds all records" in refused.stderr
    assert stored_parts(platform.data, who)["rows"].strip() in ('{"n":0}', '{"n":"0"}')
    assert files_with(platform.data, who) == []


def _done(http: httpx.Client, id: str) -> dict[str, Any] | None:
    found = http.get(f"/api/ops/v1/logs/erasures/{id}").json()
    return found if found["stage"] == "done" else None
