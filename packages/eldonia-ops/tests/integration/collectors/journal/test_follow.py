"""The journal of a folder is followed by the real journalctl, through restarts and kills, each entry once."""

import json
import time
from collections import Counter
from pathlib import Path

from journal_files import write_journal
from required_tools import requires_tool
from serving import Serving, serving


def messages(platform: Serving, count: int) -> Counter[str]:
    until = time.monotonic() + 30
    while True:
        with platform.client() as http:
            text = http.get("/api/ops/v1/logs/export.ndjson", params={"service": "shop", "since": "-1d"}).text
        found = Counter(json.loads(line)["message"] for line in text.splitlines())
        if found.total() >= count or time.monotonic() > until:
            return found
        time.sleep(0.2)


def wait_until_followed(platform: Serving) -> None:
    until = time.monotonic() + 30
    with platform.client() as http:
        while time.monotonic() < until:
            targets = json.dumps(http.get("/api/ops/v1/targets").json())
            if '"journal"' in targets and '"up"' in targets:
                time.sleep(1.0)
                return
            time.sleep(0.1)
    raise AssertionError(targets)


@requires_tool("journalctl")
def test_each_entry_once_through_restarts_and_kills(tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    write_journal(folder, ["before the first start"], name="0")
    settings = {"rules": {"defaults": False}, "journal": {"enabled": True, "directory": str(folder)}}
    expected: list[str] = []
    for turn in range(4):
        with serving(tmp_path / "ops", settings) as platform:
            if turn == 0:
                wait_until_followed(platform)
            some = [f"turn {turn} entry {n}" for n in range(1_500)]
            write_journal(folder, some, name=f"{turn}-running")
            expected += some
            if turn % 2:
                time.sleep(0.3 * turn)
                platform.kill()
            else:
                assert messages(platform, len(expected)) == Counter(expected)
        while_down = [f"turn {turn} down {n}" for n in range(50)]
        write_journal(folder, while_down, name=f"{turn}-stopped")
        expected += while_down
    with serving(tmp_path / "ops", settings) as platform:
        assert messages(platform, len(expected)) == Counter(expected)
        # Nothing comes twice a little later.
        time.sleep(1.0)
        assert messages(platform, len(expected)) == Counter(expected)
