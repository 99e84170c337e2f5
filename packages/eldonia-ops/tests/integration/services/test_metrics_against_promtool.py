"""Our own metrics under Debian's promtool, from the real platform."""

import asyncio
import contextlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from required_tools import requires_tool, tool

from eldonia_ops.services.own_metrics import OPENMETRICS, TEXT

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
    (tmp_path / "eldonia-ops.yml").write_text("host: {interval: 1s}\nrules: {files: [rules.yml], defaults: false}\n")
    async with serving(tmp_path) as http:
        async with asyncio.timeout(120):
            while not await _everything_ran(http):
                await _pause()
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


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A platform in a process of its own: a process can have one chDB directory open."""
    arguments = ["--config", str(folder / "eldonia-ops.yml"), "--data", str(folder / "data"), "--listen", "127.0.0.1:0"]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "eldonia_ops", "serve", *arguments],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        first = (await asyncio.wait_for(process.stdout.readline(), 120)).decode()
        address = first.split()[-1]
        token = (folder / "data" / "admin.token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False, timeout=30) as http:
            yield http
    finally:
        process.terminate()
        await process.wait()


async def _pause() -> None:
    await asyncio.sleep(0.1)


async def _everything_ran(http: httpx.AsyncClient) -> bool:
    text = (await http.get("/metrics")).text
    loops = (await http.get("/api/ops/v1/platform")).json()["loops"]
    succeeded = any(one["succeeded_at"] for one in loops if one["name"].startswith("rule group g"))
    return succeeded and all(_count(text, work) for work in WORK)


def _count(text: str, work: str) -> float:
    found = re.findall(rf"^eldonia_ops_{work}_duration_seconds_count(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return sum(map(float, found))
