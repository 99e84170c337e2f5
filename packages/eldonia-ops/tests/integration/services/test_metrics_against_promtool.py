"""Our own metrics under Debian's promtool, from the real platform."""

import asyncio
import re
import subprocess
from pathlib import Path

import httpx
import pytest
from required_tools import requires_tool, tool

from eldonia_ops.app.platform import running_platform
from eldonia_ops.services.own_metrics import OPENMETRICS, TEXT
from eldonia_ops.settings import parse_settings
from eldonia_ops.web.app import create_app

WORK = ("rule_group", "scrape", "insert", "table_insert", "http_request")
RULES = """
groups:
  - {name: g, interval: 200ms, rules: [{record: a, expr: vector(1)}, {alert: B, expr: 'vector(1)'}]}
"""


def check_metrics(text: str) -> tuple[int, str]:
    """Exit code and output of promtool."""
    command = [tool("promtool"), "check", "metrics"]
    checked = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return checked.returncode, checked.stdout + checked.stderr


@requires_tool("promtool")
async def test_the_exposition_of_the_platform_passes(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    text = "host: {interval: 1s}\nrules: {files: [rules.yml], defaults: false}"
    settings = parse_settings(text, tmp_path / "eldonia-ops.yml", {"HOME": str(tmp_path), "XDG_DATA_HOME": ""})
    async with running_platform(settings.with_data(tmp_path / "data"), {}) as platform:
        transport = httpx.ASGITransport(create_app(platform))
        bearer = {"Authorization": f"Bearer {platform.admin_secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=bearer) as http:
            async with asyncio.timeout(60):
                while not await _everything_ran(http):
                    await platform.clock.sleep_until(platform.now() + 100)
            await http.post("/api/v2/alerts", json=[{"labels": {"alertname": "C"}}])
            answer = await http.get("/metrics")
            other = await http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
            health = (await http.get("/api/ops/v1/platform")).json()
    assert answer.headers["content-type"] == TEXT
    assert other.headers["content-type"] == OPENMETRICS
    assert other.text.endswith("# EOF\n")
    # Lint of names counts too, and there is nothing to complain about.
    assert check_metrics(answer.text) == (0, "")
    families = set(re.findall(r"^# TYPE (\S+)", answer.text, re.MULTILINE))
    assert families == set(re.findall(r"^# HELP (\S+)", answer.text, re.MULTILINE))
    timed = {one["name"] for one in health["durations"]}
    assert {"eldonia_ops_rule_group_duration_seconds", "eldonia_ops_insert_duration_seconds"} <= timed
    assert not any(one["failing"] for one in health["loops"])
    assert health["versions"]["ClickHouse"]
    assert health["disk"]["free"] > 0


@requires_tool("promtool")
def test_promtool_would_complain() -> None:
    code, said = check_metrics("eldonia_ops_x 1\n")
    assert code != 0
    assert "no help text" in said


async def _everything_ran(http: httpx.AsyncClient) -> bool:
    text = (await http.get("/metrics")).text
    loops = (await http.get("/api/ops/v1/platform")).json()["loops"]
    succeeded = any(one["succeeded_at"] for one in loops if one["name"].startswith("rule group g"))
    return succeeded and all(_count(text, work) for work in WORK)


def _count(text: str, work: str) -> float:
    found = re.findall(rf"^eldonia_ops_{work}_duration_seconds_count(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """asyncio makes a pair of sockets for itself."""
