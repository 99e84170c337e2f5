"""Actuators with real programs and a real webhook receiver."""

import asyncio
import os
import stat
import sys
import time
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
    started = time.monotonic()
    with pytest.raises(ActuatorError, match=r"did not end within 0.3 s"):
        await CommandActuator(("/bin/sh", "-c", script), timeout_ms=300).restart()
    assert time.monotonic() - started < 6
    child = int(mark.read_text())
    for _ in range(100):
        if gone(child):
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the child of the command still runs")


async def test_a_daemon_left_behind_does_not_hold_the_command_up(tmp_path):
    mark = tmp_path / "pid"
    started = time.monotonic()
    await CommandActuator(("/bin/sh", "-c", f"setsid sleep 20 & echo $! > {mark}; echo done")).restart()
    assert time.monotonic() - started < 5
    os.kill(int(mark.read_text()), 9)


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
    with pytest.raises(ActuatorError, match=r"bad was told to restart and is failed"):
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


async def test_webhook():
    requests = []

    async def serve(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
        body = await reader.readexactly(length)
        requests.append((head, body))
        if "/slow" in head:
            await asyncio.sleep(1)
        status = "500 Oops" if "/bad" in head else "202 Accepted"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    actuator = WebhookActuator(Secret(url + "/restart?token=hush"), "shop", headers={"X-Key": Secret("k")})
    assert await actuator.restart() == "asked the webhook to restart shop (HTTP 202)"
    assert requests[0][1] == b'{"action":"restart","service":"shop"}'
    assert "X-Key: k" in requests[0][0]
    assert "hush" not in repr(actuator)
    with pytest.raises(ActuatorError, match="answered HTTP 500: yes"):
        await WebhookActuator(Secret(url + "/bad"), "shop", body={"a": 1}).restart()
    assert requests[1][1] == b'{"a":1}'
    with pytest.raises(ActuatorError, match=r"did not answer within 0\.2 s"):
        await WebhookActuator(Secret(url + "/slow"), "shop", timeout_ms=200).restart()
    server.close()
    await server.wait_closed()
    with pytest.raises(ActuatorError, match="cannot be reached") as caught:
        await WebhookActuator(Secret(url + "/x?token=hush"), "shop").restart()
    assert "hush" not in str(caught.value)
