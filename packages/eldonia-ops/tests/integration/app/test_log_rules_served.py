"""A rule about logs in a platform that runs: made through the API, previewed, and firing for what is sent to it."""

import time
from pathlib import Path
from typing import Any

import httpx
from serving import serving

BASE = "/api/ops/v1"
QUERY = "error | stats count() as errors, p95(took) as slow by service, http.status | where errors >= 5"


def _send(client: httpx.Client, count: int, age_seconds: float) -> None:
    at = time.time_ns() - int(age_seconds * 1e9)
    records = [
        {
            "timeUnixNano": str(at + number),
            "severityText": "ERROR",
            "body": {"stringValue": f"an error of order {number}"},
            "attributes": [
                {"key": "took", "value": {"doubleValue": float(number)}},
                {"key": "http.status", "value": {"intValue": "503"}},
            ],
        }
        for number in range(count)
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}
    client.post("/v1/logs", json=body).raise_for_status()


def _alerts(client: httpx.Client) -> list[dict[str, Any]]:
    found = client.get(f"{BASE}/alerts").raise_for_status().json()
    return [one for one in found if one["labels"].get("alertname") == "ManyErrors"]


def test_a_rule_about_logs_is_made_previewed_and_fires(tmp_path: Path) -> None:
    settings = {"rules": {"evaluation_interval": "1s"}, "host": {"enabled": False}}
    with serving(tmp_path, settings) as platform, platform.client() as client:
        _send(client, 10, 3_600)
        wanted = {"logs": QUERY, "range": "5m", "duration": "0s"}
        found = client.post(f"{BASE}/configuration/rules/preview", json=wanted).raise_for_status().json()
        assert (found["fired"], found["series"], found["highest"]) == (1, 1, 10.0)
        wrong = client.post(f"{BASE}/configuration/rules/preview", json={"logs": "a | statz"}).json()["error"]
        assert (wrong["position"], wrong["field"]) == (4, "logs")
        values = {
            "alert": "ManyErrors",
            "logs": QUERY,
            "range": "2m",
            "labels": {"severity": "warning"},
            "annotations": {"summary": "{{ $value }} errors of {{ $labels.service }}"},
        }
        version = client.get(f"{BASE}/configuration").headers["ETag"]
        changes = {"changes": [{"section": "rules.alerts", "values": values}]}
        answer = client.post(f"{BASE}/configuration/changes", json=changes, headers={"If-Match": version})
        assert answer.is_success, answer.text
        card = next(one for one in client.get(f"{BASE}/configuration/rules").json() if one["alert"] == "ManyErrors")
        assert (card["logs"], card["range_seconds"], card["expr"]) == (True, 120.0, QUERY)
        assert not _alerts(client)
        _send(client, 6, 1)
        until = time.monotonic() + 30
        while not (firing := _alerts(client)) and time.monotonic() < until:
            time.sleep(0.2)
        assert firing[0]["labels"] == {
            **{"alertname": "ManyErrors", "service": "shop", "http_status": "503", "severity": "warning"}
        }
        assert firing[0]["annotations"]["summary"] == "6 errors of shop"
