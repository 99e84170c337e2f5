"""Accounts from the command line: the first admin before the first start, and people on a running platform."""

import re
import socket
import subprocess
from pathlib import Path

import httpx
from serving import run_command, serving

OURS = {"Sec-Fetch-Site": "same-origin"}


def create(folder: Path, password: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_command(folder, "accounts", "create", *arguments, given=f"{password}\n")


def test_the_first_admin_is_made_before_the_first_start_and_invites_others(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    data = str(folder / "data")
    weak = create(folder, "short", "hana", "--role", "admin", "--offline", "--data", data)
    assert weak.returncode == 2
    assert "at least 10 characters" in weak.stderr
    made = create(folder, "correct horse", "Hana", "--role", "admin", "--offline", "--data", data)
    assert made.returncode == 0, made.stderr
    assert "hana can sign in as admin" in made.stdout
    assert "correct horse" not in made.stdout + made.stderr
    again = create(folder, "correct horse", "hana", "--offline", "--data", data)
    assert again.returncode == 1
    assert "there is an account hana already" in again.stderr
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # An account is enough to listen beyond this machine.
    with serving(folder, {"listen": f"0.0.0.0:{port}"}, port=port) as platform:
        at = ("--url", platform.url, "--token", platform.token)
        busy = create(folder, "correct horse", "mio", "--offline", "--data", data)
        assert busy.returncode == 2
        assert f"process {platform.process.pid}" in busy.stderr

        with httpx.Client(base_url=platform.url, trust_env=False, headers=OURS) as browser:
            fields = {"name": "hana", "password": "correct horse"}
            assert browser.post("/sign-in", data=fields).status_code == 303
            assert browser.get("/api/ops/v1/me").json()["role"] == "admin"

        invited = run_command(folder, "accounts", "invite", "ken", "--role", "responder", *at)
        assert invited.returncode == 0, invited.stderr
        assert re.fullmatch(rf"{platform.url}/join#eopl_[\w-]{{43}}\n", invited.stdout)
        assert "for ken; works once" in invited.stderr
        second = run_command(folder, "accounts", "invite", "ken", *at).stdout
        assert second != invited.stdout
        with httpx.Client(base_url=platform.url, trust_env=False, headers=OURS) as browser:
            fields = {"password": "a good password", "again": "a good password"}
            old, new = (link.strip().partition("#")[2] for link in (invited.stdout, second))
            assert browser.post("/join", data=fields | {"secret": old}).status_code == 410
            assert browser.post("/join", data=fields | {"secret": new}).status_code == 303
            assert browser.get("/api/ops/v1/me").json()["account"] == "ken"
            assert "ken" in run_command(folder, "accounts", "sessions", "ken", *at).stdout
            assert run_command(folder, "accounts", "set-role", "ken", "viewer", *at).stdout == "ken is viewer\n"
            assert browser.get("/api/ops/v1/me").json()["role"] == "viewer"
            made = run_command(folder, "token", "create", "laptop", "--owner", "ken", "--expires", "1d", *at)
            headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
            assert httpx.get(f"{platform.url}/api/ops/v1/me", headers=headers, trust_env=False).json()["name"] == "ken"
            assert run_command(folder, "accounts", "disable", "ken", *at).returncode == 0
            assert browser.get("/api/ops/v1/me").status_code == 401
            assert httpx.get(f"{platform.url}/api/ops/v1/me", headers=headers, trust_env=False).status_code == 401
        last = run_command(folder, "accounts", "disable", "hana", *at)
        assert last.returncode == 1
        assert "make somebody else an admin first" in last.stderr
        listed = run_command(folder, "accounts", "list", *at).stdout
        assert re.search(r"^ken +responder|^ken +viewer +disabled", listed, re.M), listed
        assert run_command(folder, "accounts", "enable", "ken", *at).returncode == 0
        reset = run_command(folder, "accounts", "reset-password", "ken", *at)
        assert "/join#eopl_" in reset.stdout
        tokens = run_command(folder, "token", "list", *at).stdout
        assert re.search(r"laptop +viewer +ken ", tokens), tokens
        log = "".join(one.read_text() for one in folder.glob("*.log"))
        for secret in ("correct horse", "a good password", reset.stdout.strip()[-20:]):
            assert secret not in log
