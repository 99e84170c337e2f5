"""systemd-journal-upload sends a journal that systemd-journal-remote has written, unmodified."""

import json
import subprocess
from pathlib import Path

from journal_files import systemd_program, write_journal
from local_server import free_port
from serving import serving

MANY = 3_000


def test_systemd_journal_upload(tmp_path: Path) -> None:
    upload = systemd_program("systemd-journal-upload")
    write_journal(tmp_path / "journal", [*(f"entry {n}" for n in range(MANY)), "two\nlines"])
    port = free_port()
    settings = {"rules": {"defaults": False}, "listeners": {"journal": {"port": port, "anonymous": "ingest"}}}
    command = [
        upload, f"--url=http://127.0.0.1:{port}", f"--directory={tmp_path / 'journal'}", "--follow=no",
        f"--save-state={tmp_path / 'state'}",
    ]  # fmt: skip
    with serving(tmp_path / "ops", settings) as platform:
        for turn in range(2):
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert done.returncode == 0, done.stderr
            if turn == 0:  # as if the answer had been lost: all is sent again
                (tmp_path / "state").unlink()
        with platform.client() as http:
            text = http.get("/api/ops/v1/logs/export.ndjson", params={"service": "shop", "since": "-1d"}).text
    found = [json.loads(line) for line in text.splitlines()]
    assert sorted(one["message"] for one in found) == sorted([*(f"entry {n}" for n in range(MANY)), "two\nlines"])
    assert {(one["level"], one["hostname"]) for one in found} == {("warn", "web-1")}
