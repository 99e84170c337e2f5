"""The port of Fluentd's HTTP input on a running platform: curl as its documentation does, and a kept connection."""

import json
import subprocess
from pathlib import Path

import httpx
from local_server import free_port
from required_tools import requires_tool, tool
from serving import serving


@requires_tool("curl")
def test_events_come_in_by_curl_and_on_a_kept_connection(tmp_path: Path) -> None:
    port = free_port()
    settings = {"rules": {"defaults": False}, "listeners": {"http_input": {"port": port, "anonymous": "ingest"}}}
    at = f"http://127.0.0.1:{port}"
    with serving(tmp_path, settings) as platform, platform.client() as main:
        body = 'json={"message":"by curl","service":"curl"}'
        said = subprocess.run(
            [tool("curl"), "-s", "-w", "%{http_code}", "-X", "POST", "-d", body, f"{at}/app.log"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert said.stdout == "200"
        with httpx.Client(base_url=at, trust_env=False) as http:
            for number in range(30):
                assert http.post("/app/log", json=[{"message": f"kept {number}", "service": "kept"}]).status_code == 200
            refused = http.post("/app.log", content=b"{", headers={"content-type": "application/json"})
            assert refused.status_code == 400
            assert refused.text.startswith("400 Bad Request\nthe body is no JSON")
            assert http.post("/api/ops/v1/tokens", json={"name": "a", "role": "admin"}).status_code == 200  # a tag, too
        found = main.get("/api/ops/v1/logs", params={"service": "kept", "since": "-1h", "limit": "100"}).json()[
            "records"
        ]
        assert {(one["message"], one["tag"]) for one in found} == {(f"kept {n}", "app.log") for n in range(30)}
        (one,) = main.get("/api/ops/v1/logs", params={"service": "curl", "since": "-1h"}).json()["records"]
        assert (one["message"], one["tag"]) == ("by curl", "app.log")
        # At the main port a path is what it was.
        assert main.post("/app.log", json={"message": "no"}).status_code in (404, 405)
        connections = main.get("/metrics").text
        assert 'eldonia_ops_listener_connections_total{listener="http_input"} 2.0' in connections
        assert "cannot be read" in json.dumps(main.get("/api/ops/v1/refusals").json())
