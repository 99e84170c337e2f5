"""Actuators with real programs and a real webhook receiver."""

import asyncio
import contextlib
import os
import stat
import sys
from pathlib import Path

import pytest

from eldonia_ops.actuators.command import CommandActuator
from eldonia_ops.actuators.docker import DockerActuator
from eldonia_ops.actuators.systemd import SystemdActuator
from eldonia_ops.actuators.webhook import WebhookActuator
from eldonia_ops.model.secret import Secret
from eldonia_ops.ports import ActuatorError


def gone(pid):
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True


def program(folder, name, text):
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


async def test_a_command_runs_without_a_shell(tmp_path):
    actuator = CommandActuator(
        (sys.executable, "-c", "import os, sys; print(sys.argv[1], os.environ['A'], os.getcwd())", "$(id); *"),
        cwd=str(tmp_path),
        env={"A": "b"},
    )
    assert await actuator.restart() == f"ran {sys.executable}: $(id); * b {tmp_path}"


async def test_what_a_command_repeats_of_its_arguments_holds_no_secrets():
    with pytest.raises(ActuatorError, match="bad option") as caught:
        await CommandActuator(("/bin/sh", "-c", 'echo "bad option: $1"; exit 3', "sh", "--token=hunter2")).restart()
    assert "hunter2" not in str(caught.value)


async def test_a_command_that_fails_shows_the_end_of_its_output():
    with pytest.raises(ActuatorError, match=r"(?s)/bin/sh exited with 3: .*last words") as caught:
        await CommandActuator(("/bin/sh", "-c", "seq 100000; echo last words >&2; exit 3")).restart()
    assert len(str(caught.value)) < 2_100
    with pytest.raises(ActuatorError, match="was ended by SIGTERM"):
        await CommandActuator(("/bin/sh", "-c", "kill $$")).restart()


async def test_a_command_that_cannot_be_started(tmp_path):
    with pytest.raises(ActuatorError, match="/no/such/program does not exist"):
        await CommandActuator(("/no/such/program",)).restart()
    with pytest.raises(ActuatorError, match="/no/folder does not exist"):
        await CommandActuator(("/bin/true",), cwd="/no/folder").restart()
    plain = tmp_path / "plain"
    plain.write_text("x")
    with pytest.raises(ActuatorError, match="cannot be started: Permission denied"):
        await CommandActuator((str(plain),)).restart()


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path):
    mark = tmp_path / "pids"
    script = f"sleep 60 & echo $! > {mark}; trap '' TERM; while :; do sleep 1; done"
    with pytest.raises(ActuatorError, match=r"did not end within 2 s"):
        await CommandActuator(("/bin/sh", "-c", script), timeout_ms=2_000).restart()
    child = int(mark.read_text())
    async with asyncio.timeout(30):  # half of what the child would take by itself
        while not gone(child):  # noqa: ASYNC110 - the end of another's process is no event
            await asyncio.sleep(0.02)


async def test_a_daemon_left_behind_does_not_hold_the_command_up(tmp_path):
    mark = tmp_path / "pid"
    await CommandActuator(("/bin/sh", "-c", f"setsid sleep 50 & echo $! > {mark}; echo done")).restart()
    daemon = int(mark.read_text())
    assert not gone(daemon)
    os.kill(daemon, 9)


async def test_systemd(tmp_path, monkeypatch):
    calls = tmp_path / "calls"
    program(
        tmp_path,
        "systemctl",
        f'echo "$@" >> {calls}; case "$*" in *is-active*bad*) echo failed; exit 3;; '
        '*gone*) echo "Unit gone.service not found." >&2; exit 5;; esac',
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert await SystemdActuator("shop.service").restart() == "restarted the systemd unit shop.service"
    assert await SystemdActuator("shop@1", user=True, verb="start").restart() == "started the systemd unit shop@1"
    assert calls.read_text().splitlines() == [
        "--no-ask-password restart -- shop.service",
        "--no-ask-password is-active -- shop.service",
        "--user --no-ask-password start -- shop@1",
        "--user --no-ask-password is-active -- shop@1",
    ]
    with pytest.raises(ActuatorError, match=r"bad was asked to restart and is failed"):
        await SystemdActuator("bad").restart()
    with pytest.raises(ActuatorError, match=r"exited with 5: Unit gone.service not found"):
        await SystemdActuator("gone").restart()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ActuatorError, match="does not run systemd"):
        await SystemdActuator("shop").restart()
    for unit in ("", "-x", "a b", "a;b", "../x"):
        with pytest.raises(ValueError, match="not the name"):
            SystemdActuator(unit)


async def test_docker(tmp_path, monkeypatch):
    calls = tmp_path / "calls"
    program(
        tmp_path,
        "docker",
        f'echo "$@" >> {calls}; case "$*" in "restart"*lost*) echo "No such container: lost" >&2;'
        " exit 1;; inspect*sick*) echo restarting;; inspect*) echo running;; esac",
    )
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert await DockerActuator("shop", stop_seconds=3).restart() == "restarted the container shop"
    assert calls.read_text().splitlines() == ["restart --time 3 shop", "inspect --format {{.State.Status}} shop"]
    with pytest.raises(ActuatorError, match="No such container: lost"):
        await DockerActuator("lost").restart()
    with pytest.raises(ActuatorError, match="was restarted and is restarting"):
        await DockerActuator("sick").restart()
    with pytest.raises(ActuatorError, match="no-docker is not installed"):
        await DockerActuator("shop", program="no-docker").restart()
    with pytest.raises(ValueError, match="not the name"):
        DockerActuator("--privileged")


class Receiver:
    """A webhook receiver on a free port: paths say how it answers."""

    async def __aenter__(self):
        self.requests = []
        self._never = asyncio.Event()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self._never.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        self.requests.append((head, await reader.readexactly(length)))
        path = head.split(" ")[1]
        if path == "/slow":
            await self._never.wait()
        elif path == "/drip":
            # Each piece comes in time; the whole never does.
            writer.write(b"HTTP/1.1 200 OK\r\n")
            with contextlib.suppress(ConnectionError):
                while not self._never.is_set():
                    writer.write(b"X-More: 1\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.05)
        elif path == "/endless":
            writer.write(b"HTTP/1.1 500 Oops\r\nContent-Length: 1000000000000\r\n\r\n")
            with contextlib.suppress(ConnectionError):
                while not self._never.is_set():
                    writer.write(b"y" * 65_536)
                    await writer.drain()
        else:
            status = {"/bad": "500 Oops", "/away": "307 Away"}.get(path.partition("?")[0], "202 Accepted")
            body = f"no {head}".encode()
            writer.write(
                f"HTTP/1.1 {status}\r\nLocation: {self.url}/\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
            )
            await writer.drain()
        writer.close()


async def test_webhook():
    async with Receiver() as receiver:
        actuator = WebhookActuator(Secret(receiver.url + "/restart?token=hush"), "shop", headers={"X-Key": Secret("k")})
        assert await actuator.restart() == "asked the webhook to restart shop (HTTP 202)"
        head, body = receiver.requests[0]
        assert body == b'{"action":"restart","service":"shop"}'
        assert "X-Key: k\r\n" in head
        assert "Content-Type: application/json\r\n" in head
        assert "hush" not in repr(actuator)
        await WebhookActuator(Secret(receiver.url + "/"), "shop", method="PUT", body={"a": [1]}).restart()
        assert receiver.requests[1][0].startswith("PUT / ")
        assert receiver.requests[1][1] == b'{"a":[1]}'
    with pytest.raises(ActuatorError, match="cannot be reached") as caught:
        await WebhookActuator(Secret(receiver.url + "/x?token=hush"), "shop").restart()
    assert "hush" not in str(caught.value)


async def test_a_webhook_that_refuses_is_quoted_without_the_secrets_it_was_sent():
    async with Receiver() as receiver:
        secrets = {"Authorization": Secret("Bearer hush")}
        with pytest.raises(ActuatorError, match="answered HTTP 500: no POST <secret> ") as caught:
            await WebhookActuator(Secret(receiver.url + "/bad?token=shh"), "shop", headers=secrets).restart()
        assert "hush" not in str(caught.value)
        assert "shh" not in str(caught.value)
        with pytest.raises(ActuatorError, match="answered HTTP 307"):
            await WebhookActuator(Secret(receiver.url + "/away"), "shop").restart()
        assert len(receiver.requests) == 2


@pytest.mark.parametrize("path", ["/slow", "/drip"])
async def test_a_webhook_has_a_limit_on_the_whole(path):
    async with Receiver() as receiver:
        with pytest.raises(ActuatorError, match=r"did not answer within 0\.3 s"):
            await WebhookActuator(Secret(receiver.url + path), "shop", timeout_ms=300).restart()


async def test_a_webhook_is_not_listened_to_for_ever():
    async with Receiver() as receiver:
        with pytest.raises(ActuatorError, match=r"answered HTTP 500: y{300}$"):
            await WebhookActuator(Secret(receiver.url + "/endless"), "shop").restart()


async def test_a_program_inherits_no_secret_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("ELDONIA_OPS_TOKEN", "hunter2")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    monkeypatch.setenv("LC_TIME", "C")
    for env in ({}, {"A": "b"}):
        actuator = CommandActuator(("/bin/sh", "-c", f"env > {tmp_path}/env"), env=env)
        await actuator.restart()
        inherited = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
        assert "hunter2" not in inherited.values()
        assert inherited["PATH"] == os.environ["PATH"]
        assert inherited["LC_TIME"] == "C"
        assert inherited.get("A") == env.get("A")
