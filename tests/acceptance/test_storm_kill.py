"""``kill -9`` in a storm: after the next start, what was acknowledged is shown, in its incidents, and sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from programs import eventually, free_port

SETTINGS = """
listen: 127.0.0.1:{port}
data: {folder}/data
host: {{enabled: false}}
rules: {{defaults: false}}
alertmanager: {{file: {folder}/alertmanager.yml}}
"""

ROUTING = """
route: {{receiver: team, group_by: [group], group_wait: 1s, group_interval: 2s}}
receivers:
  - name: team
    webhook_configs: [{{url: 'http://127.0.0.1:{receiver}/hook'}}]
"""

REQUESTS, EACH = 25, 100


def alerts(request: int) -> list[dict[str, Any]]:
    return [
        {
            "labels": {
                "alertname": "Down",
                "severity": "critical",
                "id": str(number),
                "service": f"service-{number}",
                "group": f"group-{number % 20}",
            }
        }
        for number in range(request * EACH, (request + 1) * EACH)
    ]


def test_kill_in_a_storm_loses_no_alert_and_takes_none_in_twice(program: Callable[..., Any], tmp_path: Path) -> None:
    port, far = free_port(), free_port()
    (tmp_path / "alertmanager.yml").write_text(ROUTING.format(receiver=far))
    settings = tmp_path / "eldonia-ops.yml"
    settings.write_text(SETTINGS.format(port=port, folder=tmp_path))
    platform = program("platform", "-m", "eldonia_ops", "serve", "--config", str(settings))
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        return httpx.get(f"{url}/-/ready", timeout=2, trust_env=False, verify=False).is_success

    platform.start()
    eventually(ready, "the first start", 60, platform)
    token = (tmp_path / "data" / "admin.token").read_text().strip()
    with httpx.Client(
        base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    ) as client:
        for request in range(REQUESTS):
            assert client.post("/api/v2/alerts", json=alerts(request)).status_code == 200
        platform.kill()
        platform.start()
        eventually(ready, "the second start", 60, platform)
        shown = [alert["labels"]["id"] for alert in client.get("/api/v2/alerts").json()]
        assert sorted(map(int, shown)) == list(range(REQUESTS * EACH))
        incidents = client.get("/api/ops/v1/incidents", params={"limit": 1_000}).json()
        assert len(incidents) == 100, "one outage is not an incident for each"
        attached = [item for incident in incidents for item in incident["fingerprints"]]
        assert len(attached) == len(set(attached)) == REQUESTS * EACH

        def queued() -> bool:
            rows = client.get("/api/ops/v1/notifications", params={"limit": 1_000}).json()
            known = [item for row in rows for item in row["fingerprints"]]
            return len(set(known)) == REQUESTS * EACH

        eventually(queued, "a message about each alert", 60, platform)
    assert platform.stop() == 0
