"""A running process whose files change: SIGHUP, the HTTP interface and the command line."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="module")  # that of the shared process

SETTINGS = """
host: {enabled: false}
rules: {files: [rules.yml], defaults: false, evaluation_interval: 1s}
alertmanager: {file: am.yml}
"""
RULES = "groups: [{name: shop, rules: [{alert: One, expr: vector(1), labels: {severity: warning}}]}]\n"
ROUTING = "route: {receiver: r}\nreceivers: [{name: r}]\n"


@dataclass(slots=True)
class Served:
    folder: Path
    url: str
    token: str
    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    async def metric(self, name: str) -> float:
        text = (await self.http.get("/metrics")).text
        found = re.search(rf"^{name} (\S+)$", text, re.MULTILINE)
        assert found, text
        return float(found[1])

    async def rules(self) -> list[str]:
        groups = (await self.http.get("/api/v1/rules")).json()["data"]["groups"]
        return [rule["name"] for group in groups for rule in group["rules"]]

    async def hangup(self) -> dict:
        """Send SIGHUP; returns the outcome of the reload."""
        before = (await self.http.get("/api/ops/v1/reload")).json()
        os.kill(self.process.pid, signal.SIGHUP)
        async with asyncio.timeout(20):
            while (found := (await self.http.get("/api/ops/v1/reload")).json()) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found


def write_all(folder: Path) -> None:
    for name, text in (("eldonia-ops.yml", SETTINGS), ("rules.yml", RULES), ("am.yml", ROUTING)):
        (folder / name).write_text(text)


@contextlib.asynccontextmanager
async def serving(folder: Path, *arguments: str) -> AsyncIterator[Served]:
    write_all(folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "eldonia_ops", "serve", "-c", str(folder / "eldonia-ops.yml"), "--data",
        str(folder / "data"), "--listen", "127.0.0.1:0", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=(folder / "log").open("wb"),
        cwd=folder, env={**os.environ, "HOME": str(folder)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
            while "token" not in (await process.stdout.readline()).decode():
                pass
        url = line.split()[-1]
        token = (folder / "data" / "admin.token").read_text().strip()
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as http:
            yield Served(folder, url, token, process, http)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One platform for all tests that leave it running."""
    async with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="module")
async def served(process: Served) -> Served:
    """The platform with the files of its start in force."""
    write_all(process.folder)
    (await process.http.post("/-/reload")).raise_for_status()
    return process


async def test_files_are_read_anew_and_a_bad_one_changes_nothing(served: Served) -> None:
    started = await served.metric("eldonia_ops_config_last_reload_success_timestamp_seconds")
    assert await served.metric("eldonia_ops_config_last_reload_successful") == 1
    assert await served.rules() == ["One"]

    served.write("rules.yml", RULES.replace("One", "Two"))
    outcome = await served.hangup()
    assert (outcome["successful"], outcome["by"], outcome["needs_restart"]) == (True, "SIGHUP", [])
    assert await served.rules() == ["Two"]
    assert await served.metric("eldonia_ops_config_last_reload_success_timestamp_seconds") > started

    served.write("rules.yml", RULES.replace("vector(1)", "vector(1"))
    served.write("am.yml", ROUTING.replace("receiver: r", "receiver: q"))
    outcome = await served.hangup()
    assert not outcome["successful"]
    assert await served.rules() == ["Two"]
    assert await served.metric("eldonia_ops_config_last_reload_successful") == 0
    answer = await served.http.post("/-/reload")
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")
    first, *lines = answer.text.splitlines()
    assert first == "failed to reload config:"
    assert any(line.startswith(f"{served.folder}/rules.yml:1:") for line in lines)
    assert any("receiver 'q' is not defined" in line for line in lines)
    assert (await served.http.get("/-/ready")).status_code == 200

    served.write("rules.yml", RULES.replace("One", "Three"))
    served.write("am.yml", ROUTING.replace("receiver: r", "receiver: r, group_wait: 1s"))
    answer = await served.http.post("/-/reload")
    assert (answer.status_code, answer.text) == (200, "")
    assert await served.rules() == ["Three"]
    assert "group_wait: 1s" in (await served.http.get("/api/v2/status")).json()["config"]["original"]
    assert await served.metric("eldonia_ops_config_last_reload_successful") == 1


async def test_settings_that_cannot_change_are_named_and_the_others_change(served: Served) -> None:
    served.write("eldonia-ops.yml", SETTINGS + "state: sqlite:///other.db\nlimits: {request: 1MiB}\nlanguage: ja\n")
    for _ in range(2):  # until the next start
        answer = await served.http.post("/-/reload")
        assert answer.status_code == 200
        assert answer.text.splitlines() == [
            "takes effect with the next start: state",
            "takes effect with the next start: limits.request",
        ]
    assert not (served.folder / "other.db").exists()
    assert 'lang="ja"' in (await served.http.get("/settings")).text
    served.write("eldonia-ops.yml", SETTINGS)
    assert (await served.http.post("/-/reload")).text == ""


async def test_only_admins_reload(served: Served) -> None:
    made = (await served.http.post("/api/ops/v1/tokens", json={"name": "v", "role": "responder"})).json()
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        assert (await stranger.post("/-/reload")).status_code == 401
        headers = {"Authorization": f"Bearer {made['secret']}"}
        assert (await stranger.post("/-/reload", headers=headers)).status_code == 403
        assert (await stranger.get("/api/ops/v1/reload", headers=headers)).status_code == 200
        assert (await served.http.get("/-/reload")).status_code == 405


async def test_the_command_reloads_and_prints_what_is_wrong(served: Served) -> None:
    async def command(*arguments: str) -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "eldonia_ops", "reload", "--url", served.url, "--token", served.token, *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        return process.returncode, out.decode()

    code, out = await command()
    assert (code, out.startswith("reloaded in ")) == (0, True)
    served.write("rules.yml", RULES.replace("alert:", "alrt:"))
    code, out = await command()
    assert code == 1
    assert f"{served.folder}/rules.yml:1:" in out
    assert "did you mean 'alert'?" in out
    assert "nothing has changed" in out


async def test_hangups_at_any_time_end_nothing(served: Served) -> None:
    for number in range(20):
        served.write("rules.yml", RULES.replace("One", f"R{number}"))
        os.kill(served.process.pid, signal.SIGHUP)
        await asyncio.sleep(0.01 * (number % 3))
    async with asyncio.timeout(20):
        while await served.rules() != ["R19"]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert "Traceback" not in (served.folder / "log").read_text()


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_hangup_does_not_end_a_process_that_starts_or_stops(tmp_path: Path, at_once: bool) -> None:
    async with serving(tmp_path) as served:
        if not at_once:
            await served.hangup()
        os.kill(served.process.pid, signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError):
            for _ in range(20):
                os.kill(served.process.pid, signal.SIGHUP)
                await asyncio.sleep(0.01)
        assert await served.process.wait() == 0
