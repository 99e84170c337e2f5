"""Patterns of a platform that runs: on the command line, in rules, and after `kill -9`."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
from serving import Serving, run_command, serving

BASE = "/api/ops/v1"
MINUTE = 60 * 10**9
INFO, ERROR = 9, 17


def _send(client: httpx.Client, records: list[tuple[float, int, str]]) -> None:
    """Records of ``payments``: minutes ago, severity, message."""
    now = time.time_ns()
    logs = [
        {"timeUnixNano": str(now - int(ago * MINUTE)), "severityNumber": level, "body": {"stringValue": text}}
        for ago, level, text in records
    ]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "payments"}}]}
    body = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": logs}]}]}
    client.post("/v1/logs", json=body).raise_for_status()


def _templates(client: httpx.Client) -> dict[str, str]:
    found = client.get(f"{BASE}/logs/patterns", params={"query": "service:payments"}).raise_for_status().json()
    return {one["template"]: one["id"] for one in found["patterns"]}


def _answer(platform: Serving, *words: str) -> Any:
    found = run_command(platform.folder, "logs", *words, "--json")
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


def test_patterns_are_the_same_after_kill_9_and_new_ones_are_named(tmp_path: Path) -> None:
    with serving(tmp_path) as platform, platform.client() as client:
        _send(client, [(ago, INFO, f"payment {ago} accepted in {ago}ms") for ago in range(20, 55)])
        before = _templates(client)
        assert list(before) == ["payment <#> accepted in <#>ms"]
        platform.kill()
    with serving(tmp_path) as platform, platform.client() as client:
        _send(client, [(ago, ERROR, f"payment {ago} was declined") for ago in range(1, 9)])
        _send(client, [(15, INFO, "payment 7 accepted in 3ms")])
        after = _templates(client)
        assert after.items() > before.items()
        assert "payment <#> was declined" in after
        service = {"title": "another provider", "service": "payments", "version": "2.4.0", "at": "-10m"}
        deploy = client.post(f"{BASE}/changes", json=service).raise_for_status().json()["id"]
        new = _answer(platform, "new", "--since-deploy", "--service", "payments")
        assert [(one["difference"], one["pattern"]["template"]) for one in new["changes"]] == [
            ("new", "payment <#> was declined"),
            ("gone", "payment <#> accepted in <#>ms"),
        ]
        assert (new["origin"], new["title"]) == ("deploy", "payments 2.4.0 another provider")
        assert new["before_until"] == new["since"]
        assert _answer(platform, "new", "--deploy", deploy)["since"] == new["since"]
        opened = client.post(f"{BASE}/incidents", json={"title": "x", "severity": "high", "service": "payments"})
        incident = _answer(platform, "new", "--incident", opened.raise_for_status().json()["reference"])
        assert (incident["origin"], incident["until"] - incident["since"] < MINUTE) == ("incident", True)
        assert incident["since"] - incident["before_since"] == 3_600_000, "a shorter time would have too few records"
        chosen = _answer(platform, "new", "level:error", "--range", "-10m", "--against", "-60m..-15m")
        assert [one["difference"] for one in chosen["changes"]] == ["new"]

        shown = run_command(tmp_path, "logs", "patterns", "level:error")
        assert "payment <#> was declined" in shown.stdout
        assert after["payment <#> was declined"] in shown.stdout
        shown = run_command(tmp_path, "logs", "new", "--since-deploy")
        assert "gone" in shown.stdout
        # A search may begin as a command does not: with words, an option, or nothing.
        by_id = f"pattern:{after['payment <#> was declined']}"
        assert len(run_command(tmp_path, "logs", by_id).stdout.splitlines()) == 8
        assert len(run_command(tmp_path, "logs", "--limit", "3").stdout.splitlines()) == 3
        assert "accepted" not in run_command(tmp_path, "logs", '"new"').stdout


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    with serving(tmp_path) as platform, platform.client() as client:
        for parameters, words in (
            ({"deploy": "latest"}, "no deploy was reported"),
            ({"deploy": "latest", "service": "shop"}, "no deploy of shop"),
            ({"deploy": "f" * 32}, "no deploy with the id"),
            ({"incident": "INC-9"}, "INC-9"),
            ({"incident": "INC-9", "deploy": "latest"}, "either"),
            ({"against_until": "-1h"}, "against_since is missing"),
            ({"against_since": "-1h", "against_until": "-2h"}, "ends before it begins"),
            ({"query": "level>"}, "level"),
        ):
            answer = client.get(f"{BASE}/logs/pattern-changes", params=parameters)
            assert answer.status_code in (400, 404), parameters
            assert words in answer.text, answer.text
        refused = run_command(tmp_path, "logs", "new", "--since-deploy", "--incident", "INC-1")
        assert refused.returncode == 2
        assert "one of" in refused.stderr
        empty = run_command(tmp_path, "logs", "new")
        assert "Nothing is new" in empty.stdout
        assert platform.process.poll() is None


def test_the_rate_of_a_pattern_is_a_rule(tmp_path: Path) -> None:
    from eldonia_ops.log_patterns.drain import pattern_id

    id = pattern_id(["disk", "<#>", "is", "full"])
    rules = tmp_path / "rules.yml"
    rules.write_text(
        json.dumps(
            {
                "groups": [
                    {
                        "name": "disks",
                        "interval": "1s",
                        "rules": [
                            {
                                "alert": "DisksFull",
                                "logs": f"pattern:{id} | stats count() by service | where count > 4",
                                "labels": {"severity": "warning"},
                            },
                            {"record": "disk_full:count", "logs": f"pattern:{id} | stats count() by service"},
                        ],
                    }
                ]
            }
        )
    )
    with serving(tmp_path, {"rules": {"files": [str(rules)]}}) as platform, platform.client() as client:
        _send(client, [(0.1, ERROR, f"disk {number} is full") for number in range(5)])
        assert _templates(client) == {"disk <#> is full": id}
        until = time.monotonic() + 40
        while time.monotonic() < until:
            alerts = client.get(f"{BASE}/alerts").json()
            if any(one["labels"].get("alertname") == "DisksFull" for one in alerts):
                break
            time.sleep(0.3)
        else:
            raise AssertionError("the rule does not fire")
        series = client.get(f"{BASE}/query", params={"query": "disk_full:count"}).json()["series"]
        assert [(one["labels"]["service"], one["points"][0][1]) for one in series] == [("payments", 5)]
