"""A platform that listens beyond loopback from its first start on, as in a container."""

import socket

import httpx
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
