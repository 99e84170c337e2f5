"""A platform that listens beyond loopback from its first start on, as in a container."""

import os
import pty
import select
import socket
import subprocess
import sys
import time

import httpx
from local_server import free_port
from serving import run_command, serving


def test_with_a_first_token_it_listens_everywhere_at_once(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir()
    made = run_command(folder, "token", "first", "--data", str(folder / "data"))
    assert made.returncode == 0, made.stderr
    token = (folder / "data" / "admin.token").read_text().strip()
    assert token not in made.stdout + made.stderr
    assert (folder / "data" / "admin.token").stat().st_mode & 0o077 == 0
    again = run_command(folder, "token", "first", "--data", str(folder / "data"))
    assert again.returncode == 0
    assert "already" in again.stdout
    assert (folder / "data" / "admin.token").read_text().strip() == token
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serving(folder, {"listen": f"0.0.0.0:{port}"}, port=port) as platform:
        answer = httpx.get(
            f"{platform.url}/api/ops/v1/me", headers={"Authorization": f"Bearer {token}"}, trust_env=False
        )
        assert answer.json()["role"] == "admin"
        busy = run_command(folder, "token", "first", "--data", str(folder / "data"))
        assert busy.returncode == 2
        assert f"process {platform.process.pid}" in busy.stderr


def test_the_token_is_shown_on_a_terminal_and_written_nowhere_else(tmp_path):
    # A journal keeps it, and this platform may take that in and show it to everybody who may search.
    with serving(tmp_path / "a", {"rules": {"defaults": False}}) as platform:
        until = time.monotonic() + 10
        while "admin.token" not in (printed := (platform.folder / "serve.log").read_text()):
            assert time.monotonic() < until, printed
            time.sleep(0.05)
        assert platform.token not in printed
    shown, terminal = pty.openpty()
    command = [sys.executable, "-m", "eldonia_ops", "serve", "--listen", f"127.0.0.1:{free_port()}", "--data", "data"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=terminal, stderr=subprocess.DEVNULL) as process:
        text, until = b"", time.monotonic() + 60
        while b"eops_a_" not in text and time.monotonic() < until:
            if select.select([shown], [], [], 0.2)[0]:
                text += os.read(shown, 4_096)
        process.terminate()
    assert (tmp_path / "data" / "admin.token").read_bytes().strip()[:20] in text
